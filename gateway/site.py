"""
A gateway's directory: its settings, its key, its chain.

* `gateway.toml`   the settings below
* `gateway.key`    the Ed25519 private key (mode 0600), made once
* `chain.db`       the chain
* `chain.halted`   the mark that its disk failed (`gateway.halt`), where it did
* `sessions.db`    browser sessions
* `refusals.db`    the newest refusals
* `joins.db`       who waits to be let in, and how often it was tried
* `tls/`           certificates, where it serves a LAN (`gateway.tls`)

The supervisor and the web server's parent need no more of it than the settings, and stay small for as long as the rest
is imported where it is used.
"""

# ruff: noqa: PLC0415

import tomllib
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

import msgspec
from msgspec import Meta, Struct

from chain import durable
from chain.encoding import b64url
from chain.identity import SigningKey, account_id
from gateway import tls
from gateway.errors import BadConfig

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from chain.chain import Chain, Writer

SEED_BYTES = 32

_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"

Host = Annotated[
    str,
    Meta(
        max_length=253,
        pattern=rf"\A{_LABEL}(\.{_LABEL})*\Z|\A[0-9a-fA-F:]+:[0-9a-fA-F:.]*\Z",
    ),
]
"""A DNS name, or an IP address, without brackets."""


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything an operator may choose; `gateway init` writes it, and nothing else is read from outside."""

    hosts: tuple[Host, ...] = ()
    """
    The names and addresses by which a LAN finds this gateway, as its certificate says them; the first goes into join
    codes. Without any, it serves its own machine only: on loopback, without certificates, with the embedded broker.
    """

    http_host: str = "127.0.0.1"
    """Where REST and the page listen."""

    http_port: int = 8080

    mqtt_host: str = "127.0.0.1"
    """Where the broker listens."""

    mqtt_port: int = 1883

    welcome_port: int = 80
    """Where a LAN is offered the root certificate, over plain HTTP."""

    session_hours: int = 12
    """How long a browser stays logged in without being used."""

    def __post_init__(self) -> None:
        for name in ("http_port", "mqtt_port", "welcome_port"):
            if not 0 < getattr(self, name) < 2**16:
                raise ValueError(f"{name}: want a port from 1 to 65535, got {getattr(self, name)}")
        if not 0 < self.session_hours <= 24 * 366:
            raise ValueError(f"session_hours: want 1 to 8784, got {self.session_hours}")
        for name in ("http_host", "mqtt_host"):
            host = getattr(self, name)
            if not self.is_lan and not is_loopback(host):
                raise ValueError(f"{name}: without certificates only loopback is served, got {host!r}")

    @property
    def is_lan(self) -> bool:
        """Whether it serves a LAN: over TLS, with Mosquitto."""
        return bool(self.hosts)

    @property
    def known_as(self) -> str:
        """The host that newcomers are told."""
        return self.hosts[0] if self.hosts else self.http_host

    @classmethod
    def load(cls, path: Path) -> Self:
        """Raise `BadConfig` for what is unknown, mistyped or out of range, `OSError` for no file."""
        try:
            return msgspec.convert(tomllib.loads(path.read_text("utf-8")), cls)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
            raise BadConfig(f"{path}: {error}") from error

    def to_toml(self) -> str:
        return "".join(f"{name} = {_toml(value)}\n" for name, value in msgspec.structs.asdict(self).items())


def _toml(value: str | int | tuple[str, ...]) -> str:
    # A JSON string is a TOML basic string, and so is an array of them.
    return msgspec.json.encode(value).decode()


def near(host: str) -> str:
    """Where this very machine reaches what listens on `host`: its certificate names loopback, too."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if not address.is_unspecified:
        return host
    return "127.0.0.1" if address.version == 4 else "::1"  # noqa: PLR2004 - IPv4


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@dataclass(frozen=True)
class Key:
    """The gateway's signing key. It signs checkpoints, blocks, refusals and its own entries; it opens nothing."""

    private: "Ed25519PrivateKey" = field(repr=False)

    @cached_property
    def public(self) -> SigningKey:
        return SigningKey(b64url(self.private.public_key().public_bytes_raw()))

    @cached_property
    def account(self) -> str:
        return account_id(self.public)

    @property
    def kid(self) -> str:
        return self.public.thumbprint

    def sign(self, message: bytes) -> bytes:
        return self.private.sign(message)

    @property
    def writer(self) -> "Writer":
        from chain.chain import Writer

        return Writer(self.public, self.sign)

    @classmethod
    def create(cls, path: Path) -> Self:
        """Make a new key; raise `FileExistsError` rather than orphan one that is there."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        key = cls(Ed25519PrivateKey.generate())
        durable.create(path, key.private.private_bytes_raw())
        return key

    @classmethod
    def load(cls, path: Path) -> Self:
        """Raise `BadConfig` if others may read the file, or it is no key."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        if path.stat().st_mode & 0o077:
            raise BadConfig(f"{path}: a private key that others may read; run chmod 600 on it")
        seed = path.read_bytes()
        if len(seed) != SEED_BYTES:
            raise BadConfig(f"{path}: want a key of {SEED_BYTES} bytes, got {len(seed)}")
        return cls(Ed25519PrivateKey.from_private_bytes(seed))


@dataclass(frozen=True)
class Site:
    """The directory, opened. Each of the three processes opens it for itself."""

    directory: Path
    settings: Settings

    @classmethod
    def load(cls, directory: Path) -> Self:
        if not (directory / "gateway.toml").is_file():
            raise BadConfig(
                f"{directory}: no gateway here; make one with: blockpost gateway init {directory}"
            )
        return cls(directory, Settings.load(directory / "gateway.toml"))

    @property
    def chain_file(self) -> Path:
        return self.directory / "chain.db"

    @property
    def mark(self) -> Path:
        """Where it stands that the chain's disk has failed, if it has."""
        return self.directory / "chain.halted"

    @property
    def sessions_file(self) -> Path:
        return self.directory / "sessions.db"

    @property
    def refusals_file(self) -> Path:
        return self.directory / "refusals.db"

    @property
    def joins_file(self) -> Path:
        return self.directory / "joins.db"

    @property
    def certificates(self) -> tls.Files:
        """Of a site that serves a LAN."""
        return tls.Files(self.directory / "tls")

    def pin(self) -> str:
        """What join codes name this gateway by."""
        if not self.settings.is_lan:
            return self.key().account
        from cryptography.x509 import load_pem_x509_certificate

        return tls.pin(load_pem_x509_certificate(self.certificates.root.read_bytes()))

    def key(self) -> Key:
        return Key.load(self.directory / "gateway.key")

    def read_chain(self) -> "Chain":
        from chain.chain import Chain

        return Chain.open(self.chain_file)
