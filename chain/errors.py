"""
What can go wrong on the chain.

* ChainError
  + Malformed     the bytes do not parse, or are not in the one permitted form
    - Oversized   they are more than is read at all
  + Unverified    they parse, but a signature, hash or proof does not hold
  + Refused       they hold, but the chain's state does not permit them; carries the rule
  + Damaged       the stored chain contradicts itself; carries the first bad height
  + Missing       the chain has no such entry, account or block
"""

from typing import Literal

Rule = Literal[
    "contact",
    "contract",
    "gap",
    "handle",
    "history",
    "invite",
    "key",
    "malformed",
    "origin",
    "oversized",
    "permission",
    "quorum",
    "rate",
    "replay",
    "revoked",
    "sequence",
    "signature",
    "stranger",
    "topic",
    "unknown",
    "unsupported",
]
"""Why an entry is refused; docs/protocol.md says what each one means."""


class ChainError(Exception):
    """Anything in this package that a caller may want to answer."""


class Malformed(ChainError):
    """The bytes do not parse, or are not in the one permitted form."""


class Oversized(Malformed):
    """The bytes are more than is read at all."""


class Unverified(ChainError):
    """The bytes parse, but a signature, hash or proof does not hold."""


class Refused(ChainError):
    """The chain's state does not permit this entry."""

    def __init__(self, rule: Rule, reason: str) -> None:
        super().__init__(f"{rule}: {reason}")
        self.rule = rule
        self.reason = reason


class Damaged(ChainError):
    """The stored chain contradicts itself at `height`."""

    def __init__(self, height: int, reason: str) -> None:
        super().__init__(f"block {height}: {reason}")
        self.height = height
        self.reason = reason


class Missing(ChainError):
    """The chain has no such entry, account or block."""
