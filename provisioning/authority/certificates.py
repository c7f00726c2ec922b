"""
Certificates and revocation lists (RFC 5280), as this site makes them: a root, below it the authority that issues, below
that everyone. P-256 and ECDSA with SHA-256 throughout, and every extension that strict checkers want.

Pure: keys, names and the time are given.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import Certificate
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from msgspec import Struct

from chain.errors import Malformed

ROOT_DAYS = 20 * 365
ISSUING_DAYS = 5 * 365
LEAF_DAYS = 90
RENEW_DAYS = 60
"""The age at which a certificate is replaced: what fails then has a month to be put right."""

CRL_DAYS = 30
BACKDATED_DAYS = 365
"""A Raspberry Pi has no clock battery: after a power cut it may live months ago until it finds the time."""

LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""By what the gateway's own machine finds it."""

LONGEST_NAME = 64


@dataclass(frozen=True)
class Issuer:
    """A certificate that signs others, and its key."""

    certificate: Certificate
    key: EllipticCurvePrivateKey = field(repr=False)


class Request(Struct, frozen=True):
    """Who a signing request says it is from, and the key that signed it."""

    cn: str
    key: EllipticCurvePublicKey


def new_key() -> EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def make_root(key: EllipticCurvePrivateKey, name: str, now: datetime) -> Issuer:
    """The root of the site called `name`. The same key and name give a root that old certificates hold under, too."""
    subject = _subject(name, "Blockpost root")
    build = (
        _begun(subject, key.public_key())
        .issuer_name(subject)
        .not_valid_before(_whole(_backdated(now)))
        .not_valid_after(_whole(now + timedelta(days=ROOT_DAYS)))
        .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
        .add_extension(_USAGE_OF_AN_ISSUER, critical=True)
    )
    return Issuer(build.sign(key, SHA256()), key)


def make_issuing(root: Issuer, key: EllipticCurvePrivateKey, now: datetime) -> Issuer:
    """The authority below `root`. Its name has its key's hash in it: a revocation list is looked up by the name."""
    site = root.certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value
    hashed = x509.SubjectKeyIdentifier.from_public_key(key.public_key()).digest.hex()
    build = (
        _below(
            root, _subject(str(site), f"Blockpost issuing {hashed[:16]}"), key.public_key(), now, ISSUING_DAYS
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_USAGE_OF_AN_ISSUER, critical=True)
    )
    return Issuer(build.sign(root.key, SHA256()), key)


def server(issuer: Issuer, key: EllipticCurvePublicKey, hosts: Iterable[str], now: datetime) -> Certificate:
    """
    For the web server and the broker, found under `hosts` and on loopback.

    With the year that it is backdated it is valid for 455 days: Apple's systems take no more than 825 from a root that
    their owner installed.
    """
    site = issuer.certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value
    build = (
        _below(issuer, _subject(str(site), "Blockpost gateway"), key, now, LEAF_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_USAGE_OF_A_LEAF, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(_names(hosts)), critical=False)
    )
    return build.sign(issuer.key, SHA256())


def client(
    issuer: Issuer,
    key: EllipticCurvePublicKey,
    cn: str,
    now: datetime,
    *,
    lifetime: timedelta = timedelta(days=LEAF_DAYS),
) -> Certificate:
    """For a client of the broker, whose client id and user name `cn` is."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, cn)])
    build = (
        _below(issuer, subject, key, now, lifetime / timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_USAGE_OF_A_LEAF, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
    )
    return build.sign(issuer.key, SHA256())


def crl(
    issuer: Issuer, revoked: Iterable[tuple[int, datetime]], now: datetime, *, number: int
) -> x509.CertificateRevocationList:
    """The serial numbers in `revoked` hold no more, each since its time. A number of another issuer's does no harm."""
    build = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(_whole(max(_backdated(now), issuer.certificate.not_valid_before_utc)))
        .next_update(_whole(now + timedelta(days=CRL_DAYS)))
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(_authority_of(issuer), critical=False)
    )
    for serial, since in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(_whole(since))
        build = build.add_revoked_certificate(entry.build())
    return build.sign(issuer.key, SHA256())


def read_request(der: bytes) -> Request:
    """Raise `Malformed` for all but a request (RFC 2986) of one P-256 key, signed by it with SHA-256, with one CN."""
    try:
        request = x509.load_der_x509_csr(der)
        key, hashed, names = request.public_key(), request.signature_hash_algorithm, list(request.subject)
        holds = request.is_signature_valid
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        raise Malformed(f"certificate request: want PKCS#10 in DER ({error})") from error
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise Malformed("certificate request: want a P-256 key")
    if not isinstance(hashed, SHA256) or not holds:
        raise Malformed("certificate request: want it signed with its own key and SHA-256")
    if [name.oid for name in names] != [NameOID.COMMON_NAME] or not isinstance(names[0].value, str):
        raise Malformed("certificate request: want a subject of one common name")
    return Request(names[0].value, key)


def hosts_of(certificate: Certificate) -> set[str]:
    """What a server is found under."""
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {str(name.value) for name in names}


def names_for(hosts: Iterable[str]) -> set[str]:
    """What `hosts_of` will say of a server made for `hosts`."""
    return {str(name.value) for name in _names(hosts)}


def bundle(key: EllipticCurvePrivateKey, chain: Sequence[Certificate]) -> bytes:
    """One PEM file: the key in clear (PKCS#8), and the certificates from its own up to the root."""
    return private_pem(key) + pem(chain)


def pem(certificates: Iterable[Certificate]) -> bytes:
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


def private_pem(key: EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _subject(site: str, cn: str) -> x509.Name:
    # X.520 has 64 characters; the full name is in the chain.
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, site[:LONGEST_NAME]),
            x509.NameAttribute(NameOID.COMMON_NAME, cn),
        ]
    )


def _names(hosts: Iterable[str]) -> list[x509.GeneralName]:
    return [_name(host) for host in dict.fromkeys((*hosts, *LOOPBACK))]


def _name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host.rstrip(".").lower())


def _begun(subject: x509.Name, key: EllipticCurvePublicKey) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _below(
    issuer: Issuer, subject: x509.Name, key: EllipticCurvePublicKey, now: datetime, days: float
) -> x509.CertificateBuilder:
    """Nothing is valid before, or after, what it is signed by."""
    above = issuer.certificate
    return (
        _begun(subject, key)
        .issuer_name(above.subject)
        .not_valid_before(_whole(max(_backdated(now), above.not_valid_before_utc)))
        .not_valid_after(_whole(min(now + timedelta(days=days), above.not_valid_after_utc)))
        .add_extension(_authority_of(issuer), critical=False)
    )


def _authority_of(issuer: Issuer) -> x509.AuthorityKeyIdentifier:
    own = issuer.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own)


def _backdated(now: datetime) -> datetime:
    return now - timedelta(days=BACKDATED_DAYS)


def _whole(time: datetime) -> datetime:
    """X.509 counts whole seconds."""
    return time.replace(microsecond=0)


def _usage(*, leaf: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=leaf,
        key_cert_sign=not leaf,
        crl_sign=not leaf,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


_USAGE_OF_A_LEAF = _usage(leaf=True)
_USAGE_OF_AN_ISSUER = _usage(leaf=False)
