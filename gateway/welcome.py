"""
The welcome page's server: plain HTTP, with the root's certificate and how to trust it, and with nothing else ever.

One thread serves everybody. A connection carries one small request; it ends when that took too long, and the one that
has waited longest ends when there are too many: who is slow, or means no good, keeps nobody else out.
"""

import asyncio
import logging
import plistlib
import re
import signal
import uuid
from contextlib import closing, suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate
from msgspec import Struct

from chain import notify
from gateway import announce, welcome_page
from gateway.addresses import addresses
from gateway.announce import Service
from gateway.errors import BadConfig
from gateway.expiry import certificates
from gateway.site import Settings, Site
from gateway.tls import Files, fingerprint

log = logging.getLogger(__name__)

MOST = 64
"""Connections at one time."""

SECONDS = 10.0
"""For the request and the answer together."""

MAX_BYTES = 8192
"""Of a request."""

RETRY_SECONDS = 30.0
"""Between two attempts to have the port."""

CERTIFICATE = "application/x-x509-ca-cert"
PROFILE = "application/x-apple-aspen-config"
HTML = "text/html; charset=utf-8"
TEXT = "text/plain; charset=utf-8"

_END = b"\r\n\r\n"
_LINE = re.compile(rb"([A-Z]{1,16}) (/[!-~]*) HTTP/1\.[01]\r\n")
_HOST = re.compile(rb"\r\nhost:[ \t]*([!-~]+)[ \t]*\r\n", re.IGNORECASE)
_NAMESPACE = uuid.UUID("0b6f3c1e-6a0b-5b5e-9d0c-2f6f0d6d7a11")


class Answer(Struct, frozen=True):
    """`allow` is said with a 405 only."""

    status: HTTPStatus
    media: str
    body: bytes
    allow: bool = False

    def to_bytes(self, *, with_body: bool) -> bytes:
        lines = [
            f"HTTP/1.1 {self.status.value} {self.status.phrase}",
            f"Date: {formatdate(usegmt=True)}",
            f"Content-Type: {self.media}",
            f"Content-Length: {len(self.body)}",
            f"Content-Security-Policy: {welcome_page.POLICY}",
            "Cache-Control: no-store",
            "Referrer-Policy: no-referrer",
            "X-Content-Type-Options: nosniff",
            "Connection: close",
            *(["Allow: GET, HEAD"] if self.allow else []),
        ]
        head = "\r\n".join(lines).encode() + _END
        return head + self.body if with_body else head


@dataclass
class Welcome:
    """What is offered, and by whom: `origin` is the chain's."""

    files: Files
    settings: Settings
    origin: str
    _open: dict[asyncio.StreamWriter, None] = field(default_factory=dict, init=False, repr=False)

    # The answers

    def answer(self, request: bytes) -> bytes:
        """To a request up to the end of its header."""
        line = _LINE.match(request)
        if line is None:
            return _plain(HTTPStatus.BAD_REQUEST).to_bytes(with_body=True)
        method, target = line[1].decode(), line[2].decode().partition("?")[0]
        return self._found(method, target, self._host(request)).to_bytes(with_body=method != "HEAD")

    def _found(self, method: str, path: str, host: str) -> Answer:
        if path not in ("/", "/root.crt", "/root.mobileconfig"):
            return _plain(HTTPStatus.NOT_FOUND)
        if method not in ("GET", "HEAD"):
            return _plain(HTTPStatus.METHOD_NOT_ALLOWED)
        try:
            root = certificates(self.files.root)[0]
        except BadConfig as error:
            log.warning("no root to offer reason=%s", error)
            return _plain(HTTPStatus.SERVICE_UNAVAILABLE)
        if path == "/root.crt":
            # In DER, so that the hash of the file is the fingerprint that systems show.
            return Answer(HTTPStatus.OK, CERTIFICATE, root.public_bytes(Encoding.DER))
        site = self.origin.partition("/")[0]
        if path == "/root.mobileconfig":
            return Answer(HTTPStatus.OK, PROFILE, profile(root, site))
        link = f"https://{host}:{self.settings.http_port}/"
        return Answer(HTTPStatus.OK, HTML, welcome_page.render(site, fingerprint(root), link))

    def _host(self, request: bytes) -> str:
        """As the visitor calls this gateway, if its certificate says so, too; else as its codes do."""
        found = _HOST.search(request)
        said = re.sub(r":[0-9]+$", "", found[1].decode()).strip("[]").casefold() if found else ""
        known = {host.casefold() for host in self.settings.hosts}
        host = said if said in known else self.settings.known_as
        return f"[{host}]" if ":" in host else host

    # The connections

    async def serve(self) -> None:
        """Listen for as long as this is not cancelled. While it cannot, say so once, and go on trying."""
        host, port, told = self.settings.http_host, self.settings.welcome_port, ""
        while True:
            try:
                server = await asyncio.start_server(self._meet, host, port, limit=MAX_BYTES)
            except OSError as error:
                if str(error) != told:
                    told = str(error)
                    log.warning("the welcome page is not to be had: %s", cannot_listen(error, port))
                notify.ready()
                await asyncio.sleep(RETRY_SECONDS)
                continue
            log.info("welcome ready address=%s port=%d", host, port)
            notify.ready()
            async with server:
                await server.serve_forever()

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open[writer] = None
        if len(self._open) > MOST:
            # The first one in is the one that has waited longest.
            next(iter(self._open)).transport.abort()
        try:
            async with asyncio.timeout(SECONDS):
                writer.write(await self._said(reader))
                await writer.drain()
                writer.close()
                await writer.wait_closed()
        except (TimeoutError, OSError, asyncio.IncompleteReadError):
            writer.transport.abort()
        finally:
            del self._open[writer]

    async def _said(self, reader: asyncio.StreamReader) -> bytes:
        try:
            return self.answer(await reader.readuntil(_END))
        except asyncio.LimitOverrunError:
            return _plain(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE).to_bytes(with_body=True)


def run(site: Site) -> None:
    """Serve and announce until SIGTERM or SIGINT."""
    with closing(site.read_chain()) as chain:
        origin = chain.origin
    settings = site.settings
    if not settings.is_lan:
        raise BadConfig(f"{site.directory}: it serves its own machine only: there is no certificate to offer")
    asyncio.run(
        _run(
            Welcome(site.certificates, settings, origin),
            Service(origin, site.pin(), settings.hosts, settings.http_port, settings.mqtt_port),
        )
    )


async def _run(welcome: Welcome, service: Service) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    tasks = [
        asyncio.create_task(work) for work in (welcome.serve(), announce.keep(service, addresses), _beat())
    ]
    told = asyncio.create_task(stop.wait())
    # None of them ends by itself: if one does, all end, and are started again.
    await asyncio.wait([*tasks, told], return_when=asyncio.FIRST_COMPLETED)
    for task in (*tasks, told):
        task.cancel()
    for task in tasks:
        with suppress(asyncio.CancelledError):
            await task


async def _beat() -> None:
    heart = notify.Heart()
    while True:
        heart.beat()
        await asyncio.sleep(1)


def profile(root: Certificate, site: str) -> bytes:
    """The root as a configuration profile for Apple's systems. The same root gives the same profile."""
    content = root.public_bytes(Encoding.DER)
    outer, inner = (str(uuid.uuid5(_NAMESPACE, f"{part} {fingerprint(root)}")).upper() for part in "ab")
    return plistlib.dumps(
        {
            "PayloadType": "Configuration",
            "PayloadVersion": 1,
            "PayloadIdentifier": f"blockpost.{outer}",
            "PayloadUUID": outer,
            "PayloadDisplayName": f"Blockpost at {site}",
            "PayloadDescription": "Lets this device trust the Blockpost gateway of this site.",
            "PayloadContent": [
                {
                    "PayloadType": "com.apple.security.root",
                    "PayloadVersion": 1,
                    "PayloadIdentifier": f"blockpost.{outer}.root",
                    "PayloadUUID": inner,
                    "PayloadDisplayName": "Blockpost root",
                    "PayloadCertificateFileName": "root.crt",
                    "PayloadContent": content,
                }
            ],
        }
    )


def cannot_listen(error: OSError, port: int) -> str:
    """Why, and what to do."""
    if isinstance(error, PermissionError):
        return (
            f"port {port} takes a right that this user has not: run it as `blockpost provision systemd` has it, or"
            " choose a welcome_port from 1024 on in gateway.toml"
        )
    return f"port {port}: {error.strerror or error}; end the other program, or choose another welcome_port"


def _plain(status: HTTPStatus) -> Answer:
    words = f"{status.value} {status.phrase}\n".encode()
    return Answer(status, TEXT, words, allow=status == HTTPStatus.METHOD_NOT_ALLOWED)
