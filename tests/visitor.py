"""Somebody with a browser, as far as REST is concerned: logs in with what was derived, and has a session."""

from collections.abc import Generator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import urllib3

from chain.encoding import b64url, unb64url
from device import password
from device.password import LoginKeys

OK = 200
PATIENCE = 60.0
"""Seconds without a line of a stream after which a test gives up; none measures time."""


class Visitor:
    """`root` is the certificate that a gateway with certificates is believed by."""

    def __init__(self, port: int, root: Path | None = None) -> None:
        self._base = f"{'https' if root else 'http'}://127.0.0.1:{port}"
        ca = None if root is None else str(root)
        self._pool = urllib3.PoolManager(num_pools=1, timeout=10.0, retries=False, ca_certs=ca)
        self._cookie: str | None = None

    def keys(self, handle: str, secret: str) -> LoginKeys:
        """What the browser makes of a password, under the salt that the gateway tells it."""
        _, answer = self._ask("POST", "/v1/login/salt", {"handle": handle})
        return password.derive(secret, unb64url(answer["salt"]))

    def login(self, handle: str, auth: bytes) -> int:
        """Return the status."""
        status, _ = self._ask("POST", "/login", {"handle": handle, "key": b64url(auth)})
        return status

    def get(self, path: str) -> tuple[int, Any]:
        return self._ask("GET", path)

    def stream(self, path: str) -> Generator[bytes, None, None]:
        """The lines of an answer that does not end, as they come."""
        headers = {} if self._cookie is None else {"Cookie": self._cookie}
        response = self._pool.request(
            "GET", self._base + path, headers=headers, preload_content=False, timeout=PATIENCE
        )
        try:
            assert response.status == OK, f"{path}: {response.status}"
            rest = b""
            for piece in response.stream(4096):
                *lines, rest = (rest + piece).split(b"\n")
                yield from lines
        finally:
            response.close()

    def _ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        headers = {} if self._cookie is None else {"Cookie": self._cookie}
        response = self._pool.request(method, self._base + path, json=body, headers=headers)
        for name, morsel in SimpleCookie(response.headers.get("Set-Cookie", "")).items():
            self._cookie = f"{name}={morsel.value}"
        return response.status, response.json()
