"""
The docket: which contracts act on an entry.

Most messages differ from the one before in nothing that a guard looks at. What was found for such a one is remembered
until an entry changes who anybody is or what is in force.
"""

from collections.abc import Iterable
from itertools import chain as chained

from msgspec import Struct

from chain.contracts import subject
from chain.contracts.guard import GuardFailed
from chain.contracts.register import Contract
from chain.contracts.subject import Values
from chain.contracts.terms import Access, Escalate, Quorum, Rate, Retain
from chain.contracts.variables import OF_THIS_ONE
from chain.entry import Alert, Common, Message
from chain.state import State

KEPT = 4096
"""Senders and addressees of which is remembered what was found."""


class Acting(Struct, frozen=True):
    """Contracts whose guards hold, and those whose guards failed, in the order of installation."""

    holding: tuple[Contract, ...] = ()
    failed: tuple[Contract, ...] = ()

    def __add__(self, other: "Acting") -> "Acting":
        if not other.holding and not other.failed:
            return self
        by_age = (
            tuple(sorted(chained(one, two), key=_age))
            for one, two in ((self.holding, other.holding), (self.failed, other.failed))
        )
        return Acting(*by_age)

    def of(self, kind: type) -> "list[Contract]":
        """Those of a kind whose guards hold."""
        return [each for each in self.holding if isinstance(each.terms, kind)]

    def failed_of(self, *kinds: type) -> "list[Contract]":
        return [each for each in self.failed if isinstance(each.terms, kinds)]


NOTHING = Acting()

_Sender = tuple[str, str, Alert | None]


class Docket:
    """Judges entries against the contracts in force."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._in_force: tuple[Contract, ...] = ()
        self._lasting: list[Contract] = []
        self._passing: list[Contract] = []
        self._known: dict[_Sender, tuple[Values, Acting]] = {}

    def forget(self) -> None:
        """Somebody is somebody else now."""
        self._known.clear()

    def of_message(self, message: Message, now: int) -> Acting:
        """`now` is the block's time, in ms."""
        if self._sorted() == ():
            return NOTHING
        sender = message.author, message.to, message.alert
        known = self._known.get(sender)
        if known is None:
            values = subject.of_message(*sender, self._state)
            if len(self._known) >= KEPT:
                self._known.clear()
            known = self._known[sender] = values, judged(self._lasting, values)
        values, acting = known
        if not self._passing:
            return acting
        return acting + judged(self._passing, values | subject.of_this_one(message, now))

    def of_admin(self, entry: Common, now: int) -> Acting:
        quorums = [each for each in self._state.contracts.in_force() if isinstance(each.terms, Quorum)]
        return judged(quorums, subject.of_admin(entry, self._state, now)) if quorums else NOTHING

    def _sorted(self) -> tuple[Contract, ...]:
        in_force = self._state.contracts.in_force()
        if in_force is not self._in_force:
            mine = [each for each in in_force if isinstance(each.terms, Access | Rate | Escalate | Retain)]
            self._passing = [each for each in mine if each.guard.uses & OF_THIS_ONE]
            self._lasting = [each for each in mine if not each.guard.uses & OF_THIS_ONE]
            self._in_force = in_force
            self.forget()
        return self._in_force


def judged(contracts: Iterable[Contract], values: Values) -> Acting:
    """Ask each guard."""
    holding, failed = [], []
    for contract in contracts:
        try:
            if contract.guard.holds(values):
                holding.append(contract)
        except GuardFailed:
            failed.append(contract)
    return Acting(tuple(holding), tuple(failed))


def _age(contract: Contract) -> int:
    return contract.idx
