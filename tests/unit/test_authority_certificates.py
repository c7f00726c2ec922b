"""The certificates, held against OpenSSL's command line and against handshakes as strict as they come."""

import ipaddress
import ssl
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from chain.errors import Malformed
from provisioning.authority import certificates
from provisioning.authority.certificates import Issuer, bundle, new_key, pem
from tests.authority import csr

NOW = datetime.now(UTC)
ACCOUNT = "a" * 26
HOSTS = ("gateway.local", "192.0.2.7", "2001:db8::7")
REQUEST = csr(ACCOUNT, new_key())


@dataclass
class Party:
    """A file with a key and its certificates, and what is in it."""

    path: Path
    certificate: x509.Certificate


class Ward:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = certificates.make_root(new_key(), "ward7.example", NOW)
        self.issuing = certificates.make_issuing(self.root, new_key(), NOW)
        self.anchor = folder / "root.crt"
        self.anchor.write_bytes(pem([self.root.certificate]))
        self.server = self._party("server", lambda key: certificates.server(self.issuing, key, HOSTS, NOW))
        self.client = self._party("client", lambda key: certificates.client(self.issuing, key, ACCOUNT, NOW))

    def _party(self, name: str, sign: Callable[[ec.EllipticCurvePublicKey], x509.Certificate]) -> Party:
        key = new_key()
        made = sign(key.public_key())
        path = self.folder / f"{name}.pem"
        path.write_bytes(bundle(key, [made, self.issuing.certificate, self.root.certificate]))
        return Party(path, made)

    def crl(self, *revoked: int) -> Path:
        made = certificates.crl(self.issuing, [(serial, NOW) for serial in revoked], NOW, number=7)
        path = self.folder / "crl.pem"
        path.write_bytes(made.public_bytes(Encoding.PEM))
        return path


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Ward:
    return Ward(tmp_path_factory.mktemp("ward"))


def openssl(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True, check=False)


def verified(ward: Ward, party: Party, *words: str | Path) -> subprocess.CompletedProcess[str]:
    alone = ward.folder / "alone.crt"
    alone.write_bytes(pem([party.certificate]))
    issuing = ward.folder / "issuing.crt"
    issuing.write_bytes(pem([ward.issuing.certificate]))
    return openssl("verify", "-x509_strict", "-CAfile", ward.anchor, "-untrusted", issuing, *words, alone)


@pytest.mark.parametrize(("name", "purpose"), [("server", "sslserver"), ("client", "sslclient")])
def test_openssl_finds_them_strictly_right_for_their_purpose(ward: Ward, name: str, purpose: str) -> None:
    done = verified(ward, getattr(ward, name), "-purpose", purpose)

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("name", "purpose"), [("server", "sslclient"), ("client", "sslserver")])
def test_they_are_good_for_nothing_else(ward: Ward, name: str, purpose: str) -> None:
    done = verified(ward, getattr(ward, name), "-purpose", purpose)

    assert done.returncode != 0
    assert "unsuitable certificate purpose" in done.stderr


def test_openssl_verifies_the_crl(ward: Ward) -> None:
    issuing = ward.folder / "issuing.crt"
    issuing.write_bytes(pem([ward.issuing.certificate, ward.root.certificate]))

    done = openssl("crl", "-in", ward.crl(5), "-CAfile", issuing, "-noout", "-nextupdate")

    assert "verify OK" in done.stderr
    assert done.stdout.startswith("nextUpdate=")


def test_what_is_on_the_crl_is_refused_and_nothing_else(ward: Ward) -> None:
    crl = ward.crl(ward.client.certificate.serial_number)

    refused = verified(ward, ward.client, "-crl_check", "-CRLfile", crl)
    kept = verified(ward, ward.server, "-crl_check", "-CRLfile", crl)

    assert "certificate revoked" in refused.stderr
    assert kept.returncode == 0, kept.stderr


def context(ward: Ward, own: Party | None, *, server: bool) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    made.load_verify_locations(ward.anchor)
    made.verify_mode = ssl.CERT_REQUIRED
    made.verify_flags |= ssl.VERIFY_X509_STRICT
    if own is not None:
        made.load_cert_chain(own.path)
    return made


def shake_hands(ward: Ward, host: str, *, showing: str | None = "client") -> str:
    """Do a handshake on both sides, and return what the server has for the client's common name."""
    ends = [(ssl.MemoryBIO(), ssl.MemoryBIO())]
    (up, down) = ends[0]
    own = getattr(ward, showing) if showing else None
    client = context(ward, own, server=False).wrap_bio(down, up, server_hostname=host)
    server = context(ward, ward.server, server=True).wrap_bio(up, down, server_side=True)
    waiting = [client, server]
    while waiting:
        for side in list(waiting):
            try:
                side.do_handshake()
                waiting.remove(side)
            except ssl.SSLWantReadError:
                continue
    shown = server.getpeercert()
    assert shown is not None
    subject = shown["subject"]
    assert isinstance(subject, tuple)
    return dict(pair[0] for pair in subject)["commonName"]  # type: ignore[misc]


@pytest.mark.parametrize("host", [*HOSTS, "localhost", "127.0.0.1", "::1"])
def test_a_strict_handshake_succeeds_under_every_name(ward: Ward, host: str) -> None:
    assert shake_hands(ward, host) == ACCOUNT


@pytest.mark.parametrize("host", ["other.local", "192.0.2.8"])
def test_no_other_name_is_believed(ward: Ward, host: str) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match=r"(?i)mismatch|not valid for"):
        shake_hands(ward, host)


@pytest.mark.parametrize("showing", [None, "server"])
def test_who_shows_no_clients_certificate_does_not_come_in(ward: Ward, showing: str | None) -> None:
    with pytest.raises(ssl.SSLError):
        shake_hands(ward, "localhost", showing=showing)


def test_another_sites_client_does_not_come_in(ward: Ward, tmp_path: Path) -> None:
    other = Ward(tmp_path)
    ours = ward.client
    try:
        ward.client = other.client
        with pytest.raises(ssl.SSLError):
            shake_hands(ward, "localhost")
    finally:
        ward.client = ours


def test_an_account_signs_nothing_that_is_believed(ward: Ward, tmp_path: Path) -> None:
    """A client that tries to be an authority."""
    key = new_key()
    made = certificates.client(ward.issuing, key.public_key(), ACCOUNT, NOW)
    forged = certificates.client(Issuer(made, key), new_key().public_key(), "b" * 26, NOW)
    (tmp_path / "chain.crt").write_bytes(pem([made, ward.issuing.certificate]))
    (tmp_path / "forged.crt").write_bytes(pem([forged]))

    done = openssl(
        "verify", "-CAfile", ward.anchor, "-untrusted", tmp_path / "chain.crt", tmp_path / "forged.crt"
    )

    assert done.returncode != 0


def test_the_issuing_authority_makes_no_other_authority(ward: Ward, tmp_path: Path) -> None:
    second = certificates.make_issuing(ward.issuing, new_key(), NOW)
    leaf = certificates.client(second, new_key().public_key(), ACCOUNT, NOW)
    (tmp_path / "chain.crt").write_bytes(pem([second.certificate, ward.issuing.certificate]))
    (tmp_path / "leaf.crt").write_bytes(pem([leaf]))

    done = openssl(
        "verify", "-CAfile", ward.anchor, "-untrusted", tmp_path / "chain.crt", tmp_path / "leaf.crt"
    )

    assert "path length constraint exceeded" in done.stderr


def test_they_last_as_long_as_they_should(ward: Ward) -> None:
    def days(certificate: x509.Certificate) -> int:
        return (certificate.not_valid_after_utc - NOW + timedelta(seconds=1)).days

    assert days(ward.root.certificate) == 20 * 365
    assert days(ward.issuing.certificate) == 5 * 365
    assert days(ward.server.certificate) == days(ward.client.certificate) == 90


def test_a_pi_that_lives_eleven_months_ago_accepts_them(ward: Ward) -> None:
    then = NOW - timedelta(days=330)

    done = verified(ward, ward.server, "-attime", str(int(then.timestamp())))

    assert done.returncode == 0, done.stderr


@given(st.floats(0, 20 * 365 - 1))
def test_nothing_is_valid_before_or_after_what_it_is_signed_by(days: float) -> None:
    root = certificates.make_root(ROOT_KEY, "ward7.example", NOW)
    issuing = certificates.make_issuing(root, ISSUING_KEY, NOW + timedelta(days=days))
    leaf = certificates.client(issuing, ROOT_KEY.public_key(), ACCOUNT, NOW + timedelta(days=days))

    chain = [each.not_valid_before_utc for each in (root.certificate, issuing.certificate, leaf)]
    ends = [each.not_valid_after_utc for each in (leaf, issuing.certificate, root.certificate)]

    assert chain == sorted(chain)
    assert ends == sorted(ends)


ROOT_KEY, ISSUING_KEY = new_key(), new_key()


def test_no_two_have_the_same_serial_number() -> None:
    issuer = certificates.make_root(ROOT_KEY, "ward7.example", NOW)
    made = [certificates.client(issuer, ROOT_KEY.public_key(), ACCOUNT, NOW) for _ in range(20)]

    assert len({each.serial_number for each in made}) == 20


def test_two_authorities_of_one_site_have_different_names() -> None:
    """Whose list of revoked ones it is shows by the name."""
    root = certificates.make_root(ROOT_KEY, "ward7.example", NOW)
    one, other = (certificates.make_issuing(root, new_key(), NOW).certificate for _ in range(2))

    assert one.subject != other.subject


def test_a_site_with_a_long_name_has_certificates() -> None:
    root = certificates.make_root(ROOT_KEY, "w" * 80, NOW)

    assert certificates.make_issuing(root, ISSUING_KEY, NOW).certificate.issuer == root.certificate.subject


def test_what_a_server_is_found_under_can_be_read_back() -> None:
    root = certificates.make_root(ROOT_KEY, "ward7.example", NOW)
    made = certificates.server(root, ISSUING_KEY.public_key(), ["Gateway.Local.", "2001:DB8::7", "::1"], NOW)

    assert certificates.hosts_of(made) == certificates.names_for(["gateway.local", "2001:db8::7"])
    assert certificates.hosts_of(made) == {
        "gateway.local",
        str(ipaddress.ip_address("2001:db8::7")),
        *certificates.LOOPBACK,
    }


def test_no_key_shows_in_a_repr() -> None:
    assert "key" not in repr(certificates.make_root(ROOT_KEY, "ward7.example", NOW)).lower()


def test_a_request_is_read() -> None:
    key = new_key()

    request = certificates.read_request(csr(ACCOUNT, key))

    assert (request.cn, request.key) == (ACCOUNT, key.public_key())


def signed_by(
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey,
    hashed: SHA256 | SHA384 | None,
    *names: tuple[x509.ObjectIdentifier, str],
) -> bytes:
    subject = x509.Name([x509.NameAttribute(oid, value) for oid, value in names])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashed)
    return made.public_bytes(Encoding.DER)


CN = (NameOID.COMMON_NAME, ACCOUNT)


@pytest.mark.parametrize(
    ("der", "wanted"),
    [
        (signed_by(ec.generate_private_key(ec.SECP384R1()), SHA256(), CN), "P-256"),
        (signed_by(ec.generate_private_key(ec.SECP256K1()), SHA256(), CN), "P-256"),
        (signed_by(rsa.generate_private_key(65537, 2048), SHA256(), CN), "P-256"),
        (signed_by(ed25519.Ed25519PrivateKey.generate(), None, CN), "P-256"),
        (signed_by(new_key(), SHA384(), CN), "SHA-256"),
        (signed_by(new_key(), SHA256(), CN, (NameOID.COMMON_NAME, "b" * 26)), "one common name"),
        (signed_by(new_key(), SHA256(), (NameOID.ORGANIZATION_NAME, ACCOUNT)), "one common name"),
        (signed_by(new_key(), SHA256()), "one common name"),
        (b"", "PKCS#10"),
    ],
)
def test_another_request_is_refused(der: bytes, wanted: str) -> None:
    with pytest.raises(Malformed, match=wanted):
        certificates.read_request(der)


@given(st.integers(0, len(REQUEST) * 8 - 1))
def test_one_flipped_bit_of_a_request_is_found_or_says_the_same(place: int) -> None:
    """That the signature's last bit does not count, say, changes nobody's name or key."""
    der = bytearray(REQUEST)
    der[place // 8] ^= 1 << place % 8
    try:
        request = certificates.read_request(bytes(der))
    except Malformed:
        return
    assert request == certificates.read_request(REQUEST)


@given(st.binary(max_size=300) | st.integers(0, len(REQUEST)).map(lambda size: REQUEST[:size]))
def test_any_bytes_are_a_request_or_malformed(der: bytes) -> None:
    try:
        certificates.read_request(der)
    except Malformed:
        return
    assert der == REQUEST
