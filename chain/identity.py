"""
Public identities: the two keys of an account, their thumbprints, and the account id made of them.

Keys travel as JWKs (RFC 7517) with exactly the members that RFC 7638 hashes, so the
canonical JSON of a key *is* the input of its thumbprint.
"""

import base64
from functools import cached_property
from typing import Annotated, Literal

from msgspec import Meta, Struct

from chain.encoding import b64url, canonical, digest, unb64url
from chain.errors import Malformed

AccountId = Annotated[str, Meta(pattern=r"\A[a-z2-7]{26}\Z")]
"""Lowercase base32 of the first 16 bytes of the account's first signing-key thumbprint."""

GroupId = Annotated[str, Meta(pattern=r"\Ag-[a-z2-7]{26}\Z")]
PartyId = Annotated[str, Meta(pattern=r"\A(g-)?[a-z2-7]{26}\Z")]
"""An account or a group."""

Thumbprint = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{43}\Z")]
"""base64url of the SHA-256 of a JWK (RFC 7638)."""

RSA_BITS = range(2048, 8192 + 1)
RSA_EXPONENT = "AQAB"


class _Key(Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    @cached_property
    def thumbprint(self) -> str:
        return b64url(digest(canonical(self)))


class SigningKey(_Key, frozen=True):
    """An Ed25519 public key: `x` is its 32 bytes in base64url (RFC 8037)."""

    x: Thumbprint
    crv: Literal["Ed25519"] = "Ed25519"
    kty: Literal["OKP"] = "OKP"

    def __post_init__(self) -> None:
        unb64url(self.x, what="signing key")

    @cached_property
    def raw(self) -> bytes:
        return unb64url(self.x, what="signing key")


class SealingKey(_Key, frozen=True):
    """An RSA public key of 2048 bits or more; 3072 is what we make."""

    n: str
    e: Literal["AQAB"] = "AQAB"
    kty: Literal["RSA"] = "RSA"

    def __post_init__(self) -> None:
        modulus = unb64url(self.n, what="sealing key")
        bits = int.from_bytes(modulus, "big").bit_length()
        if bits not in RSA_BITS or modulus[0] == 0 or modulus[-1] % 2 == 0:
            raise Malformed(f"sealing key: want an RSA modulus of 2048 to 8192 bits, got {bits}")


def account_id(first_key: SigningKey) -> str:
    """The id is bound to the first key for ever: it stays when the keys rotate."""
    return base64.b32encode(digest(canonical(first_key))[:16]).decode("ascii").rstrip("=").lower()
