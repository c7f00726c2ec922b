"""What a rule may look at, what it answers, and what several rules ask."""

from collections.abc import Callable

from msgspec import Struct

from chain.body import Body
from chain.contracts.docket import Docket
from chain.contracts.register import Contract
from chain.entry import Entry, SignedEntry, parse
from chain.errors import Refused
from chain.identity import SigningKey
from chain.state import AccountRow, State

Find = Callable[[str], tuple[int, bytes] | None]
"""Index and leaf of the entry with an id."""

RootAt = Callable[[int], bytes | None]
"""The root that the log had at a size at which a block ended."""

Check = Callable[[SignedEntry, SigningKey], None]
"""Checks a signature now, or sees to it that it is checked; raises `Unverified`."""


class Effect(Struct, frozen=True):
    """What a contract did, as the block says it."""

    contract: Contract
    text: str


class Context(Struct, frozen=True, kw_only=True):
    """
    What the rules may look at. `now` is the block's time in ms, `clock` its steady time, `idx` the entry's index.

    `body` is the one that the entry binds; in an audit it is `None` where it was erased. `engine` judges the guards of
    this chain. What contracts do is added to `effects`.
    """

    state: State
    docket: Docket
    origin: str
    engine: str
    find: Find
    root_at: RootAt
    check: Check
    now: int
    clock: int
    idx: int
    body: Body | None
    effects: list[Effect]

    def did(self, contract: Contract, text: str) -> None:
        self.effects.append(Effect(contract, text))


class Admitted(Struct, frozen=True):
    """Who may have the entry, and whose bodies (by index) it erases."""

    readers: frozenset[str]
    erased: tuple[int, ...] = ()


def need(account: AccountRow | None, *roles: str) -> None:
    if account is None or account.role not in roles:
        raise Refused("permission", f"that takes the role {' or '.join(roles)}")


def live(state: State, account: str, what: str) -> AccountRow:
    row = state.account(account)
    if row is None or not row.live:
        raise Refused("unknown", f"{what}: no such live account")
    return row


def about(context: Context, entry_id: str) -> tuple[int, Entry]:
    found = context.find(entry_id)
    if found is None or found[0] >= context.idx:
        raise Refused("unknown", "no such entry on this chain")
    return found[0], parse(found[1]).entry


def readers_of(state: State, to: str) -> frozenset[str]:
    """The live accounts that something addressed to `to` is for."""
    if to.startswith("g-"):
        return frozenset(state.members(to))
    return frozenset({to} if state.is_live(to) else ())


def circle_of(state: State, account: str) -> frozenset[str]:
    """The account and the live ones that talk to it directly: whom a change of its keys concerns."""
    peers = {row.other if row.one == account else row.one for row in state.contacts(account)}
    return frozenset({account, *(peer for peer in peers if state.is_live(peer))})
