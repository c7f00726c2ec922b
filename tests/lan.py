"""
A gateway that serves a LAN, for tests of its broker: a world's chain, certificates of its own, the broker as a process.
"""

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
from cryptography.x509 import Certificate, load_pem_x509_certificates

from chain import durable
from gateway.site import Settings, Site
from gateway.tls import client_context
from provisioning.authority import certificates
from provisioning.authority.certificates import Issuer, bundle, new_key
from provisioning.authority.stock import Owner, Stock
from tests.mqtt import PATIENCE, Client
from tests.world import World


def until(condition: Callable[[], object], what: str = "it did not come about") -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def now() -> datetime:
    return datetime.now(UTC)


class Papers:
    """Certificates from an authority of this test's own."""

    def __init__(self, site: Site, gateway: str) -> None:
        self.files = site.certificates
        self._folder = site.directory / "papers"
        self._folder.mkdir()
        self._stock = Stock(self.files, Owner.of(site.settings, gateway))
        self._root = certificates.make_root(new_key(), "ward-7.example", now())
        self._stock.begin(self._root, now())
        self._revoked: list[tuple[int, datetime]] = []

    @property
    def issuer(self) -> Issuer:
        return self._stock.signer()

    @property
    def root(self) -> Certificate:
        return self._stock.root()

    def client(self, cn: str, *, days: float = 90, issuer: Issuer | None = None, name: str = "") -> Path:
        """A new certificate with its key, for a client of the broker."""
        key, issuer = new_key(), issuer or self.issuer
        made = certificates.client(issuer, key.public_key(), cn, now(), lifetime=timedelta(days=days))
        path = self._folder / f"{name or cn}.pem"
        path.write_bytes(bundle(key, [made, issuer.certificate, self.root]))
        return path

    def revoke(self, *paths: Path) -> None:
        """Sign a new list on which these are, too."""
        for path in paths:
            serial = load_pem_x509_certificates(path.read_bytes())[0].serial_number
            self._revoked.append((serial, now()))
        self._stock.write_crl(self._revoked, now())

    def renew_server(self) -> None:
        self.files.server.unlink()
        self._stock.renew(now())

    def replace_authority(self) -> None:
        """Another issuing authority below the same root, and certificates of the gateway's own from it."""
        self._stock.succeed(self._root, now(), trust_old=True)
        self._stock.write_crl(self._revoked, now())
        self._stock.renew(now())

    def context(self, own: Path | None) -> ssl.SSLContext:
        return client_context(self.files, own)


def another_authority(name: str = "another.example") -> Issuer:
    return certificates.make_issuing(certificates.make_root(new_key(), name, now()), new_key(), now())


class Lan:
    """The directory of a gateway, made without starting anything."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.world = World(folder)
        self.gateway = self.world.gateway.id
        self.port = free_port()
        self.settings = Settings(
            hosts=("ward-7.example",), mqtt_port=self.port, http_port=free_port(), **settings
        )
        self.site = Site(folder, self.settings)
        seed = self.world.gateway.keys._secret.private_bytes_raw()
        durable.create(folder / "gateway.key", seed)
        self.papers = Papers(self.site, self.gateway)
        durable.write(folder / "gateway.toml", self.settings.to_toml().encode())

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self.port

    @property
    def committer(self) -> Path:
        return self.papers.files.committer

    @property
    def web(self) -> Path:
        return self.papers.files.web

    def client(self, own: Path, *, claims: str = "anything", **options: Any) -> Client:
        """`claims` is what it calls itself, which is not asked for."""
        return Client(self.port, claims, tls=self.papers.context(own), **options)

    def raw(self, own: Path | None = None, context: ssl.SSLContext | None = None) -> ssl.SSLSocket:
        """A TLS connection; raises `ssl.SSLError` where the handshake shows that one is not welcome."""
        plain = socket.create_connection(self.address, timeout=PATIENCE)
        return (context or self.papers.context(own)).wrap_socket(plain, server_hostname="127.0.0.1")

    def admits(self, own: Path | None, context: ssl.SSLContext | None = None) -> bool:
        """Whether a CONNECT with this certificate is accepted. In TLS 1.3 only reading shows that one was refused."""
        try:
            with self.raw(own, context) as connection:
                connection.sendall(connect_packet("somebody"))
                return connection.recv(4) == ACCEPTED
        except (ssl.SSLError, ConnectionError):
            return False


class Process:
    """A part of the gateway, and what it logged."""

    def __init__(self, site: Site, part: str, environment: Mapping[str, str] | None = None) -> None:
        self._log = site.directory / f"{part}.log"
        with self._log.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gateway.cli", part, str(site.directory)],
                stdout=subprocess.DEVNULL,
                stderr=file,
                env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), **(environment or {})},
            )

    @property
    def log(self) -> str:
        return self._log.read_text("utf-8")

    def logged(self, text: str, times: int = 1) -> bool:
        return self.log.count(text) >= times

    def ready(self, times: int = 1) -> None:
        until(lambda: self.logged(" ready ", times) or self.process.poll() is not None)
        assert self.logged(" ready ", times), self.log

    @property
    def mosquitto(self) -> psutil.Process:
        (child,) = psutil.Process(self.process.pid).children()
        return child

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


@contextmanager
def running(site: Site, part: str = "broker", **environment: str) -> Iterator[Process]:
    process = Process(site, part, environment)
    try:
        process.ready()
        yield process
    finally:
        if process.process.poll() is None:
            assert process.end() == 0, process.log
        assert "Traceback" not in process.log, process.log


ACCEPTED = b"\x20\x02\x00\x00"


def connect_packet(client_id: str) -> bytes:
    name = client_id.encode()
    body = b"\x00\x04MQTT\x04\x02\x00\x14" + len(name).to_bytes(2, "big") + name
    return bytes([0x10, len(body)]) + body
