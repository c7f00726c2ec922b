"""Compact JWS (RFC 7515) with the one algorithm permitted here, Ed25519 (RFC 9864)."""

from functools import lru_cache
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from chain import ed25519
from chain.encoding import b64url, canonical, read_canonical, unb64url
from chain.errors import Malformed, Unverified
from chain.identity import SigningKey, Thumbprint

PARTS = 3
"""header.payload.signature"""


class Header(Struct, frozen=True, forbid_unknown_fields=True):
    """`kid` is the thumbprint of the signer's key; `typ` keeps one kind of statement from passing as another."""

    kid: Thumbprint
    typ: Annotated[str, Meta(max_length=40)]
    alg: Literal["Ed25519"] = "Ed25519"


_decoder = msgspec.json.Decoder(Header)


class Jws(Struct, frozen=True):
    """A parsed, not yet verified, JWS. `signed` is the ASCII input of the signature."""

    header: Header
    payload: bytes
    signed: bytes
    signature: bytes

    def verify(self, key: SigningKey) -> None:
        """Raise `Unverified` unless `key` made the signature and the header names it."""
        if self.header.kid != key.thumbprint:
            raise Unverified(f"{self.header.typ}: signed with {self.header.kid}, not with {key.thumbprint}")
        ed25519.verify(key.raw, self.signature, self.signed, what=self.header.typ)


def sign(payload: bytes, *, typ: str, kid: str, signer: ed25519.Signer) -> bytes:
    """Return `header.payload.signature` in base64url, as ASCII bytes."""
    header = canonical(Header(kid=kid, typ=typ))
    signed = f"{b64url(header)}.{b64url(payload)}".encode("ascii")
    return signed + b"." + b64url(signer(signed)).encode("ascii")


def parse(text: bytes, *, typ: str) -> Jws:
    """Read a JWS of the given type; raise `Malformed`. The signature is not checked here."""
    try:
        parts = text.decode("ascii").split(".")
    except UnicodeDecodeError as error:
        raise Malformed(f"{typ}: not ASCII") from error
    if len(parts) != PARTS:
        raise Malformed(f"{typ}: want {PARTS} parts of a compact JWS, got {len(parts)}")
    header_text, payload_text, signature_text = parts
    header = _header(header_text)
    if header.typ != typ:
        raise Malformed(f"JWS: want typ {typ!r}, got {header.typ[:40]!r}")
    signature = unb64url(signature_text, what="JWS signature")
    if len(signature) != ed25519.SIGNATURE_BYTES:
        raise Malformed(f"JWS signature: want {ed25519.SIGNATURE_BYTES} bytes, got {len(signature)}")
    payload = unb64url(payload_text, what="JWS payload")
    return Jws(header=header, payload=payload, signed=text[: -len(signature_text) - 1], signature=signature)


@lru_cache(maxsize=4096)
def _header(text: str) -> Header:
    # All that one key signs begins with the same header.
    return read_canonical(_decoder, unb64url(text, what="JWS header"), what="JWS header")
