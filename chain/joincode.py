"""
The join string: where the gateway is, which one it is, and a secret that lets one new account in.

`127.0.0.1:8080/<gateway account>/<secret>`. The account id is a hash of the gateway's key, so a
newcomer checks that it speaks to the right gateway before it sends the secret.
"""

import base64
import re
from collections.abc import Callable
from typing import Self

from msgspec import Struct

from chain.errors import Malformed

SECRET_BYTES = 10
_FORM = re.compile(r"([A-Za-z0-9.-]+|\[[0-9a-fA-F:.]+\]):([1-9][0-9]{0,4})/([a-z2-7]{26})/([a-z2-7]{16})")


class JoinCode(Struct, frozen=True):
    """`code` is 80 random bits in base32. It is a secret until it has been used."""

    host: str
    port: int
    gateway: str
    code: str

    def __repr__(self) -> str:
        return f"JoinCode({self.host}:{self.port}/{self.gateway}/...)"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return [("where", f"{self.host}:{self.port}/{self.gateway}/...")]

    def to_text(self) -> str:
        return f"{self.host}:{self.port}/{self.gateway}/{self.code}"

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Raise `Malformed`, without repeating the secret."""
        match = _FORM.fullmatch(text.strip())
        if match is None or int(match[2]) >= 2**16:
            raise Malformed("join code: want HOST:PORT/GATEWAY/SECRET, as the admin was shown it")
        return cls(match[1], int(match[2]), match[3], match[4])


def new_code(random: Callable[[int], bytes]) -> str:
    """80 random bits, as an invite's hash commits to them."""
    return base64.b32encode(random(SECRET_BYTES)).decode("ascii").lower()
