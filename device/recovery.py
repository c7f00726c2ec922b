"""
The recovery code: 128 random bits for whoever forgot the password, shown once and kept on paper.

It does what the password does, the same here and in the page, and needs no stretching: nobody guesses it.
"""

import base64
import re
import unicodedata
from collections.abc import Callable

from chain.errors import Malformed
from device.password import LoginKeys, split

CODE_BYTES = 16
GROUP = 4
"""Letters that stand together as it is shown."""

_MISREAD = str.maketrans("018", "OIB")
"""Digits that base32 does not have, for the letters that they are taken for."""

_LETTERS = re.compile(r"[A-Za-z2-7]{26}")


def new_code(random: Callable[[int], bytes]) -> bytes:
    return random(CODE_BYTES)


def shown(code: bytes) -> str:
    """As it is shown and written down: base32 in groups of four, the last of two."""
    letters = base64.b32encode(code).decode("ascii").rstrip("=")
    return "-".join(letters[first : first + GROUP] for first in range(0, len(letters), GROUP))


def read(typed: str) -> bytes:
    """What somebody typed, in either case and with anything between the groups; raise `Malformed`."""
    letters = "".join(letter for letter in typed if not _is_between(letter)).translate(_MISREAD)
    if not _LETTERS.fullmatch(letters):
        raise Malformed("recovery code: want 26 letters and digits, as it was shown")
    code = base64.b32decode(letters.upper() + "=" * (-len(letters) % 8))
    if shown(code).replace("-", "") != letters.upper():
        raise Malformed("recovery code: its last letter is none that it can end with")
    return code


def derive(code: bytes) -> LoginKeys:
    """HKDF-SHA256 (RFC 5869) without a salt: it is random already."""
    return LoginKeys(
        auth=split(code, b"blockpost/recovery/auth"), wrap=split(code, b"blockpost/recovery/wrap")
    )


def _is_between(letter: str) -> bool:
    """White space, hyphens and dashes: what people, and word processors, put between the groups."""
    return letter.isspace() or unicodedata.category(letter) == "Pd"
