"""The two spellings everything here is written in: base64url without padding, and canonical JSON."""

import binascii
import math
from hashlib import sha256
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from chain.errors import Malformed

T = TypeVar("T")

HASH_BYTES = 32

Bytes32 = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]\Z")]
"""32 bytes in base64url. Two bits of the last character are left over: with them set, it is another spelling."""

_encoder = msgspec.json.Encoder(order="sorted")

_TO_URL = bytes.maketrans(b"+/", b"-_")


def b64url(data: bytes) -> str:
    """RFC 4648 section 5 without padding (RFC 7515 section 2)."""
    return binascii.b2a_base64(data, newline=False).rstrip(b"=").translate(_TO_URL).decode("ascii")


def unb64url(text: str, *, what: str = "value") -> bytes:
    """Read what `b64url` wrote; any other spelling of the same bytes is `Malformed`."""
    try:
        # Several times as fast as `binascii`; what is of the other alphabet is found below.
        padded = text.replace("-", "+").replace("_", "/") + "=="[: -len(text) % 4]
        data = msgspec.convert(padded, bytes)
    except (msgspec.ValidationError, UnicodeError) as error:
        raise Malformed(f"{what}: not base64url") from error
    if b64url(data) != text:
        raise Malformed(f"{what}: not base64url in its one permitted spelling")
    return data


def unb64url_hash(text: str, *, what: str) -> bytes:
    """Read 32 bytes of base64url."""
    data = unb64url(text, what=what)
    if len(data) != HASH_BYTES:
        raise Malformed(f"{what}: want {HASH_BYTES} bytes, got {len(data)}")
    return data


def canonical(value: Any) -> bytes:
    """
    RFC 8785 JSON of structs, strings, integers, booleans, lists and ASCII-keyed objects.

    Floating point is not used on this chain, which is what makes msgspec's output the RFC's.
    """
    return _encoder.encode(value)


def read_canonical(decoder: msgspec.json.Decoder[T], data: bytes, *, what: str) -> T:
    """
    Parse `data` strictly. Bytes that are not the canonical form of what they say are
    `Malformed`: two texts for one value would give it two hashes, and two readers two meanings.
    """
    value = read(decoder, data, what=what)
    if canonical(value) != data:
        raise Malformed(f"{what}: not in canonical form (RFC 8785)")
    return value


def read(decoder: msgspec.json.Decoder[T], data: bytes | str, *, what: str) -> T:
    """Parse JSON from outside into what `decoder` knows; anything else is `Malformed`."""
    try:
        try:
            return decoder.decode(data)
        except msgspec.ValidationError:
            return msgspec.convert(_any.decode(data), decoder.type)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Malformed(f"{what}: {error}") from error


def _number(text: str) -> int | float:
    """76.0 is 76: JSON has one kind of number (RFC 8259 section 6), and so have JSON Schema and a browser."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"a number out of range: {text}")
    return int(value) if value.is_integer() else value


_any = msgspec.json.Decoder(float_hook=_number)


def digest(data: bytes) -> bytes:
    """SHA-256, the only hash there is here."""
    return sha256(data).digest()
