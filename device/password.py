"""The two keys that a person's password becomes, the same here and in the page."""

import hashlib
import unicodedata
from dataclasses import dataclass, field

from Crypto.Hash import SHA256
from Crypto.Protocol.KDF import HKDF

from chain.encoding import digest

ROUNDS = 600_000
KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class LoginKeys:
    """
    What a password becomes, or a recovery code.

    `auth` goes to the gateway at login; `wrap` never leaves, and opens the backup of the private keys.
    """

    auth: bytes = field(repr=False)
    wrap: bytes = field(repr=False)


def derive(password: str, salt: bytes) -> LoginKeys:
    """
    Stretch a password (PBKDF2-HMAC-SHA256, RFC 8018) and split it (HKDF-SHA256, RFC 5869, no salt).

    It is brought to Unicode form NFKC first: keyboards differ in how they spell one character, and
    full-width letters are letters (RFC 8265 takes NFC, and says why something must be chosen). Nothing is
    trimmed or folded. Takes a large part of a second. Raise `ValueError` for an empty password (RFC 8265
    section 4.2.2) or one that is not Unicode text.
    """
    if not password:
        raise ValueError("the password is empty")
    text = unicodedata.normalize("NFKC", password).encode()
    master = hashlib.pbkdf2_hmac("sha256", text, salt, ROUNDS, KEY_BYTES)
    return LoginKeys(auth=split(master, b"blockpost/auth"), wrap=split(master, b"blockpost/wrap"))


def verifier(auth: bytes) -> bytes:
    """Return what the gateway keeps: SHA-256 of `auth`."""
    return digest(auth)


def split(master: bytes, purpose: bytes) -> bytes:
    """One of the keys that follow from `master`: HKDF-SHA256 without a salt."""
    key = HKDF(master, KEY_BYTES, b"", SHA256, context=purpose)
    assert isinstance(key, bytes)
    return key
