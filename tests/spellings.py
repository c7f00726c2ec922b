"""The ways in which a secret can be written, to be looked for in what should not have it."""

import json
from base64 import b64encode
from collections.abc import Iterator
from urllib.parse import quote

_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_BITS, _LETTER_BITS = 8, 6


def of_bytes(secret: bytes) -> set[bytes]:
    """As it is, in hex, and in base64, wherever in a longer text it may begin."""
    return {secret, secret.hex().encode(), secret.hex().upper().encode(), *_base64(secret)}


def of_text(secret: str) -> set[bytes]:
    """Also as JSON, a URL and UTF-16 write it."""
    escaped = json.dumps(secret)[1:-1].encode()
    return {escaped, quote(secret).encode(), secret.encode("utf-16-le"), *of_bytes(secret.encode())}


def _base64(secret: bytes) -> Iterator[bytes]:
    for lead in range(3):
        text = b64encode(bytes(lead) + secret)
        # Only the letters that nothing but the secret decides.
        first = -(-lead * _BITS // _LETTER_BITS)
        last = (lead + len(secret)) * _BITS // _LETTER_BITS
        yield text[first:last]
        yield text[first:last].translate(_URL_SAFE)
