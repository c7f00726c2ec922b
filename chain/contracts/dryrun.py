"""
The dry run: what a contract would have done to the history that there is.

It replays the newest part of a chain, and changes nothing. Who is in which group, and who has which role, is taken as it
is now: that is what the contract will find. What it would have reached people with, and what they would have
done then, nobody can know: the answers are those that there were.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator

from msgspec import Struct

from chain import entry as entries
from chain.alerts import Moment
from chain.block import Header
from chain.chain import Chain
from chain.contracts import quorum, rehearsal, subject
from chain.contracts.docket import Acting, judged
from chain.contracts.register import Contract
from chain.contracts.rehearsal import Course, Said, Window
from chain.contracts.terms import DAY, Access, Escalate, Quorum, Rate, Retain, Terms, hash_of
from chain.contracts.words import times
from chain.entry import Alert, Message, Status

DAYS = 30
MAX_LOOKED = 20_000
"""Entries, and deeds of the contract: about a second's work. More is not looked at, and the answer says so."""

_PERIOD = f"In the last {DAYS} days"


def would(chain: Chain, contract_id: str, terms: Terms, now: int) -> list[str]:
    """
    What `terms` would have done, in sentences; `now` is in ms.

    Raises `BadGuard` where the guard is none, and `NoEngine` where there is nothing to judge by.
    """
    past = Past(chain, contract_id, terms, now)
    match terms:
        case Escalate():
            return [*_escalation(courses(past, terms), terms)]
        case Access() | Rate():
            return [*_refusals(refusals(past, terms))]
        case Retain():
            return [*_erasures(erasures(past, terms))]
        case Quorum():
            return [*_deeds(deeds(past), terms)]


class Past:
    """A chain as it is looked through on behalf of one contract."""

    def __init__(self, chain: Chain, contract_id: str, terms: Terms, now: int) -> None:
        self.store, self.state = chain.store, chain.state
        self.head = chain.store.head()
        at = max(now, self.head.timestamp)
        self.until = Moment(at, self.head.clock + at - self.head.timestamp)
        self.since = now - DAYS * DAY * 1000
        """Wall ms."""
        self.contract = Contract(contract_id, hash_of(terms), terms, self.head.size)
        _ = self.contract.guard
        self._header: Header | None = None
        self._of_sender: dict[tuple[str, str, Alert | None], subject.Values] = {}

    def acting(self, message: Message, at: int, others: tuple[Contract, ...] = ()) -> Acting:
        """Whether the contract would act on a message of that time, and which of the others do."""
        sender = message.author, message.to, message.alert
        if sender not in self._of_sender:
            self._of_sender[sender] = subject.of_message(*sender, self.state)
        values = self._of_sender[sender] | subject.of_this_one(message, at)
        return judged([*others, self.contract], values)

    def now(self, idx: int) -> Moment:
        """When the entry at `idx` came to the chain."""
        header = self._header
        if header is None or not header.first <= idx < header.size:
            header = self._header = self.store.header(self.store.height_of(idx))
        return Moment(header.timestamp, header.clock)

    def entry(self, idx: int) -> entries.Entry:
        return entries.recall(self.store.leaf(idx))

    def first(self, reached: Callable[[Header], int], value: int) -> int:
        """The index of the first entry at which a time that only rises has reached `value`."""
        heights = range(self.head.height + 1)
        height = bisect_left(heights, value, key=lambda height: reached(self.store.header(height)))
        return self.store.header(height).first if height in heights else self.head.size

    def messages(self, first: int, end: int) -> Iterator[tuple[int, Message]]:
        """Those from index `first` up to `end`, by index."""
        for idx, leaf in self.store.leaves(first, end):
            entry = entries.recall(leaf)
            if isinstance(entry, Message):
                yield idx, entry


class Courses(Struct, frozen=True):
    """Of each alert that the contract would have acted on, its course; of how many that were looked at; and were all?"""

    acted: list[Course]
    looked: int
    all: bool


def courses(past: Past, terms: Escalate) -> Courses:
    """What would have become of the alerts that began lately, the newest first."""
    contract = past.contract
    older = tuple(
        each
        for each in past.state.contracts.in_force()
        if isinstance(each.terms, Escalate) and each.id != contract.id
    )

    def speaks(message: Message, at: int) -> bool:
        acting = past.acting(message, at, older)
        found = [*acting.holding, *acting.failed]
        return found == [contract]

    script = rehearsal.Script(contract.id, terms.params, speaks)
    alerts = past.state.alerts.raised(None, since=past.since, limit=MAX_LOOKED + 1)
    acted, looked, left = [], 0, MAX_LOOKED
    for alert in alerts:
        indices = past.state.alerts.entries(alert.idx, left + 1)
        if len(indices) > left:
            # Without its beginning, nothing can be said of it; a shorter one may still fit.
            continue
        course = rehearsal.escalated(script, (_said(past, idx) for idx in indices), past.until)
        left = max(0, left - len(indices) - len(course.deeds))
        looked += 1
        if course.acted:
            acted.append(course)
    return Courses(acted, looked, all=looked == len(alerts))


def _said(past: Past, idx: int) -> Said:
    entry = past.entry(idx)
    assert isinstance(entry, Message | Status)  # an alert consists of nothing else
    found = past.store.find(entry.about) if isinstance(entry, Status) else None
    return Said(idx, entry, past.now(idx), -1 if found is None else found[0])


class Refusals(Struct, frozen=True):
    """How many of the messages that were looked at would have been refused, alerts among them; and were all?"""

    refused: int
    alerts: int
    messages: int
    all: bool


def refusals(past: Past, terms: Access | Rate) -> Refusals:
    """What would not have gone through, of the newest entries. What an older contract refused is not on the chain."""
    begun = past.first(lambda header: header.timestamp, past.since)
    first = max(begun, past.head.size - MAX_LOOKED)
    windows: dict[str, Window] = {}
    refused = alerts = messages = 0
    for idx, message in past.messages(first, past.head.size):
        messages += 1
        now = past.now(idx)
        acting = past.acting(message, now.at)
        # A guard that fails refuses, but never an alert.
        denied = bool(acting.failed) and message.alert is None
        if acting.holding and isinstance(terms, Rate):
            of = {"author": message.author, "to": message.to, "all": ""}[terms.params.per]
            denied = rehearsal.over_rate(terms.params, of, now.clock, windows)
        elif acting.holding:
            denied = True
        refused += denied
        alerts += denied and message.alert is not None
    return Refusals(refused, alerts, messages, all=first == begun)


class Erasures(Struct, frozen=True):
    """How many bodies would be gone, and of how many bytes; and were all looked at that are old enough?"""

    bodies: int
    bytes: int
    all: bool


def erasures(past: Past, terms: Retain) -> Erasures:
    """What would be gone by now, had the contract always been in force: of the newest that is old enough."""
    old = past.until.clock - 1000 * terms.params.seconds
    end = past.first(lambda header: header.clock, old + 1)
    first = max(0, end - MAX_LOOKED)
    bodies = size = 0
    for idx, message in past.messages(first, end):
        if past.state.is_erased(idx) or not past.acting(message, past.now(idx).at).holding:
            continue
        alert = None if message.alert is None else past.state.alerts.of(idx)
        if alert is None or not alert.is_open:
            bodies += 1
            size += message.body.size
    return Erasures(bodies, size, all=first == 0)


class Deeds(Struct, frozen=True):
    """How many of the acts of admins that were looked at would have taken several admins; and were all?"""

    wanted: int
    acts: int
    all: bool


def deeds(past: Past) -> Deeds:
    """What one alone could not have done, of the newest."""
    found = past.state.acts(None, before=past.head.size, limit=MAX_LOOKED + 1)
    wanted = acts = 0
    for idx in found[:MAX_LOOKED]:
        at = past.now(idx).at
        if at < past.since:
            return Deeds(wanted, acts, all=True)
        entry = past.entry(idx)
        author = past.state.account(entry.author)
        if isinstance(entry, quorum.COVERED) and author is not None and author.role == "admin":
            acting = judged([past.contract], subject.of_admin(entry, past.state, at))
            acts += 1
            wanted += bool(acting.holding or acting.failed)
    return Deeds(wanted, acts, all=len(found) <= MAX_LOOKED)


def _escalation(found: Courses, terms: Escalate) -> Iterator[str]:
    if found.all and not found.looked:
        yield f"{_PERIOD} there was no alert."
        return
    escalated = sum(any(deed.did == "step" for deed in course.deeds) for course in found.acted)
    done = [deed for course in found.acted for deed in course.deeds]
    yield (
        f"{_PERIOD} it would have acted on {len(found.acted)} of {_count(found.looked, 'alert')},"
        f" and escalated {escalated} of them."
    )
    for number in range(len(terms.params.steps)):
        came = sum(deed.step == number for deed in done)
        if done:
            yield f"Step {number + 1} would have come {times(came)}."
    nobody, overdue = (sum(deed.did == did for deed in done) for did in ("nobody", "overdue"))
    if nobody:
        yield f"It would have said that nobody answered: {times(nobody)}."
    if overdue:
        yield f"Taken, but not resolved in time: {times(overdue)}."
    if done:
        yield "That is by the answers that there were. Whom a step would have reached might have answered, too."
    if not found.all:
        yield f"It looked at {_count(found.looked, 'alert')} only: to look at all would have taken too long."


def _refusals(found: Refusals) -> Iterator[str]:
    among = f", {_count(found.alerts, 'alert')} among them" if found.refused else ""
    yield f"{_PERIOD} it would have refused {found.refused} of {_count(found.messages, 'message')}{among}."
    if not found.all:
        yield f"It looked at the newest {MAX_LOOKED} entries of that time only."


def _erasures(found: Erasures) -> Iterator[str]:
    size = f"{found.bytes / 1_000_000:.1f} MB"
    yield f"Had it always been in force, what {_count(found.bodies, 'message')} said ({size}) would be gone now."
    if not found.all:
        yield f"It looked at the newest {MAX_LOOKED} entries that are old enough only."


def _deeds(found: Deeds, terms: Quorum) -> Iterator[str]:
    yield f"{_PERIOD} {found.wanted} of {_count(found.acts, 'act')} of admins would have taken {terms.params.need} admins."
    if not found.all:
        yield f"It looked at the newest {MAX_LOOKED} acts only."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
