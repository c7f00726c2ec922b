"""
The docket: which contracts act on an entry.

Most messages differ from the one before in nothing that a guard looks at. What was found for such a one is remembered
until an entry changes who anybody is or what is in force. Few contracts act on any one entry, so several are asked
together whether any does.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain as chained

from msgspec import Struct

from chain.contracts import subject
from chain.contracts.guard import Guard, GuardFailed, either
from chain.contracts.register import Contract
from chain.contracts.subject import Values
from chain.contracts.terms import Access, Escalate, Quorum, Rate, Retain
from chain.contracts.variables import MESSAGE, OF_THIS_ONE
from chain.entry import Alert, Common, Message
from chain.state import State

TOGETHER = 24
"""Guards that are asked together: that takes little longer than to ask one."""

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


class _Bundle(Struct, frozen=True):
    """Contracts, and the guard that says no where none of them acts."""

    contracts: tuple[Contract, ...]
    any_of: Guard

    @classmethod
    def of(cls, contracts: Sequence[Contract]) -> "list[_Bundle]":
        """All of them, in their order."""
        parts = (tuple(contracts[start : start + TOGETHER]) for start in range(0, len(contracts), TOGETHER))
        return [cls(part, either(tuple(each.guard for each in part), _MESSAGE)) for part in parts]

    def may_act(self, values: Values) -> bool:
        try:
            return self.any_of.holds(values)
        except GuardFailed:
            return True


_MESSAGE = tuple(sorted(MESSAGE.items()))

_Sender = tuple[str, str, Alert | None]


class Docket:
    """Judges entries against the contracts in force."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._in_force: tuple[Contract, ...] = ()
        self._lasting: list[_Bundle] = []
        self._passing: list[_Bundle] = []
        self._known: dict[_Sender, tuple[Values, Acting]] = {}

    def forget(self) -> None:
        """Somebody is somebody else now."""
        self._known.clear()

    def prepare(self) -> None:
        """Compile all guards in force now, rather than while the first message waits."""
        self._sorted()

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
            known = self._known[sender] = values, judged(_likely(self._lasting, values), values)
        values, acting = known
        if not self._passing:
            return acting
        values = values | subject.of_this_one(message, now)
        return acting + judged(_likely(self._passing, values), values)

    def of_admin(self, entry: Common, now: int) -> Acting:
        quorums = [each for each in self._state.contracts.in_force() if isinstance(each.terms, Quorum)]
        return judged(quorums, subject.of_admin(entry, self._state, now)) if quorums else NOTHING

    def _sorted(self) -> tuple[Contract, ...]:
        in_force = self._state.contracts.in_force()
        if in_force is not self._in_force:
            mine = [each for each in in_force if isinstance(each.terms, Access | Rate | Escalate | Retain)]
            self._passing = _Bundle.of([each for each in mine if each.guard.uses & OF_THIS_ONE])
            self._lasting = _Bundle.of([each for each in mine if not each.guard.uses & OF_THIS_ONE])
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


def _likely(bundles: Iterable[_Bundle], values: Values) -> Iterator[Contract]:
    """Those that may act."""
    return chained.from_iterable(bundle.contracts for bundle in bundles if bundle.may_act(values))


def _age(contract: Contract) -> int:
    return contract.idx
