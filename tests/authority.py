"""A gateway's directory that serves a LAN, around a `World`; and what somebody needs to ask its authority."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from chain.api import Certified
from chain.encoding import b64url
from gateway.authority import Answer, Certify, Granted
from gateway.site import Key, Settings, Site
from provisioning.authority import certificates, root
from provisioning.authority.certificates import Issuer, new_key
from provisioning.authority.inventory import Inventory
from provisioning.authority.office import Office
from provisioning.authority.stock import Owner, Stock
from tests.world import START, World

SEED = bytes(range(32))
NOW = datetime.fromtimestamp(START / 1000, UTC)


@dataclass
class Time:
    """A clock that stands still until it is moved."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def passes(self, **span: float) -> None:
        self.now += timedelta(**span)


@dataclass
class Lan:
    """A site with its chain open for writing, its root at hand, and an authority that nobody runs yet."""

    world: World
    site: Site
    stock: Stock
    root: Issuer
    clock: Time = field(default_factory=Time)

    def office(self) -> Office:
        """An authority as it is after a start, but for what its process does first."""
        return Office(self.stock, self.inventory(), self.site.read_chain(), self.clock)

    def inventory(self) -> Inventory:
        return Inventory(self.site.certificates.inventory)


@contextmanager
def a_lan(folder: Path, *, now: datetime = NOW, mqtt_port: int = 8883) -> Iterator[Lan]:
    folder.mkdir(mode=0o700)
    settings = Settings(hosts=("gateway.local", "192.0.2.7"), mqtt_port=mqtt_port)
    (folder / "gateway.toml").write_text(settings.to_toml())
    key = Key.create(folder / "gateway.key")
    site = Site.load(folder)
    stock = Stock(site.certificates, Owner.of(settings, key.account))
    above = certificates.make_root(root.derive(SEED), "ward7.example", now)
    stock.begin(above, now)
    with World(folder) as world:
        yield Lan(world, site, stock, above, Time(now))


def csr(cn: str, key: EllipticCurvePrivateKey) -> bytes:
    """A signing request in DER."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, cn)])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, SHA256())
    return request.public_bytes(Encoding.DER)


def asks(account: str, *, cn: str | None = None, key: EllipticCurvePrivateKey | None = None) -> Certify:
    return Certify(account, b64url(csr(account if cn is None else cn, key or new_key())))


def certified(answer: Answer) -> Certified:
    assert isinstance(answer, Granted), answer
    return answer.certified


def leaf_of(answer: Answer) -> x509.Certificate:
    return x509.load_pem_x509_certificate(certified(answer).certificate.encode())


def revoked_serials(stock: Stock) -> list[set[int]]:
    """What each list on disk says."""
    return [{entry.serial_number for entry in crl} for crl in stock.crls()]
