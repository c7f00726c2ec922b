"""
What lies in `tls/`, and when it is due to be replaced. Each file is replaced whole, so that a crash between any two
leaves what is found, and mended, at the next look.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509 import Certificate, CertificateRevocationList

from chain import durable
from gateway.errors import BadConfig
from gateway.site import Settings, near
from gateway.tls import Files
from provisioning.authority import certificates
from provisioning.authority.certificates import (
    BACKDATED_DAYS,
    CRL_DAYS,
    LEAF_DAYS,
    RENEW_DAYS,
    Issuer,
    bundle,
    new_key,
    pem,
    private_pem,
)

CRL_EVERY = timedelta(days=1)
"""A list that is past its end refuses everybody, so a new one is made long before."""

T = TypeVar("T")
_Sign = Callable[[EllipticCurvePublicKey], Certificate]
_Check = Callable[[Certificate], bool]

_BLOCK = re.compile(rb"-----BEGIN [^-]+-----.*?-----END [^-]+-----\n", re.DOTALL)
_PUBLIC, _SECRET = 0o644, 0o600

Revoked = Iterable[tuple[int, datetime]]
"""Serial numbers, and since when they hold no more."""


@dataclass(frozen=True)
class Owner:
    """Whose certificates these are: the gateway's account, and what its server is found under."""

    account: str
    hosts: tuple[str, ...]

    @classmethod
    def of(cls, settings: Settings, account: str) -> Self:
        # Its own processes find it by where it listens, if that is one address.
        own = (near(settings.http_host), near(settings.mqtt_host))
        return cls(account, (*settings.hosts, *own))


class Stock:
    """The files of one site. `owner` is asked for nothing but what it is."""

    def __init__(self, files: Files, owner: Owner) -> None:
        self.files = files
        self._owner = owner

    def begin(self, root: Issuer, now: datetime) -> None:
        """Make all of it, for a new gateway."""
        durable.make_directory(self.files.directory)
        self.succeed(root, now, trust_old=False)
        self.write_crl([], now)
        self.renew(now)

    def succeed(self, root: Issuer, now: datetime, *, trust_old: bool) -> None:
        """
        Begin with a new issuing authority.

        What old ones signed holds until it ends, or, if `trust_old` is false, no more.
        """
        before = self.issuers() if trust_old and self.files.issuing.exists() else []
        authorities = [certificates.make_issuing(root, new_key(), now), *before]
        durable.write(self.files.root, pem([root.certificate]), mode=_PUBLIC)
        self._write_issuers(authorities)

    def root(self) -> Certificate:
        return _loaded(self.files.root, x509.load_pem_x509_certificate)

    def issuers(self) -> list[Issuer]:
        """The authorities whose certificates hold, the one that signs new ones first; raise `BadConfig`."""
        found = _loaded(self.files.issuing, x509.load_pem_x509_certificates)
        # The keys are written first: after a crash in between there is one too many.
        keys = {_public(key.public_key()): key for key in _loaded(self.files.issuing_key, _read_keys)}
        return [
            Issuer(each, keys[public]) for each in found if (public := _public(each.public_key())) in keys
        ]

    def signer(self) -> Issuer:
        """The authority that signs new certificates."""
        issuers = self.issuers()
        if not issuers:
            raise BadConfig(f"{self.files.issuing_key}: not the key of {self.files.issuing}")
        return issuers[0]

    def made(self) -> datetime:
        """When the authority that signs was made: a clock that is before that is wrong."""
        return _made(self.signer())

    def renew(self, now: datetime) -> list[str]:
        """Replace what is due, and drop authorities of which nothing holds any more; return what was done, in words."""
        done = []
        signer, *older = self.issuers() or [self.signer()]
        if older and now > _made(signer) + timedelta(days=LEAF_DAYS):
            self._write_issuers([signer])
            done.append("authorities that nothing is under any more are dropped")
        for path, sign, is_current in self._own(signer, now):
            if not self._holds(path, signer, now, is_current):
                key = new_key()
                made = sign(key.public_key())
                durable.write(path, bundle(key, [made, signer.certificate, self.root()]), mode=_SECRET)
                done.append(f"{path.name} made, good until {made.not_valid_after_utc:%Y-%m-%d}")
        return done

    def crl_is_due(self, revoked: Revoked, now: datetime) -> bool:
        """Whether the list on disk says something else than `revoked`, is a day old, or of another time."""
        lists = self.crls()
        if [each.issuer for each in lists] != [issuer.certificate.subject for issuer in self.issuers()]:
            return True
        serials = {serial for serial, _ in revoked}
        left = timedelta(days=CRL_DAYS)
        # One that ends too late was made by a clock that has gone back since.
        return any(
            {entry.serial_number for entry in each} != serials
            or not left - CRL_EVERY < until(each) - now <= left + CRL_EVERY
            for each in lists
        )

    def write_crl(self, revoked: Revoked, now: datetime) -> None:
        """Sign what is revoked, by each authority whose certificates hold: a list speaks for its signer's only."""
        listed = list(revoked)
        numbers = [_number(each) for each in self.crls()]
        number = max([int(now.timestamp() * 1000), *(before + 1 for before in numbers)])
        # Somebody may be revoked while the clock is wrong.
        now = max(now, self.made())
        lists = [certificates.crl(issuer, listed, now, number=number) for issuer in self.issuers()]
        data = b"".join(each.public_bytes(Encoding.PEM) for each in lists)
        durable.write(self.files.crl, data, mode=_PUBLIC)

    def crls(self) -> list[CertificateRevocationList]:
        """What is on disk; nothing if there is none, or it is damaged: it is made anew then."""
        try:
            return [x509.load_pem_x509_crl(each) for each in _blocks(self.files.crl.read_bytes())]
        except (FileNotFoundError, ValueError):
            return []

    def _write_issuers(self, issuers: list[Issuer]) -> None:
        keys = [issuer.key for issuer in issuers]
        before = _loaded(self.files.issuing_key, _read_keys) if self.files.issuing_key.exists() else []
        # At each moment there is a key for the first certificate: new keys come before, old ones go after it.
        self._write_keys([*keys, *before])
        durable.write(self.files.issuing, pem(issuer.certificate for issuer in issuers), mode=_SECRET)
        self._write_keys(keys)

    def _write_keys(self, keys: Iterable[EllipticCurvePrivateKey]) -> None:
        durable.write(self.files.issuing_key, b"".join(map(private_pem, keys)), mode=_SECRET)

    def _own(self, signer: Issuer, now: datetime) -> Iterator[tuple[Path, _Sign, _Check]]:
        hosts = certificates.names_for(self._owner.hosts)
        yield (
            self.files.server,
            partial(certificates.server, signer, hosts=self._owner.hosts, now=now),
            lambda made: certificates.hosts_of(made) == hosts,
        )
        for path, cn in (
            (self.files.committer, self._owner.account),
            (self.files.web, f"{self._owner.account}.web"),
        ):
            yield path, partial(certificates.client, signer, cn=cn, now=now), lambda _: True

    def _holds(self, path: Path, signer: Issuer, now: datetime, is_current: _Check) -> bool:
        try:
            made, *above = x509.load_pem_x509_certificates(path.read_bytes())
        except (FileNotFoundError, ValueError):
            return False
        end = made.not_valid_after_utc
        is_fresh = now < end - timedelta(days=LEAF_DAYS - RENEW_DAYS)
        return (
            above == [signer.certificate, self.root()]
            # Near the end of its authority, a new one would not hold any longer.
            and (is_fresh or end >= signer.certificate.not_valid_after_utc)
            # One that ends too late was made by a clock that has gone back since.
            and end - now < timedelta(days=LEAF_DAYS + 1)
            and is_current(made)
        )


def _loaded(path: Path, load: Callable[[bytes], T]) -> T:
    try:
        return load(path.read_bytes())
    except (ValueError, TypeError) as error:
        raise BadConfig(f"{path}: not what was written here: {error}") from error


def _blocks(data: bytes) -> list[bytes]:
    """The parts of a PEM file, each a PEM file of its own."""
    return _BLOCK.findall(data)


def _public(key: object) -> bytes:
    """A key, so that it can be compared."""
    assert isinstance(key, EllipticCurvePublicKey)
    return key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)


def until(crl: CertificateRevocationList) -> datetime:
    """When it ends: ours always do."""
    end = crl.next_update_utc
    assert end is not None
    return end


def _made(issuer: Issuer) -> datetime:
    return issuer.certificate.not_valid_before_utc + timedelta(days=BACKDATED_DAYS)


def _number(crl: CertificateRevocationList) -> int:
    return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def _read_keys(data: bytes) -> list[EllipticCurvePrivateKey]:
    keys = [load_pem_private_key(each, None) for each in _blocks(data)]
    return [key for key in keys if isinstance(key, EllipticCurvePrivateKey)]
