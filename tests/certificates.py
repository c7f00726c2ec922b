"""The certificates of a LAN, made by hand: what the gateway's own processes read, without an authority that runs."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import NamedTuple

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import (
    AuthorityKeyIdentifier,
    BasicConstraints,
    Certificate,
    CertificateBuilder,
    CertificateRevocationListBuilder,
    CertificateSigningRequestBuilder,
    DNSName,
    ExtendedKeyUsage,
    IPAddress,
    KeyUsage,
    Name,
    NameAttribute,
    SubjectAlternativeName,
    SubjectKeyIdentifier,
    random_serial_number,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from chain import durable
from chain.encoding import b64url
from gateway.tls import Files

YEAR = timedelta(days=365)
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Signed(NamedTuple):
    certificate: Certificate
    key: EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


class Pki:
    """A root, an issuing authority below it, and what they sign into the directory of `files`."""

    def __init__(self, files: Files, account: str, hosts: Sequence[str] = ()) -> None:
        files.directory.mkdir(mode=0o700, exist_ok=True)
        self._files = files
        self.root = signed("Blockpost root", until=in_days(3650), authority=True)
        self.issuing = signed("Blockpost issuing", self.root, until=in_days(1825), authority=True)
        durable.write(files.root, self.root.pem)
        durable.write(files.issuing, self.issuing.pem)
        self.serve(hosts, until=in_days(90))
        for path, name in ((files.committer, account), (files.web, f"{account}.web")):
            client = signed(name, self.issuing, until=in_days(90))
            durable.write(path, client.key_pem + client.pem + self.issuing.pem, mode=0o600)
        self.revoke(until=in_days(30))

    def serve(self, hosts: Sequence[str], *, until: datetime) -> Certificate:
        """A new certificate for the server."""
        made = signed("gateway", self.issuing, until=until, hosts=(*hosts, *LOOPBACK))
        chain = made.key_pem + made.pem + self.issuing.pem + self.root.pem
        durable.write(self._files.server, chain, mode=0o600)
        return made.certificate

    def revoke(self, *, until: datetime) -> None:
        """A new list of revoked certificates, with none in it."""
        made = (
            CertificateRevocationListBuilder()
            .issuer_name(self.issuing.certificate.subject)
            .last_update(until - YEAR)
            .next_update(until)
            .sign(self.issuing.key, hashes.SHA256())
        )
        durable.write(self._files.crl, made.public_bytes(Encoding.PEM))


def signed(
    name: str,
    by: Signed | None = None,
    *,
    until: datetime,
    authority: bool = False,
    hosts: Sequence[str] = (),
) -> Signed:
    key = generate_private_key(SECP256R1())
    issuer = key if by is None else by.key
    subject = named(name)
    builder = (
        CertificateBuilder(serial_number=random_serial_number())
        .subject_name(subject)
        .issuer_name(subject if by is None else by.certificate.subject)
        .public_key(key.public_key())
        .not_valid_before(min(until, in_days(0)) - YEAR)
        .not_valid_after(until)
        .add_extension(BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key()), critical=False)
        .add_extension(_usage(authority=authority), critical=True)
    )
    if not authority:
        both = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = builder.add_extension(ExtendedKeyUsage(both), critical=False)
    if hosts:
        names = SubjectAlternativeName(list(map(_alternative, hosts)))
        builder = builder.add_extension(names, critical=False)
    return Signed(builder.sign(issuer, hashes.SHA256()), key)


def request(account: str) -> str:
    """What a device asks with (`api.CertificateRequest.csr`)."""
    builder = CertificateSigningRequestBuilder().subject_name(named(account))
    made = builder.sign(generate_private_key(SECP256R1()), hashes.SHA256())
    return b64url(made.public_bytes(Encoding.DER))


def named(name: str) -> Name:
    return Name([NameAttribute(NameOID.COMMON_NAME, name)])


def in_days(days: float) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(days=days)


def _usage(*, authority: bool) -> KeyUsage:
    return KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative(host: str) -> DNSName | IPAddress:
    try:
        return IPAddress(ip_address(host))
    except ValueError:
        return DNSName(host)
