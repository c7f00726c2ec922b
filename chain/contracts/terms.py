"""
The terms of a contract: what an admin installs. They are data, in the entry itself, and never change.

`when` is a guard (`chain.contracts.guard`): where it holds, the contract acts. What it then does is fixed by its kind.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from chain.encoding import b64url, canonical, digest, read
from chain.identity import PartyId

MAX_GUARD_BYTES = 2048
MAX_STEPS = 16
DAY = 86_400

ContractId = Annotated[str, Meta(pattern=r"\A[a-z][a-z0-9-]{0,63}\Z")]
Guard = Annotated[str, Meta(min_length=1, max_length=MAX_GUARD_BYTES)]
Seconds = Annotated[int, Meta(ge=1, le=7 * DAY)]
Delay = Annotated[int, Meta(ge=0, le=7 * DAY)]


class _Terms(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="kind"
):
    version: Literal[1]
    when: Guard


class Nothing(Struct, frozen=True, forbid_unknown_fields=True):
    """`params` of a kind that needs none."""


class Access(_Terms, frozen=True, kw_only=True, tag="access"):
    """A message for which the guard holds is refused."""

    params: Nothing


class RateParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """At most `count` in `seconds`, counted for each author, for each addressee, or for all together."""

    count: Annotated[int, Meta(ge=1, le=1_000_000)]
    seconds: Annotated[int, Meta(ge=1, le=31 * DAY)]
    per: Literal["author", "to", "all"]


class Rate(_Terms, frozen=True, kw_only=True, tag="rate"):
    """Of the messages for which the guard holds, those above a rate are refused."""

    params: RateParams


class QuorumParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`need` admins, all within `seconds`."""

    need: Annotated[int, Meta(ge=2, le=8)]
    seconds: Annotated[int, Meta(ge=60, le=31 * DAY)]


class Quorum(_Terms, frozen=True, kw_only=True, tag="quorum"):
    """What an admin does, and the guard holds for, wants several admins."""

    params: QuorumParams


class Step(Struct, frozen=True, forbid_unknown_fields=True):
    """Whom an alert reaches next, so many seconds after the step before."""

    to: PartyId
    after: Delay


class EscalateParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """
    `wait` seconds after the last step the next lap begins; after the last lap, nobody answered.

    With `resolve_within`, an alert that was taken and is not resolved so many seconds later begins again.
    """

    steps: Annotated[list[Step], Meta(min_length=1, max_length=MAX_STEPS)]
    wait: Seconds
    laps: Annotated[int, Meta(ge=1, le=100)]
    resolve_within: Seconds | None = None


class Escalate(_Terms, frozen=True, kw_only=True, tag="escalate"):
    """An alert that nobody takes reaches further people, one step after the other."""

    params: EscalateParams


class RetainParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long a body is kept."""

    seconds: Annotated[int, Meta(ge=60, le=3650 * DAY)]


class Retain(_Terms, frozen=True, kw_only=True, tag="retain"):
    """The body of a message for which the guard held when it was committed is erased in time."""

    params: RetainParams


Terms = Access | Rate | Quorum | Escalate | Retain

_decoder: msgspec.json.Decoder[Terms] = msgspec.json.Decoder(Terms)


def parse(text: bytes | str) -> Terms:
    """The terms in a file, in any spelling of JSON; raise `Malformed`."""
    return read(_decoder, text, what="contract")


def written(terms: Terms) -> bytes:
    """In canonical form (RFC 8785)."""
    return canonical(terms)


def hash_of(terms: Terms) -> str:
    """What blocks name them by: SHA-256 of the canonical form."""
    return b64url(digest(written(terms)))
