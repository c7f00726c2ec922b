"""`device.tls`: the gateway's root is believed, and nobody else; what is refused is said in words that help."""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import (
    Certificate,
    CertificateRevocationListBuilder,
    RevokedCertificateBuilder,
    load_pem_x509_certificates,
)

from device.errors import BadDocument, BadKeys, Insecure, Unreachable
from device.rest import Gateway
from device.tls import Tls
from gateway.tls import Files
from tests.certificates import Pki, in_days, signed
from tests.tls_server import Recorder, recording

ACCOUNT = "a2" * 13
NOON = datetime(2031, 5, 6, 12, tzinfo=UTC).timestamp()


class Site:
    """A server with certificates, and the home of a device that joined it."""

    def __init__(self, folder: Path) -> None:
        self.files = Files(folder / "tls")
        self.pki = Pki(self.files, ACCOUNT)
        self.home = folder / "home"
        self.home.mkdir(mode=0o700)
        self.tls = Tls(self.home)
        self.tls.root.write_bytes(self.pki.root.pem)

    def trusts_list_of(self, pki: Pki, *revoked: Certificate, since: float = -1, until: float = 30) -> None:
        """Keep a revocation list in the home."""
        builder = CertificateRevocationListBuilder().issuer_name(pki.issuing.certificate.subject)
        builder = builder.last_update(in_days(since)).next_update(in_days(until))
        for each in revoked:
            made = RevokedCertificateBuilder().serial_number(each.serial_number)
            builder = builder.add_revoked_certificate(made.revocation_date(in_days(since)).build())
        self.tls.crl.write_bytes(builder.sign(pki.issuing.key, hashes.SHA256()).public_bytes(Encoding.PEM))

    def served(self) -> Certificate:
        return load_pem_x509_certificates(self.files.server.read_bytes())[0]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.fixture
def server(site: Site) -> Iterator[Recorder]:
    with recording(site.files.server) as server:
        server.answer = msgspec.json.encode({"friends": []})
        yield server


def gateway(site: Site, server: Recorder, host: str = "127.0.0.1", tls: Tls | None = None) -> Gateway:
    return Gateway(host, server.port, tls=tls or site.tls)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_gateway_is_asked_by_each_name_that_its_certificate_has(
    site: Site, server: Recorder, host: str
) -> None:
    assert gateway(site, server, host).friends() == []

    assert server.told()[0].startswith(b"POST /friendslist HTTP/1.1")


def test_a_new_certificate_of_the_gateway_needs_nothing_from_the_device(site: Site, server: Recorder) -> None:
    asked = gateway(site, server)
    asked.friends()
    asked._pool.clear()

    site.pki.serve((), until=in_days(60))

    assert asked.friends() == []


def test_another_authoritys_gateway_is_told_nothing(site: Site, server: Recorder, tmp_path: Path) -> None:
    files = Files(tmp_path / "other")
    Pki(files, ACCOUNT)
    server.pem = files.server

    with pytest.raises(Insecure, match="it is not the gateway that was joined"):
        gateway(site, server).friends()

    assert server.told() == []


def test_what_the_machine_believes_plays_no_part(
    site: Site, server: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = Files(tmp_path / "other")
    other = Pki(files, ACCOUNT)
    (tmp_path / "store.pem").write_bytes(other.root.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "store.pem"))
    server.pem = files.server

    with pytest.raises(Insecure):
        gateway(site, server).friends()

    assert server.told() == []


def test_a_certificate_for_other_names_is_told_with_them(site: Site, server: Recorder) -> None:
    made = signed("gateway", site.pki.issuing, until=in_days(60), hosts=("ward-3.local", "192.0.2.7"))
    server.pem.write_bytes(made.key_pem + made.pem + site.pki.issuing.pem)

    with pytest.raises(Insecure, match=r"its certificate is for other names: ward-3\.local, 192\.0\.2\.7$"):
        gateway(site, server).friends()

    assert server.told() == []


def test_an_expired_certificate_is_told_with_this_machines_time(site: Site, server: Recorder) -> None:
    site.pki.serve((), until=in_days(-1))
    asked = gateway(site, server, tls=Tls(site.home, lambda: NOON))

    with pytest.raises(
        Insecure, match="has expired by this machine's clock, which says 2031-05-06 12:00 UTC"
    ):
        asked.friends()


def test_one_that_is_not_valid_yet_is_told_with_this_machines_time(site: Site) -> None:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = 9, "certificate is not yet valid"

    refused = Tls(site.home, lambda: NOON).refused(error, "gateway.local", 8443)

    assert isinstance(refused, Insecure)
    assert "not valid yet by this machine's clock, which says 2031-05-06 12:00 UTC" in str(refused)


def test_a_gateway_that_turns_us_away_is_not_called_insecure(site: Site) -> None:
    error = ssl.SSLError(1, "sslv3 alert certificate expired")
    error.reason = "SSLV3_ALERT_CERTIFICATE_EXPIRED"

    refused = site.tls.refused(error, "gateway.local", 8883)

    assert not isinstance(refused, Insecure)
    assert "turns this device away (SSLV3_ALERT_CERTIFICATE_EXPIRED)" in str(refused)


def test_where_nobody_listens_nothing_is_insecure(site: Site) -> None:
    with pytest.raises(Unreachable) as error:
        Gateway("127.0.0.1", 1, tls=site.tls).friends()

    assert not isinstance(error.value, Insecure)


def test_old_tls_is_not_spoken(site: Site) -> None:
    assert site.tls.context().minimum_version == ssl.TLSVersion.TLSv1_2


# The revocation list


def test_a_certificate_that_was_revoked_is_refused(site: Site, server: Recorder) -> None:
    site.trusts_list_of(site.pki, site.served())

    with pytest.raises(Insecure, match="certificate was revoked"):
        gateway(site, server).friends()

    assert server.told() == []


def test_a_list_that_comes_while_it_asks_is_used_from_then_on(site: Site, server: Recorder) -> None:
    asked = gateway(site, server)
    asked.friends()

    site.trusts_list_of(site.pki, site.served())

    with pytest.raises(Insecure, match="certificate was revoked"):
        asked.friends()


@pytest.mark.parametrize(
    ("since", "until"), [(-60, -30), (10, 40)], ids=["not any more", "not yet, by a clock that stood still"]
)
def test_a_list_that_is_not_in_force_locks_nobody_out(
    site: Site, server: Recorder, since: float, until: float
) -> None:
    site.trusts_list_of(site.pki, since=since, until=until)

    assert gateway(site, server).friends() == []


def test_another_authoritys_list_locks_nobody_out(site: Site, server: Recorder, tmp_path: Path) -> None:
    site.trusts_list_of(Pki(Files(tmp_path / "other"), ACCOUNT))

    assert gateway(site, server).friends() == []


def test_after_a_list_that_did_not_fit_the_next_one_is_used(
    site: Site, server: Recorder, tmp_path: Path
) -> None:
    site.trusts_list_of(Pki(Files(tmp_path / "other"), ACCOUNT))
    asked = gateway(site, server)
    asked.friends()

    site.trusts_list_of(site.pki, site.served())

    with pytest.raises(Insecure, match="certificate was revoked"):
        asked.friends()


@pytest.mark.parametrize("junk", [b"", b"\xff", b"-----BEGIN X509 CRL-----\n"])
def test_a_list_that_is_none_locks_nobody_out(site: Site, server: Recorder, junk: bytes) -> None:
    site.tls.crl.write_bytes(junk)

    assert gateway(site, server).friends() == []


# Its own files


@pytest.mark.parametrize("data", [b"", b"junk", b"\xff"])
def test_a_root_that_is_none_is_named(site: Site, data: bytes) -> None:
    site.tls.root.write_bytes(data)

    with pytest.raises(BadDocument, match="certificates cannot be used"):
        site.tls.context()


def test_a_key_that_others_may_read_is_not_used(site: Site) -> None:
    site.tls.own.write_bytes(site.files.web.read_bytes())
    site.tls.own.chmod(0o640)

    with pytest.raises(BadKeys, match=r"tls\.pem: a private key that others can reach \(mode 0640\)"):
        site.tls.context(own=True)


def test_a_missing_certificate_is_named(site: Site) -> None:
    with pytest.raises(BadDocument, match=r"tls\.pem"):
        site.tls.context(own=True)


def test_a_file_that_is_replaced_gives_another_context(site: Site) -> None:
    before = site.tls.trusts()
    scratch = site.home / "scratch"
    scratch.write_bytes(site.tls.root.read_bytes())
    scratch.replace(site.tls.root)

    assert site.tls.trusts() != before
