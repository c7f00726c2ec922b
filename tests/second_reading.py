"""
What contracts do to messages and alerts, read a second time: from section 7 of the protocol, and not from `chain`.

An alert's way is laid out beforehand as a list of stops, each with how long it is waited for. It shares nothing with
the chain but the form of entries: what both come to is what the protocol says.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from chain.contracts.terms import Access, Escalate, EscalateParams, Rate, Retain, Terms
from chain.entry import Alert, Contract, Deed, Entry, Group, Message, Redact, Status, Tick

URGENCY = ("info", "low", "medium", "high")


@dataclass(frozen=True)
class Facts:
    """What a guard may ask about a message."""

    kind: str
    groups: frozenset[str]
    message: Message
    time: int

    @property
    def alert(self) -> Alert | None:
        return self.message.alert


Holds = Callable[[Facts], bool | None]
"""Whether a guard does; none where it cannot be judged."""


@dataclass(frozen=True)
class Stop:
    """`wait` (ms) is how long after the stop before it; `again` how long after an interruption."""

    wait: int
    again: int
    did: str
    step: int | None = None
    to: str | None = None


@dataclass(frozen=True)
class Way:
    """All that happens to an alert that nobody answers."""

    stops: tuple[Stop, ...]
    steps: int

    @classmethod
    def of(cls, params: EscalateParams, laps: int = 0) -> "Way":
        stops = [
            Stop(
                wait=1000 * (step.after + (params.wait if lap and not number else 0)),
                again=1000 * step.after,
                did="step",
                step=number,
                to=step.to,
            )
            for lap in range(max(params.laps, laps))
            for number, step in enumerate(params.steps)
        ]
        end = Stop(1000 * params.wait, 1000 * params.wait, "nobody")
        return cls((*stops, end), len(params.steps))


@dataclass
class Case:
    """An alert."""

    idx: int
    entry: str
    priority: str
    active: bool
    since: int
    contract: str | None = None
    params: EscalateParams | None = None
    way: Way | None = None
    overdue_by: EscalateParams | None = None
    """The terms by which it begins again, if it is not resolved in time: those in force since it was taken."""
    at: int = 0
    due: int | None = None
    resume: int | None = None
    taken: bool = False
    resolved: bool = False
    snoozed: bool = False

    @property
    def is_open(self) -> bool:
        return not self.taken and not self.resolved

    @property
    def is_over(self) -> bool:
        """Whether nobody answered."""
        return self.way is not None and self.at == len(self.way.stops)

    def sets_out(self, contract: str | None, params: EscalateParams | None, clock: int) -> None:
        self.contract, self.params, self.at = contract, params, 0
        self.way = None if params is None else Way.of(params)
        self.due = None if self.way is None else clock + self.way.stops[0].wait
        self.resume, self.snoozed = None, False

    def goes_on(self, clock: int) -> None:
        if self.due is not None:
            return  # by other terms already
        if self.is_over:
            self.sets_out(self.contract, self.params, clock)
        elif self.way is not None:
            self.due = clock + self.way.stops[self.at].again

    def fires(self, clock: int) -> Deed:
        deed = Deed(contract=self.contract or "", did="woken", about=self.entry)
        assert self.way is not None
        if self.snoozed:
            self.due, self.resume, self.snoozed = max(self.resume or 0, clock), None, False
            return deed
        if self.taken:
            self.taken = False
            self.sets_out(self.contract, self.overdue_by, clock)
            return Deed(contract=deed.contract, did="overdue", about=self.entry)
        stop = self.way.stops[self.at]
        self.at += 1
        self.due = None if self.is_over else clock + self.way.stops[self.at].wait
        return (
            Deed(contract=deed.contract, did="nobody", about=self.entry)
            if stop.step is None
            else Deed(contract=deed.contract, did="step", about=self.entry, step=stop.step, to=stop.to)
        )

    def by_terms(self, terms: Terms | None, clock: int) -> None:
        """By the terms that its contract has now, if it is one that escalates."""
        if not isinstance(terms, Escalate):
            self.contract = self.params = self.way = self.due = self.resume = None
        elif terms.params != self.params or self.due is not None:
            self._by_other(terms.params, clock)

    def _by_other(self, params: EscalateParams, clock: int) -> None:
        assert self.way is not None
        over, last = self.is_over, len(self.way.stops) - 2
        lap, step = divmod(min(self.at, last), self.way.steps)
        step += self.at > last
        self.params, self.way, self.overdue_by = params, Way.of(params, lap + 1), params
        if step < self.way.steps:
            self.at = lap * self.way.steps + step
            wait = self.way.stops[self.at].again
        else:
            # Its steps are through: the next lap, if there is one, or the end.
            self.at = (lap + 1) * self.way.steps
            wait = self.way.stops[self.at].wait
        if over:
            self.at = len(self.way.stops)
        if self.taken and not self.resolved:
            self.due = self.overdue_at(params, clock)
        elif self.is_open and not over:
            if self.snoozed:
                self.resume = clock + wait
            else:
                self.due = clock + wait

    def overdue_at(self, params: EscalateParams, clock: int) -> int | None:
        within = params.resolve_within
        return clock + 1000 * within if within and self.active and not self.resolved else None


@dataclass
class Reading:
    """The entries so far. `guards` say what a guard's text means; `kinds` what each account is."""

    guards: Mapping[str, Holds]
    kinds: Mapping[str, str]
    most: int
    """How much a tick says at once."""
    idx: int = 0
    cases: dict[tuple[str, str], Case] = field(default_factory=dict)
    messages: dict[str, tuple[int, Message]] = field(default_factory=dict)
    contracts: dict[str, Terms] = field(default_factory=dict)
    """In the order of their installation."""
    groups: dict[str, list[str]] = field(default_factory=dict)
    kept: dict[str, tuple[int, int, str]] = field(default_factory=dict)
    """By message: when it is to be erased, its index, and the contract."""
    counted: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    """By contract and whom: when the time began, and how many there were."""

    def reads(self, entry: Entry, at: int, clock: int) -> None:
        match entry:
            case Group():
                self.groups[entry.group] = entry.members
            case Contract():
                self._contract(entry, clock)
            case Message():
                self._message(entry, at, clock)
            case Status() if entry.about in self.messages:
                self._status(entry, at, clock)
            case Redact():
                self.kept.pop(entry.about, None)
            case Tick():
                assert entry.did == self._happens(clock)
            case _:
                pass
        self.idx += 1

    def due(self, clock: int) -> list[Deed]:
        """What the next tick has to say."""
        copy = replace(
            self, cases={name: replace(case) for name, case in self.cases.items()}, kept=dict(self.kept)
        )
        return copy._happens(clock)

    def refusal(self, message: Message, at: int, clock: int) -> str | None:
        """By which rule contracts refuse it."""
        found = self._judged(message, at)
        fails = [
            terms for terms, holds in found.values() if holds is None and isinstance(terms, Access | Rate)
        ]
        if fails and message.alert is None:
            return "contract"
        if any(holds and isinstance(terms, Access) for terms, holds in found.values()):
            return "contract"
        for contract, (terms, holds) in found.items():
            if holds and isinstance(terms, Rate):
                began, count = self.counted.get((contract, _of(terms, message)), (0, 0))
                if count >= terms.params.count and clock < began + 1000 * terms.params.seconds:
                    return "rate"
        return None

    def _happens(self, clock: int) -> list[Deed]:
        told: list[Deed] = []
        while len(told) < self.most:
            waiting = [(case.due, case.idx, case) for case in self.cases.values() if case.due is not None]
            due, _, case = min(waiting, default=(clock + 1, 0, None), key=lambda each: each[:2])
            if due > clock or case is None:
                break
            told.append(case.fires(clock))
        ready = sorted((due, idx, message) for message, (due, idx, _) in self.kept.items() if due <= clock)
        for _, _, message in ready:
            if len(told) < self.most and not self._is_open(message):
                _, _, contract = self.kept.pop(message)
                told.append(Deed(contract=contract, did="erased", about=message))
        return told

    def _is_open(self, message: str) -> bool:
        case = self._case(self.messages[message][1])
        return case is not None and case.is_open

    def _case(self, message: Message) -> Case | None:
        return self.cases.get((message.author, message.alert.episode)) if message.alert else None

    def _contract(self, entry: Contract, clock: int) -> None:
        before = self.contracts.pop(entry.contract, None)
        if entry.terms is not None:
            self.contracts[entry.contract] = entry.terms
        if type(before) is not type(entry.terms):
            self.kept = {name: kept for name, kept in self.kept.items() if kept[2] != entry.contract}
            self.counted = {of: count for of, count in self.counted.items() if of[0] != entry.contract}
        for case in self.cases.values():
            # What waits for nothing looks again when somebody releases it.
            if case.contract == entry.contract and case.due is not None:
                case.by_terms(entry.terms, clock)

    def _judged(self, message: Message, at: int) -> dict[str, tuple[Terms, bool | None]]:
        groups = frozenset(group for group, members in self.groups.items() if message.author in members)
        facts = Facts(self.kinds[message.author], groups, message, at)
        return {
            contract: (terms, self.guards[terms.when](facts))
            for contract, terms in self.contracts.items()
            if isinstance(terms, Access | Escalate | Rate | Retain)
        }

    def _message(self, message: Message, at: int, clock: int) -> None:
        assert self.refusal(message, at, clock) is None
        self.messages[message.id] = self.idx, message
        found = self._judged(message, at)
        for contract, (terms, holds) in found.items():
            if holds and isinstance(terms, Rate):
                began, count = self.counted.get((contract, _of(terms, message)), (0, 0))
                fresh = not count or clock >= began + 1000 * terms.params.seconds
                self.counted[contract, _of(terms, message)] = (clock, 1) if fresh else (began, count + 1)
            if holds and isinstance(terms, Retain):
                due = clock + 1000 * terms.params.seconds
                if message.id not in self.kept or due < self.kept[message.id][0]:
                    self.kept[message.id] = due, self.idx, contract
        if message.alert is not None:
            self._alarm(message, message.alert, found, clock)

    def _alarm(
        self, message: Message, alert: Alert, found: Mapping[str, tuple[Terms, bool | None]], clock: int
    ) -> None:
        case = self._case(message)
        begins = case is None
        if case is None:
            case = Case(self.idx, message.id, alert.priority, alert.state != "end", self.idx)
            self.cases[message.author, alert.episode] = case
        elif alert.state == "end":
            case.active = False
            case.due = case.due if case.is_open else None
        else:
            rises = URGENCY.index(alert.priority) > URGENCY.index(case.priority)
            begins = rises or (alert.state == "start" and not case.active)
            case.priority, case.active = alert.priority, True
            if begins:
                case.since, case.taken, case.resolved = self.idx, False, False
        if begins:
            case.sets_out(None, None, clock)
            for contract, (terms, holds) in found.items():
                if isinstance(terms, Escalate) and holds is not False:
                    case.sets_out(contract, terms.params, clock)
                    break

    def _status(self, status: Status, at: int, clock: int) -> None:
        idx, message = self.messages[status.about]
        case = self._case(message)
        if case is None or idx < case.since:
            return
        terms = self.contracts.get(case.contract or "")
        if status.state == "taken":
            case.taken, case.snoozed, case.resume = True, False, None
            case.overdue_by = terms.params if isinstance(terms, Escalate) else None
            case.due = case.overdue_at(terms.params, clock) if isinstance(terms, Escalate) else None
        elif status.state == "released" and case.taken:
            case.taken, case.snoozed, case.resume = False, False, None
            if not case.resolved:
                case.due = None
                case.by_terms(terms, clock)
                case.goes_on(clock)
        elif status.state == "resolved":
            case.resolved, case.snoozed, case.resume, case.due = True, False, None, None
        elif status.state == "snoozed" and case.is_open and status.until is not None:
            case.snoozed = True
            case.resume = case.due if case.resume is None else case.resume
            case.due = None if case.resume is None else clock + status.until - at


def _of(terms: Rate, message: Message) -> str:
    return {"author": message.author, "to": message.to, "all": ""}[terms.params.per]
