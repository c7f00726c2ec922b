"""`device.certificate` and `device.renewal`: a device keeps a certificate by itself, and says what it needs."""

import logging
import ssl
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509 import load_pem_x509_certificates
from cryptography.x509.oid import NameOID
from msgspec import structs

from chain.api import CertificateRequest, Certified
from chain.encoding import b64url, unb64url
from chain.errors import ChainError, Malformed, Unverified
from device import certificate, csr
from device.addressbook import Certificate
from device.client import Client
from device.errors import Problem, Unreachable
from device.renewal import EXPIRED, Renewal
from gateway import tls
from gateway.authority import Certify, Refusal, Renew
from tests.authority import Lan, a_lan, certified
from tests.homes import NearGateway, enrol, settle

DAY_MS = 86_400_000


class NearAuthority(NearGateway):
    """With the authority of a LAN behind it."""

    def __init__(self, lan: Lan, account: str) -> None:
        super().__init__(lan.world, account)
        self.office = lan.office()
        self.lan = lan
        self.away = False
        self.changed: Callable[[Certified], Certified] = lambda made: made

    @property
    def now(self) -> int:
        return round(self.lan.clock().timestamp() * 1000)

    def set_clock(self) -> None:
        self._answer("clock")

    def certify(self, request: CertificateRequest) -> Certified:
        self._answer("certificate")
        answer = self.office.answer(Certify(self._account, request.csr))
        if isinstance(answer, Refusal):
            raise Problem(403, answer.reason, type=EXPIRED)
        return self.changed(certified(answer))

    def revoked(self) -> str:
        self._answer("list")
        return self.lan.site.certificates.crl.read_text()

    def _answer(self, question: str) -> None:
        self.asked.append(question)
        if self.away:
            raise Unreachable("nobody there")


class Device:
    """`alice` joined a LAN, and has a certificate; `turn` looks what is due, some time after the last."""

    def __init__(self, folder: Path, lan: Lan, patch: pytest.MonkeyPatch) -> None:
        self.lan = lan
        self.alice = enrol(lan.world, "alice")
        self.home = settle(lan.world, "alice", folder / "alice")
        pin = tls.pin(lan.root.certificate)
        self.home.book.set_membership(structs.replace(self.home.book.membership(), pin=pin))
        self.gateway = NearAuthority(lan, self.alice.id)
        patch.setattr("device.client.Gateway", lambda *_, **__: self.gateway)
        self.client = Client(self.home)
        self.elapsed = 0.0
        self.renewals = 0
        self.is_up = True
        self.restart()

    def restart(self) -> None:
        self.renewal = Renewal(self.client, lambda: self.is_up, self._count)

    def _count(self) -> None:
        self.renewals += 1

    def obtain(self) -> Certificate:
        return certificate.obtain(self.home, self.gateway, self.client.membership)  # type: ignore[arg-type]

    def turn(self, *, days: float = 0, minutes: float = 1) -> None:
        self.lan.clock.passes(days=days, minutes=minutes)
        self.elapsed += days * 86_400 + minutes * 60
        self.renewal.turn(self.elapsed)

    def files(self) -> list[bytes]:
        own = self.home.tls()
        return [path.read_bytes() if path.exists() else b"" for path in (own.own, own.root, own.crl)]


@pytest.fixture
def device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Device]:
    with a_lan(tmp_path / "gateway") as lan:
        device = Device(tmp_path, lan, monkeypatch)
        with closing(device.client):
            yield device


# Getting one


def test_the_key_and_the_certificates_lie_in_one_file_that_openssl_takes(device: Device) -> None:
    made = device.obtain()

    data = device.home.tls().own.read_bytes()
    key = load_pem_private_key(data, None)
    leaf, issuing = load_pem_x509_certificates(data)
    (name,) = leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert name.value == device.alice.id
    parts = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert key.public_key().public_bytes(*parts) == leaf.public_key().public_bytes(*parts)
    issuing.verify_directly_issued_by(device.lan.root.certificate)
    assert round(leaf.not_valid_after_utc.timestamp() * 1000) == made.until
    assert device.home.tls().own.stat().st_mode & 0o777 == 0o600
    assert device.home.tls().context(own=True).verify_mode == ssl.CERT_REQUIRED
    assert device.home.book.certificate() == made


def test_each_certificate_has_a_key_of_its_own(device: Device) -> None:
    device.obtain()
    before = load_pem_private_key(device.files()[0], None)
    device.obtain()
    after = load_pem_private_key(device.files()[0], None)

    parts = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert before.public_key().public_bytes(*parts) != after.public_key().public_bytes(*parts)


def for_another_key(made: Certified, device: Device) -> Certified:
    other = b64url(csr.request(csr.make_key(), device.alice.id))
    answer = device.gateway.office.answer(Certify(device.alice.id, other))
    return structs.replace(made, certificate=certified(answer).certificate)


def of_another_root(made: Certified, _device: Device) -> Certified:
    return structs.replace(made, root=made.certificate)


def without_a_list(made: Certified, _device: Device) -> Certified:
    return structs.replace(made, crl=made.root)


def with_junk(made: Certified, _device: Device) -> Certified:
    return structs.replace(made, certificate="-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (for_another_key, Unverified),
        (of_another_root, Unverified),
        (without_a_list, Malformed),
        (with_junk, Unverified),
    ],
)
def test_what_would_not_work_does_not_take_the_place_of_what_does(
    device: Device, change: Callable[[Certified, Device], Certified], error: type[ChainError]
) -> None:
    held, files = device.obtain(), device.files()
    device.gateway.changed = lambda made: change(made, device)

    with pytest.raises(error):
        device.obtain()

    assert device.files() == files
    assert device.home.book.certificate() == held


def test_what_follows_the_first_certificate_is_never_taken_for_a_part_of_it(device: Device) -> None:
    # Whether it would be depends on how long the certificate is, which its signature varies.
    for _ in range(6):
        device.obtain()


def test_a_request_names_the_account(device: Device) -> None:
    asked: list[str] = []
    certify = device.gateway.certify

    def listening(request: CertificateRequest) -> Certified:
        asked.append(request.csr)
        return certify(request)

    device.gateway.certify = listening  # type: ignore[method-assign]
    device.obtain()

    assert device.alice.id.encode() in unb64url(asked[0])


# When


def test_without_one_it_is_due_at_once() -> None:
    assert certificate.due(None, "a" * 26) == 0


def test_it_is_due_from_day_60_on_spread_over_five_days() -> None:
    made = Certificate(issued=0, until=90 * DAY_MS)

    days = sorted(certificate.due(made, f"{number:026}") / DAY_MS for number in range(400))

    assert 60 <= days[0] < 60.2
    assert 64.8 < days[-1] <= 65
    assert all(len([day for day in days if start <= day < start + 1]) > 50 for start in range(60, 65))


def test_it_is_due_at_the_same_time_whenever_that_is_asked() -> None:
    made = Certificate(issued=0, until=90 * DAY_MS)

    assert certificate.due(made, "a" * 26) == certificate.due(made, "a" * 26)


# By itself


def test_a_device_without_a_certificate_gets_one(device: Device) -> None:
    device.turn()

    assert device.renewals == 1
    assert device.home.book.certificate() is not None


def test_it_is_renewed_when_it_is_due_and_not_before(device: Device) -> None:
    device.turn()
    first = device.home.book.certificate()
    device.turn(days=59)
    assert device.home.book.certificate() == first

    device.turn(days=6.1)

    assert device.renewals == 2
    assert device.home.book.certificate() != first


def test_a_gateway_that_is_away_is_asked_again_and_told_of_once(
    device: Device, caplog: pytest.LogCaptureFixture
) -> None:
    device.turn()
    device.gateway.away = True
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            device.turn(days=22)
    assert [record.getMessage() for record in caplog.records] == [
        "certificate not renewed reason=nobody there"
    ]

    device.gateway.away = False
    device.turn()

    assert device.renewals == 2


def test_an_expired_one_is_asked_for_until_an_admin_has_allowed_it(
    device: Device, caplog: pytest.LogCaptureFixture
) -> None:
    device.turn()
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            device.turn(days=30)
    (told,) = [record.getMessage() for record in caplog.records]
    assert "expired: ask an admin to renew it (blockpost admin renew me)" in told
    assert device.renewals == 1

    device.gateway.office.answer(Renew(device.alice.id))
    device.turn()

    held = device.home.book.certificate()
    assert device.renewals == 2
    assert held is not None
    assert held.until > device.gateway.now


def test_a_device_that_was_off_for_long_renews_before_anything_else(device: Device) -> None:
    device.turn()
    device.lan.clock.passes(days=80)

    device.restart()
    device.turn()

    assert device.renewals == 2


def test_the_list_of_revoked_ones_is_fetched_daily(device: Device) -> None:
    device.turn()
    device.home.tls().crl.unlink()
    for _ in range(23):
        device.turn(minutes=60)
    assert "list" not in device.gateway.asked

    device.turn(minutes=60)

    assert device.gateway.asked.count("list") == 1
    assert device.home.tls().crl.read_text() == device.lan.site.certificates.crl.read_text()


def test_a_list_that_is_none_does_not_take_the_place_of_one_that_is(device: Device) -> None:
    device.turn()
    kept = device.home.tls().crl.read_bytes()
    device.lan.site.certificates.crl.write_text("junk")

    device.turn(days=1)

    assert device.home.tls().crl.read_bytes() == kept


def test_the_gateways_clock_is_asked_hourly_for_ours_may_stand_still(device: Device) -> None:
    for _ in range(121):
        device.turn()

    assert device.gateway.asked.count("clock") == 3


# When the authority is another


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The certificates that the gateway's server shows."""
    certificates: list[bytes] = []
    monkeypatch.setattr("device.root.shown", lambda _host, _port: certificates)
    return certificates


def test_a_device_that_the_broker_takes_no_more_asks_anew_when_the_authority_is_another(
    device: Device, shown: list[bytes]
) -> None:
    device.obtain()
    device.is_up = False

    device.turn()
    before = device.renewals
    device.turn()

    assert (before, device.renewals) == (0, 1)


def test_a_broker_that_is_away_is_no_reason_to_ask_anew(device: Device, shown: list[bytes]) -> None:
    device.obtain()
    _, issuing = load_pem_x509_certificates(device.files()[0])
    shown.append(issuing.public_bytes(Encoding.DER))
    device.is_up = False

    for _ in range(3):
        device.turn()

    assert device.renewals == 0


def test_another_authority_is_no_reason_while_the_broker_takes_the_certificate(
    device: Device, shown: list[bytes]
) -> None:
    device.obtain()

    for _ in range(3):
        device.turn()

    assert device.renewals == 0
