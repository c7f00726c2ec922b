"""
A certificate request (PKCS#10, RFC 2986): this account's name, the public half of a new TLS key, and its signature.

Only what a gateway's authority asks for: a P-256 key, one CN, no attributes. The private half never leaves the home.
"""

from Crypto.Hash import SHA256
from Crypto.PublicKey import ECC
from Crypto.PublicKey.ECC import EccKey
from Crypto.Signature import DSS
from Crypto.Util.asn1 import DerBitString, DerObject, DerObjectId, DerSequence, DerSetOf

CURVE = "P-256"
COMMON_NAME = DerObjectId("2.5.4.3")
ECDSA_WITH_SHA256 = DerObjectId("1.2.840.10045.4.3.2")
UTF8_STRING = 0x0C

NO_ATTRIBUTES = b"\xa0\x00"
"""`attributes [0]`, which RFC 2986 section 4.1 wants even where there are none."""

VERSION = 0


def make_key() -> EccKey:
    """A new private TLS key."""
    return ECC.generate(curve=CURVE)


def request(key: EccKey, account: str) -> bytes:
    """The request in DER."""
    name = DerSequence([COMMON_NAME.encode(), DerObject(UTF8_STRING, account.encode()).encode()])
    subject = DerSequence([DerSetOf([name.encode()]).encode()])
    info = DerSequence([VERSION, subject.encode(), public_info(key), NO_ATTRIBUTES]).encode()
    signature = DSS.new(key, "fips-186-3", encoding="der").sign(SHA256.new(info))
    algorithm = DerSequence([ECDSA_WITH_SHA256.encode()])
    return DerSequence([info, algorithm.encode(), DerBitString(signature).encode()]).encode()


def public_info(key: EccKey) -> bytes:
    """The SubjectPublicKeyInfo of the key's public half, in DER (RFC 5280 section 4.1.2.7)."""
    made: bytes = key.public_key().export_key(format="DER", compress=False)
    return made
