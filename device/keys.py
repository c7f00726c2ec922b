"""
The private halves of an account's two key pairs: they sign and open, and never show themselves.

Outside memory they are private JWKs (RFC 7517, 8037, 7518 section 6.3.2), and nothing but the
key file and the owner's wrapped backup ever holds one. pycryptodome's own keys print their secrets
in their `repr`, so they stay inside these classes, which do not.
"""

import os
from typing import Literal, Self

from Crypto.PublicKey import RSA
from Crypto.PublicKey.RSA import RsaKey
from Crypto.Signature import eddsa
from msgspec import Struct

from chain.encoding import b64url, unb64url, unb64url_hash
from chain.errors import Malformed
from chain.identity import SealingKey, SigningKey, Thumbprint
from device import oaep

NEW_RSA_BITS = 3072


class _Private(Struct, frozen=True, forbid_unknown_fields=True):
    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return []


class SigningJwk(_Private, frozen=True):
    """An Ed25519 private key (RFC 8037): `d` is its seed."""

    d: str
    kid: Thumbprint
    x: Thumbprint
    alg: Literal["Ed25519"] = "Ed25519"
    crv: Literal["Ed25519"] = "Ed25519"
    kty: Literal["OKP"] = "OKP"
    use: Literal["sig"] = "sig"


class SealingJwk(_Private, frozen=True):
    """An RSA private key (RFC 7518 section 6.3.2)."""

    d: str
    dp: str
    dq: str
    kid: Thumbprint
    n: str
    p: str
    q: str
    qi: str
    alg: Literal["RSA-OAEP-256"] = "RSA-OAEP-256"
    e: Literal["AQAB"] = "AQAB"
    kty: Literal["RSA"] = "RSA"
    use: Literal["enc"] = "enc"


class SigningSecret:
    """An Ed25519 private key."""

    __slots__ = ("_key", "_scheme", "public")

    def __init__(self, seed: bytes) -> None:
        self._key = eddsa.import_private_key(seed)
        # Made once: it works out the public key for itself, which takes half as long as a signature.
        self._scheme = eddsa.new(self._key, "rfc8032")
        self.public = SigningKey(x=b64url(self._key.public_key().export_key(format="raw")))

    @classmethod
    def make(cls) -> Self:
        return cls(os.urandom(32))

    @classmethod
    def from_jwk(cls, jwk: SigningJwk) -> Self:
        """Raise `Malformed` unless every member follows from the seed."""
        secret = cls(unb64url_hash(jwk.d, what="signing key: d"))
        if secret.to_jwk() != jwk:
            raise Malformed("signing key: its members are not of one key")
        return secret

    def to_jwk(self) -> SigningJwk:
        return SigningJwk(d=b64url(self._key.seed), kid=self.public.thumbprint, x=self.public.x)

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature of RFC 8032; a `chain.ed25519.Signer`."""
        return self._scheme.sign(message)


class SealingSecret:
    """An RSA private key: it opens what is sealed for its owner."""

    __slots__ = ("_key", "public")

    def __init__(self, key: RsaKey) -> None:
        """Raise `Malformed` for a key of less than 2048 bits."""
        self._key = key
        self.public = SealingKey(n=_uint(key.n))

    @classmethod
    def make(cls) -> Self:
        """Two to ten seconds of work, on a Pi more."""
        return cls(RSA.generate(NEW_RSA_BITS))

    @classmethod
    def from_jwk(cls, jwk: SealingJwk) -> Self:
        """Raise `Malformed` unless its numbers make one key of 2048 bits or more."""
        n, d, p, q = (
            int.from_bytes(unb64url(text, what="sealing key"), "big") for text in (jwk.n, jwk.d, jwk.p, jwk.q)
        )
        try:
            key = RSA.construct((n, oaep.EXPONENT, d, p, q))
        except (ValueError, ZeroDivisionError) as error:
            raise Malformed("sealing key: its numbers make no RSA key") from error
        secret = cls(key)
        if secret.to_jwk() != jwk:
            raise Malformed("sealing key: its members are not of one key")
        return secret

    def to_jwk(self) -> SealingJwk:
        key = self._key
        return SealingJwk(
            d=_uint(key.d),
            dp=_uint(key.dp),
            dq=_uint(key.dq),
            kid=self.public.thumbprint,
            n=self.public.n,
            p=_uint(key.p),
            q=_uint(key.q),
            qi=_uint(key.invq),
        )

    def unwrap(self, encrypted_key: bytes) -> bytes:
        """Return the 32-byte content key, or a random one if there is none (see `oaep.unwrap`)."""
        return oaep.unwrap(encrypted_key, self._key, os.urandom)


def _uint(number: int) -> str:
    """Base64urlUInt: big-endian, no leading zero byte (RFC 7518 section 2)."""
    return b64url(number.to_bytes((number.bit_length() + 7) // 8, "big"))
