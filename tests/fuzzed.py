"""
What schemathesis loads (`SCHEMATHESIS_HOOKS`): who it calls as, and entries that are signed as a schema cannot say.

The environment says who: the home of a joined account in `FUZZ_HOME`, and in `FUZZ_KEY` what a browser would make of
its password. Without the key it shows tokens; without a home it is nobody. `FUZZ_URL` is where the gateway is,
`FUZZ_ROOT` the certificate to know it by, and `FUZZ_FRIEND` an account that takes messages.
"""

import itertools
import os
import secrets
import time
from http import HTTPStatus
from pathlib import Path
from typing import Any

import msgspec
import schemathesis
import urllib3
from schemathesis import AuthContext, Case, HookContext
from schemathesis.generation import GenerationMode

from chain import entry, token
from chain.author import Author
from chain.body import make
from chain.encoding import b64url
from chain.entry import Message
from device.client import Client, Home
from gateway.rest.desk import COOKIE

OWN_ADDRESS = ("127.0.0.9", 0)
"""Wrong logins that schemathesis tries are counted for where they come from, and must not lock this one out."""


class ByToken:
    """Shows a token of the account's key."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def show_in(self, case: Case[Any]) -> None:
        case.headers["Authorization"] = f"Bearer {self._client.gateway.token(token.REST)}"


class BySession:
    """Shows a browser's session. Now and then a request ends its own, as it is told to; then there is another."""

    def __init__(self, client: Client, key: str) -> None:
        self._url = os.environ["FUZZ_URL"]
        self._credentials = {"handle": client.membership.handle, "key": key}
        self._pool = urllib3.PoolManager(
            source_address=OWN_ADDRESS, ca_certs=os.environ["FUZZ_ROOT"], retries=False
        )
        self._session = ""

    def show_in(self, case: Case[Any]) -> None:
        held = self._pool.request("GET", f"{self._url}check", headers={"Cookie": f"{COOKIE}={self._session}"})
        if held.status != HTTPStatus.OK:
            made = self._pool.request("POST", f"{self._url}login", json=self._credentials)
            assert made.status == HTTPStatus.OK, made.data
            self._session = made.headers["Set-Cookie"].partition(";")[0].partition("=")[2]
        case.cookies[COOKIE] = self._session


class Letters:
    """Real messages, to one who takes them."""

    def __init__(self, client: Client, to: str) -> None:
        self._client = client
        self._to = to

    def next(self) -> Any:
        """A parcel that holds: no schema can say how an entry is signed."""
        author = Author(
            origin=self._client.membership.origin,
            account=self._client.account,
            stream=entry.new_stream(secrets.token_bytes),
            kid=self._client.identity.signing.thumbprint,
            sign=self._client.identity.sign,
        )
        parcel = author.parcel(
            Message,
            seq=1,
            at=time.time_ns() // 1_000_000,
            seen=self._client.trust.seen,
            beside=make('{"sealed":true}', secrets.token_bytes),
            to=self._to,
            commitment=b64url(secrets.token_bytes(32)),
        )
        return msgspec.to_builtins(parcel)


def call_as(client: Client) -> None:
    key = os.environ.get("FUZZ_KEY")
    caller = BySession(client, key) if key else ByToken(client)
    letters, turns = Letters(client, os.environ["FUZZ_FRIEND"]), itertools.count()

    # Asked anew for each request: what the one before showed may have ended with it.
    @schemathesis.auth(refresh_interval=None)
    class Shown:
        def get(self, _case: Case[Any], _context: AuthContext) -> ByToken | BySession:
            return caller

        def set(self, case: Case[Any], data: ByToken | BySession, _context: AuthContext) -> None:
            data.show_in(case)

    @schemathesis.hook
    def before_call(_context: HookContext, case: Case[Any], _kwargs: dict[str, Any]) -> None:
        """Of what is well-formed, hand in a real entry every other time."""
        is_good = case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE
        if case.operation.label == "POST /v1/entries" and is_good and next(turns) % 2:
            case.body = letters.next()


if home := os.environ.get("FUZZ_HOME"):
    call_as(Client(Home(Path(home))))
