"""
The join string: where the gateway is, which one it is, and a secret that lets one new account in.

`gateway.local:8443/<pin>/<secret>`. The pin is a hash: in a LAN, of the public key of the root certificate; on loopback,
of the gateway's own key (its account id). By it a newcomer knows the right gateway before it sends the secret.
"""

import base64
import hashlib
import re
from collections.abc import Callable
from typing import Self

from msgspec import Struct

from chain.encoding import b64url, digest
from chain.errors import Malformed

SECRET_BYTES = 10
NONCE_BYTES = 16
DIGITS = 6
_FORM = re.compile(
    r"([A-Za-z0-9.-]+|\[[0-9a-fA-F:.]+\]):([1-9][0-9]{0,4})/([a-z2-7]{26}|[a-z2-7]{52})/([a-z2-7]{16})"
)
_ROOT_PIN = 52


class JoinCode(Struct, frozen=True):
    """
    `pin` is the gateway's account id, or `pin_of` its root; `code` is 80 random bits in base32, and a secret until it
    has been used.
    """

    host: str
    port: int
    pin: str
    code: str

    @property
    def is_lan(self) -> bool:
        """Whether the gateway has certificates, and `pin` names their root."""
        return names_root(self.pin)

    def __repr__(self) -> str:
        return f"JoinCode({self.host}:{self.port}/{self.pin}/...)"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return [("where", f"{self.host}:{self.port}/{self.pin}/...")]

    def to_text(self) -> str:
        return f"{self.host}:{self.port}/{self.pin}/{self.code}"

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Raise `Malformed`, without repeating the secret."""
        match = _FORM.fullmatch(text.strip())
        if match is None or int(match[2]) >= 2**16:
            raise Malformed("join code: want HOST:PORT/PIN/SECRET, as the admin was shown it")
        return cls(match[1], int(match[2]), match[3], match[4])


def new_code(random: Callable[[int], bytes]) -> str:
    """80 random bits, as an invite's hash commits to them."""
    return base64.b32encode(random(SECRET_BYTES)).decode("ascii").lower()


def pin_of(hashed: bytes) -> str:
    """How a join string spells the SHA-256 of a root's SubjectPublicKeyInfo: base32 in lower case."""
    return base64.b32encode(hashed).decode("ascii").rstrip("=").lower()


def names_root(pin: str) -> bool:
    """Whether it is a root's, and not a gateway's account id."""
    return len(pin) == _ROOT_PIN


def digits(nonce: bytes, leaf: bytes) -> str:
    """
    The six digits that a newcomer and an admin compare, to know that it is this one's keys that are let in.

    `nonce` is 16 random bytes which the gateway chose after it got the account's entry, the `leaf`: so who tries with
    other keys cannot look for such that give the same digits.
    """
    hashed = hashlib.sha256(b"blockpost/match/v1\n" + nonce + hashlib.sha256(leaf).digest()).digest()
    return f"{int.from_bytes(hashed[:8], 'big') % 10**DIGITS:0{DIGITS}d}"


def code_hash(code: str) -> str:
    """What an invite says of its join code."""
    return b64url(digest(b"blockpost/join/v1\n" + code.encode()))
