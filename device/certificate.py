"""
The account's TLS certificate: asked for with a new key, kept in one file with it, and renewed in good time.

Each certificate has a key of its own, which is written down together with it: whatever moment the power fails in, the
file holds a key and its certificate, of before or of now.
"""

import ssl

from Crypto.Hash import SHA256
from Crypto.PublicKey import ECC
from Crypto.PublicKey.ECC import EccKey

from chain import durable
from chain.api import CertificateRequest, Certified
from chain.encoding import b64url
from chain.errors import Unverified
from device import csr, root
from device.addressbook import Certificate, Membership
from device.client import Home
from device.crl import Crl
from device.document import locked
from device.rest import Gateway

LEAST_USED = 2 / 3
"""Of its life, when a certificate is renewed: a third is left for a gateway that is away, or a device that is."""

SPREAD = 1 / 18
"""Over how much of a certificate's life the devices of a building are spread: over five days of ninety."""


def obtain(home: Home, gateway: Gateway, membership: Membership) -> Certificate:
    """
    Get a certificate for the account, and keep it.

    Raises `Problem` where an admin is needed (`urn:blockpost:problem:expired`), `Unreachable`, `Malformed` or
    `Unverified`.
    """
    key = csr.make_key()
    certified = gateway.certify(CertificateRequest(b64url(csr.request(key, membership.account))))
    _check(certified, key, membership.pin)
    with locked(home.directory / ".tls.pem.lock"):
        _keep(home, certified, key)
    made = Certificate(issued=certified.issued, until=certified.until)
    home.book.set_certificate(made)
    return made


def due(certificate: Certificate | None, account: str) -> int:
    """From when on (ms) it is to be renewed: always the same time for one account, and another one for each."""
    if certificate is None:
        return 0
    share = int.from_bytes(SHA256.new(account.encode()).digest()[:4], "big") / 2**32
    life = certificate.until - certificate.issued
    return certificate.issued + round(life * (LEAST_USED + SPREAD * share))


def refresh_list(home: Home, gateway: Gateway) -> Crl:
    """Get the newest revocation list, and keep it."""
    text = gateway.revoked()
    listed = Crl.from_pem(text)
    with locked(home.directory / ".tls.pem.lock"):
        durable.write(home.tls().crl, text.encode())
    return listed


def authority(home: Home) -> bytes | None:
    """The certificate (DER) of whoever signed the account's; None if it has none."""
    own = home.tls().own
    if not own.exists():
        return None
    *_, last = own.read_text("ascii").rpartition(ssl.PEM_HEADER)
    return ssl.PEM_cert_to_DER_cert(ssl.PEM_HEADER + last)


def _check(certified: Certified, key: EccKey, pin: str) -> None:
    """What would not work is not kept in the place of what does."""
    # pycryptodome takes what follows the first certificate for a part of it.
    first, end, _ = certified.certificate.partition(ssl.PEM_FOOTER)
    try:
        fits = csr.public_info(ECC.import_key(first + end)) == csr.public_info(key)
    except (ValueError, IndexError, TypeError):  # pycryptodome's, for what is no certificate
        fits = False
    if not fits:
        raise Unverified("the certificate is not for the key that was asked for")
    if not root.is_named(certified.root.encode(), pin):
        raise Unverified("the certificate is not of the root that was joined")
    Crl.from_pem(certified.crl)


def _keep(home: Home, certified: Certified, key: EccKey) -> None:
    tls = home.tls()
    durable.write(tls.root, certified.root.encode())
    durable.write(tls.crl, certified.crl.encode())
    private = key.export_key(format="PEM", use_pkcs8=True)
    durable.write(tls.own, f"{private}\n{certified.certificate}".encode())
