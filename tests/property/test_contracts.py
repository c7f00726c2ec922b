"""
Must hold: the same entries give the same state and the same effects, whenever and however fast they are folded.

Histories are made at random, on a chain on disk: people, groups, alerts and their answers, contracts that come and go,
a wall clock that leaps, restarts, disks that fail. What contracts do is held against `tests.second_reading`.
"""

import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import product
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from chain import block as blocks
from chain import entry, rules, state, wire
from chain.alerts import Moment
from chain.audit import audit
from chain.block import Block, ContractRun
from chain.chain import Chain, Committed, Outcome, Writer
from chain.contracts import timers
from chain.contracts.docket import Docket
from chain.contracts.quorum import deed_of
from chain.contracts.register import Register
from chain.contracts.terms import (
    Access,
    Escalate,
    EscalateParams,
    Nothing,
    Quorum,
    QuorumParams,
    Rate,
    RateParams,
    Retain,
    RetainParams,
    Step,
    Terms,
)
from chain.encoding import b64url
from chain.entry import Alert, Approve, Contract, Deed, Message, Status, Tick
from chain.errors import Damaged, Refused
from chain.identity import account_id
from chain.rulebook.context import Admitted, Context
from chain.state import State
from chain.store import Uptime
from chain.wire import Submission
from tests.second_reading import Facts, Holds, Reading
from tests.world import START, Actor, Keys, Source, World, dump_state

MOST = 3
"""Deeds in a tick: few, so that there are often more to do."""

NURSES, DOCTORS = ("g-" + account_id(Keys(Source(name)).public) for name in ("nurses", "doctors"))

PEOPLE = ("alice", "bob", "carol", "second")
DEVICES = ("fridge", "pump")
SHORT, LONG = 60, 100
"""Bytes of a body."""


# What guards may say


def failing(facts: Facts) -> bool | None:
    return None if facts.message.body.size == SHORT else True


ATOMS: dict[str, Holds] = {
    "true": lambda _: True,
    "is_alert": lambda facts: facts.alert is not None,
    "is_group": lambda facts: facts.message.to.startswith("g-"),
    "is_reply": lambda facts: facts.message.re is not None,
    'priority == "high"': lambda facts: facts.alert is not None and facts.alert.priority == "high",
    'state == "end"': lambda facts: facts.alert is not None and facts.alert.state == "end",
    'author_kind == "device"': lambda facts: facts.kind == "device",
    f'"{NURSES}" in author_groups': lambda facts: NURSES in facts.groups,
    f"size > {SHORT}": lambda facts: facts.message.body.size > SHORT,
    "time % 2 == 0": lambda facts: facts.time % 2 == 0,
    f"1 / (size - {SHORT}) >= 0": failing,
}


def both(one: Holds, other: Holds) -> Holds:
    def holds(facts: Facts) -> bool | None:
        found = one(facts), other(facts)
        return False if False in found else None if None in found else True

    return holds


def either(one: Holds, other: Holds) -> Holds:
    def holds(facts: Facts) -> bool | None:
        found = one(facts), other(facts)
        return True if True in found else None if None in found else False

    return holds


def no(one: Holds) -> Holds:
    def holds(facts: Facts) -> bool | None:
        found = one(facts)
        return None if found is None else not found

    return holds


GUARDS: dict[str, Holds] = (
    ATOMS
    | {f"!({text})": no(holds) for text, holds in ATOMS.items()}
    | {f"({a}) && ({b})": both(ATOMS[a], ATOMS[b]) for a, b in product(ATOMS, ATOMS)}
    | {f"({a}) || !({b})": either(ATOMS[a], no(ATOMS[b])) for a, b in product(ATOMS, ATOMS)}
)


# What may happen


class Speaks(NamedTuple):
    author: str
    to: str
    size: int
    reply: bool


class Alarms(NamedTuple):
    device: str
    episode: int
    priority: entry.Priority
    state: str
    to: str
    size: int


class Answers(NamedTuple):
    who: str
    newest: int
    state: str
    minutes: int


class Installs(NamedTuple):
    contract: str
    terms: Terms
    agreed: bool


class Removes(NamedTuple):
    contract: str
    agreed: bool


class Regroups(NamedTuple):
    group: str
    members: frozenset[str]
    agreed: bool


class Plans(NamedTuple):
    group: str
    account: str
    begins: int
    hours: int


class Leaves(NamedTuple):
    who: str


class Erases(NamedTuple):
    newest: int


class Cuts(NamedTuple):
    """A block ends; `fault` is what breaks while it is made, at first."""

    tick: bool
    fault: str | None = None


class Passes(NamedTuple):
    ms: int
    tick: bool


class Nears(NamedTuple):
    """Until so long (ms) before or after the next thing is due."""

    ms: int


class Leaps(NamedTuple):
    """The wall clock alone does."""

    ms: int


class Restarts(NamedTuple):
    reboots: bool


Event = (
    Speaks
    | Alarms
    | Answers
    | Installs
    | Removes
    | Regroups
    | Plans
    | Leaves
    | Erases
    | Cuts
    | Passes
    | Nears
    | Leaps
    | Restarts
)

IDS = ("on-call", "other", "third")
ONE, SOME = st.sampled_from((*PEOPLE, *DEVICES)), st.sampled_from((*PEOPLE[:3], NURSES, DOCTORS))
SIZES = st.sampled_from((SHORT, LONG))
STEPS = st.builds(Step, SOME, st.sampled_from((0, 1, 60)))
WHEN = st.sampled_from(sorted(GUARDS))
ESCALATIONS = st.builds(
    Escalate,
    version=st.just(1),
    when=st.sampled_from(("is_alert", "true", 'priority == "high"', "1 / (size - 60) >= 0")) | WHEN,
    params=st.builds(
        EscalateParams,
        steps=st.lists(STEPS, min_size=1, max_size=3),
        wait=st.sampled_from((1, 30, 600)),
        laps=st.integers(1, 3),
        resolve_within=st.sampled_from((None, 45, 900)),
    ),
)
TERMS = st.one_of(
    ESCALATIONS,
    st.builds(Access, version=st.just(1), when=WHEN, params=st.builds(Nothing)),
    st.builds(
        Rate,
        version=st.just(1),
        when=WHEN,
        params=st.builds(
            RateParams,
            count=st.integers(1, 3),
            seconds=st.sampled_from((10, 600)),
            per=st.sampled_from(("author", "to", "all")),
        ),
    ),
    st.builds(
        Quorum,
        version=st.just(1),
        when=st.sampled_from(('type == "contract"', 'type == "group" && 1 / (time - time) > 0')),
        params=st.builds(QuorumParams, need=st.just(2), seconds=st.just(3600)),
    ),
    st.builds(
        Retain,
        version=st.just(1),
        when=WHEN,
        params=st.builds(RetainParams, seconds=st.sampled_from((60, 3600))),
    ),
)
ALARMS = st.builds(
    Alarms,
    st.sampled_from(DEVICES),
    st.integers(0, 1),
    st.sampled_from(("high", "medium", "low", "info")),
    st.sampled_from(("start", "start", "continue", "end")),
    st.sampled_from((NURSES, NURSES, DOCTORS)),
    SIZES,
)
ANSWERS = st.builds(
    Answers,
    st.sampled_from(PEOPLE[:3]),
    st.sampled_from((0, 0, 0, 1, 3)),
    st.sampled_from(("seen", "taken", "taken", "released", "resolved", "snoozed", "snoozed")),
    st.sampled_from((1, 30, 1440)),
)
TIMES = st.sampled_from((1, 999, 1_000, 30_000, 60_000, 599_999, 600_000, 3_600_000, 86_400_000, 259_200_000))
CUTS = st.builds(Cuts, st.booleans(), st.none())
FAULTS = st.builds(
    Cuts,
    st.booleans(),
    st.sampled_from(
        ("store.Store.write_block", "store.Store.write_uptime", "chain.runs", "state.State.set_seq")
    ),
)
NEARS = st.builds(Nears, st.sampled_from((-1, 0, 0, 1)))
GROUPS, MEMBERS = st.sampled_from((NURSES, DOCTORS)), st.sampled_from(PEOPLE[:3])
CHANGES: st.SearchStrategy[Event] = st.one_of(
    st.builds(Leaps, TIMES | TIMES.map(lambda ms: -ms)),
    st.builds(Restarts, st.booleans()),
    st.builds(Installs, st.sampled_from(IDS), ESCALATIONS, st.booleans()),
    st.builds(Installs, st.sampled_from(IDS), TERMS, st.booleans()),
    st.builds(Removes, st.sampled_from(IDS), st.booleans()),
    st.builds(Speaks, ONE, SOME, SIZES, st.booleans()),
    st.builds(Regroups, GROUPS, st.frozensets(MEMBERS, min_size=1), st.booleans()),
    st.builds(Plans, GROUPS, MEMBERS, st.integers(0, 48), st.integers(1, 24)),
    st.builds(Leaves, MEMBERS),
    st.builds(Erases, st.integers(0, 3)),
)
USUAL: tuple[st.SearchStrategy[Event], ...] = (
    *(ALARMS, ALARMS, ALARMS, ANSWERS, ANSWERS, ANSWERS, NEARS, NEARS, NEARS),
    *(CUTS, FAULTS, st.builds(Passes, TIMES, st.booleans()), CHANGES, CHANGES),
)
EVENTS = st.sampled_from(USUAL).flatmap(lambda kind: kind)
"""What is listed more often happens more often."""
BEGINNING = st.builds(Installs, st.just("on-call"), ESCALATIONS, st.just(False))
HISTORIES = st.builds(
    lambda first, rest: [first, *rest], BEGINNING, st.lists(EVENTS, min_size=20, max_size=50)
)


def by_steps(*parties: str, within: int | None = 45) -> Escalate:
    """A minute each, two laps."""
    params = EscalateParams(
        steps=[Step(party, 60) for party in parties], wait=30, laps=2, resolve_within=within
    )
    return Escalate(version=1, when="is_alert", params=params)


AN_HOUR = Retain(version=1, when="true", params=RetainParams(seconds=3600))
ALARM = Alarms("fridge", 0, "medium", "start", NURSES, SHORT)
OVERDUE_BY_OTHER_TERMS: list[Event] = [
    *(Installs("on-call", by_steps(NURSES), agreed=False), Cuts(tick=False), ALARM, Cuts(tick=False)),
    *(Nears(0), Cuts(tick=True), Nears(0), Cuts(tick=True), Nears(0), Cuts(tick=True)),
    *(Installs("on-call", by_steps(DOCTORS, within=900), agreed=False), Cuts(tick=True)),
    *(Answers("bob", 0, "taken", 0), Cuts(tick=True)),
]
"""Nobody had answered; other terms came, and were in force when somebody took it."""

ONCE_EACH: list[Event] = [
    *(Installs("on-call", by_steps(NURSES, DOCTORS), agreed=False), Installs("other", AN_HOUR, agreed=False)),
    *(Cuts(tick=False), ALARM, Cuts(tick=False), Nears(0), Answers("bob", 0, "snoozed", 30), Nears(-1), Nears(0)),
    *(Nears(0), Answers("carol", 0, "taken", 0), Nears(0), Nears(0), Installs("on-call", by_steps(DOCTORS), agreed=True)),
    *(Restarts(reboots=True), Leaps(-3_600_000), Nears(0), Answers("bob", 0, "taken", 0), Cuts(tick=True)),
    *(ALARM._replace(priority="high", state="continue"), Cuts(tick=True, fault="chain.runs"), Nears(1)),
    *(Answers("bob", 0, "taken", 0), Cuts(tick=True), Answers("bob", 0, "released", 0), Nears(0)),
    *(ALARM._replace(state="end"), Answers("alice", 0, "resolved", 0), Passes(3_600_000, tick=False), Leaps(60_000)),
]  # fmt: skip
"""Whatever chance comes to: each thing that a contract can do, once."""


class Broken(Exception):
    """What was used broke."""


class House:
    """A chain, the machine that it is on, and everything that was handed to it."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder)
        self.people = {name: self.world.stranger(name) for name in (*PEOPLE, *DEVICES)} | {
            "admin": self.world.admin
        }
        kinds = {actor.id: "device" if name in DEVICES else "person" for name, actor in self.people.items()}
        self.reading = Reading(GUARDS, kinds | {self.world.gateway.id: "service"}, MOST)
        self.handed: list[tuple[list[Submission], Moment]] = []
        """All that was appended since the first blocks, and when."""
        self.first = 0
        self.boot, self.up, self.wall = 1, 5_000, self.world.now
        self._said: list[Submission] = []
        self._waiting: list[Submission] = []
        self._reboots = True
        self._up_then = 0
        self._move_in()

    def _move_in(self) -> None:
        world, admin = self.world, self.world.admin
        self.first = 1 + world.chain.head.height
        for name in (*PEOPLE, *DEVICES):
            code, actor = world.code(), self.people[name]
            role = "admin" if name == "second" else "member"
            kind = "device" if name in DEVICES else "person"
            invite = admin.invites(code, handle=name, kind=kind, role=role)
            self._waiting += [invite, actor.joins(invite, code, kind=kind, role=role)]
        alice, bob, carol, fridge, pump = (self.people[name] for name in ("alice", "bob", "carol", *DEVICES))
        self._waiting += [
            admin.groups(NURSES, alice.id, bob.id),
            admin.groups(DOCTORS, carol.id),
            *(admin.contact("link", group, of=each.id) for each in (fridge, pump) for group in (NURSES, DOCTORS)),
            admin.contact("link", bob.id, of=alice.id),
        ]  # fmt: skip
        assert all(isinstance(outcome, Committed) for outcome in self.cut(tick=False))

    def lives(self, history: Sequence[Event]) -> None:
        for event in history:
            self._happens(event)
        self.cut(tick=True)

    def rests(self) -> None:
        """Nobody does anything any more, until contracts have nothing left to do."""
        for _ in range(1000):
            due = timers.next_due(self.world.chain.state)
            if due is None:
                return
            self._pass(max(0, due - self.moment().clock))
            before = self.world.chain.head
            self.cut(tick=True)
            assert self.world.chain.head.size == before.size + 1
        pytest.fail("something is due for ever")

    def moment(self) -> Moment:
        """What it has to be, by the machine's uptime where that is known."""
        head = self.world.chain.head
        at = max(self.wall, head.timestamp)
        gone = at - head.timestamp if self._reboots else self.up - self._up_then
        return Moment(at, head.clock + gone)

    def cut(self, *, tick: bool) -> list[Outcome]:
        """Append what waits, after what is due, and see what became of it."""
        uptime, moment, chain = Uptime(f"boot {self.boot}", self.up), self.moment(), self.world.chain
        assert chain.moment(self.wall, uptime) == moment
        due = chain.due(self.wall, uptime)
        assert due == self.reading.due(moment.clock)
        if due:
            self._lies(due, moment, uptime)
        batch = [*self._ticks(due, moment.at), *self._waiting] if tick else self._waiting
        self._waiting = []
        outcomes = chain.append(batch, writer=self.world.writer, now=self.wall, uptime=uptime)
        self.handed.append((batch, moment))
        for submission, outcome in zip(batch, outcomes, strict=True):
            self._learn(submission, outcome, moment)
        if any(isinstance(outcome, Committed) for outcome in outcomes):
            self._reboots, self._up_then = False, self.up
        self.world._tell()
        self._check_alerts()
        return outcomes

    def _ticks(self, due: list[Deed], now: int) -> list[Submission]:
        return [self.world.gateway.ticks(*due, now=now)] if due else []

    def _lies(self, due: list[Deed], moment: Moment, uptime: Uptime) -> None:
        """A tick that says anything else is refused."""
        chain = self.world.chain
        before = dump_state(chain)
        said = [told for lie in LIES if (told := lie(due)) and told != due]
        lies = [self.world.gateway.ticks(*deeds, now=moment.at) for deeds in said]
        lies.append(self.world.gateway.ticks(*due, now=moment.at + 1))
        for outcome in chain.append(lies, writer=self.world.writer, now=self.wall, uptime=uptime):
            assert isinstance(outcome, Refused)
            assert outcome.rule == "contract"
        assert dump_state(chain) == before

    def _learn(self, submission: Submission, outcome: Outcome, moment: Moment) -> None:
        said = submission.signed.entry
        if isinstance(outcome, Committed):
            self.reading.reads(said, moment.at, moment.clock)
            if isinstance(said, Message):
                self._said.append(submission)
            return
        assert not isinstance(said, Tick)
        if isinstance(said, Message) and outcome.rule in ("contract", "rate"):
            assert self.reading.refusal(said, moment.at, moment.clock) == outcome.rule

    def _check_alerts(self) -> None:
        """An alert that is open under a contract waits for something, unless nobody was said; no other waits."""
        chain = self.world.chain
        for alert in chain.state.alerts.began_since(0):
            params = chain.state.contracts.escalation(alert.contract)
            within = params is not None and params.resolve_within is not None
            if alert.is_open:
                assert (alert.due is None) == (params is None or alert.nobody is not None)
            else:
                assert alert.due is None or (within and alert.active and not alert.resolved)

    def _breaks(self, where: str) -> None:
        """An append that fails leaves what is on disk and what is in memory as they were."""
        chain, said = self.world.chain, list(self._waiting)
        before, head = dump_state(chain), chain.head
        # Whatever is asked first, memory fills; then something is installed that does not come to be.
        chain.state.contracts.in_force()
        contract = Retain(version=1, when="true", params=RetainParams(seconds=60))
        said.append(self.people["admin"].installs("broken", contract))
        said.append(self.people["second"].introduces("second"))
        with patch(f"chain.{where}", side_effect=Broken), pytest.raises(Broken):
            chain.append(
                said, writer=self.world.writer, now=self.wall, uptime=Uptime(f"boot {self.boot}", self.up)
            )
        assert (dump_state(chain), chain.head) == (before, head)
        assert chain.state.contracts.in_force() == Register(chain.store.db).in_force()
        for each in self._said:
            message = each.signed.entry
            assert isinstance(message, Message)
            fresh = Docket(State(chain.store.db))
            assert chain._docket.of_message(message, self.wall) == fresh.of_message(message, self.wall)

    def _pass(self, ms: int) -> None:
        self.up, self.wall = self.up + ms, self.wall + ms

    def _happens(self, event: Event) -> None:
        self.world.now = max(self.wall, START)
        match event:
            case Cuts(tick, fault):
                if fault is not None:
                    self._breaks(fault)
                self.cut(tick=tick)
            case Passes(ms, tick):
                self._pass(ms)
                self.cut(tick=tick)
            case Nears(ms):
                self.cut(tick=True)
                due = timers.next_due(self.world.chain.state)
                if due is not None:
                    self._pass(max(0, due - self.moment().clock + ms))
                    self.cut(tick=True)
            case Leaps(ms):
                self.wall = max(START, self.wall + ms)
            case Restarts(reboots):
                self.world.reopen()
                if reboots:
                    self.boot, self.up, self._reboots = self.boot + 1, 7_000, True
            case _:
                self._waiting += self._writes(event)

    def _writes(self, event: Event) -> list[Submission]:  # noqa: PLR0911 - a kind of event a line
        admin, second = self.people["admin"], self.people["second"]
        match event:
            case Speaks(author, to, size, reply):
                re = self._said[-1].signed.entry.id if reply and self._said else None
                return [self.people[author].writes(self._party(to), "x" * size, re=re)]
            case Alarms(device, episode, priority, state, to, size):
                header = Alert(b64url(bytes(15) + bytes([episode])), "technical", priority, state)  # type: ignore[arg-type]
                return [self.people[device].writes(to, "x" * size, alert=header)]
            case Answers(who, newest, state, minutes):
                alarms = [each for each in self._said if getattr(each.signed.entry, "alert", None)]
                says = {"until": self.wall + 60_000 * minutes, "reason": "care"} if state == "snoozed" else {}
                return [self.people[who].answers(each, state, **says) for each in alarms[::-1][newest:][:1]]
            case Installs(contract, terms, agreed):
                deed = admin.installs(contract, self._named(terms))
                return self._agreed(second, deed, agreed=agreed)
            case Removes(contract, agreed):
                return self._agreed(second, admin.removes(contract), agreed=agreed)
            case Regroups(group, members, agreed):
                deed = admin.groups(
                    group, *(self._party(name) for name in members), name="on call" if members else None
                )
                return self._agreed(second, deed, agreed=agreed)
            case Plans(group, account, begins, hours):
                start = self.wall + 3_600_000 * begins
                return [admin.plans(group, start, start + 3_600_000 * hours, account=self._party(account))]
            case Leaves(who):
                return [admin.revokes(self._party(who))]
            case Erases(newest):
                return [admin.redacts(each) for each in self._said[::-1][newest:][:1]]
        raise AssertionError(event)

    def _agreed(self, other: Actor, deed: Submission, *, agreed: bool) -> list[Submission]:
        return [other.says(Approve, deed=deed_of(deed.signed.entry)), deed] if agreed else [deed]

    def _party(self, name: str) -> str:
        return name if name.startswith("g-") else self.people[name].id

    def _named(self, terms: Terms) -> Terms:
        """Steps name people by their ids."""
        if not isinstance(terms, Escalate):
            return terms
        steps = [Step(self._party(step.to), step.after) for step in terms.params.steps]
        return replace(terms, params=replace(terms.params, steps=steps))


@pytest.fixture(autouse=True)
def few_deeds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timers, "MAX_DEEDS", MOST)


RANDOM = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip


def told(chain: Chain) -> Iterator[tuple[Block, list[Deed]]]:
    """Each block, and what its ticks say."""
    for height in range(chain.head.height + 1):
        block = chain.store.block(height)
        ticks = [said for leaf in block.entries if isinstance(said := entry.parse(leaf).entry, Tick)]
        yield block, [deed for tick in ticks for deed in tick.did]


@contextmanager
def lived(history: Sequence[Event]) -> Iterator[House]:
    """A house in which all of this happened, and then nothing any more until contracts had nothing left to do."""
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder))
        with house.world:
            house.lives(history)
            house.rests()
            yield house


# What an alert goes through


@settings(RANDOM, max_examples=60)
@given(history=HISTORIES)
@example(history=ONCE_EACH)
@example(history=OVERDUE_BY_OTHER_TERMS)
def test_contracts_do_what_the_protocol_says_until_there_is_nothing_left_to_do(history: list[Event]) -> None:
    """The house holds each block against the second reading while it is made."""
    with lived(history) as house:
        house.world.close()

        audit(house.world.path)


@settings(RANDOM, max_examples=40)
@given(history=HISTORIES)
@example(history=ONCE_EACH)
def test_every_step_comes_once_in_order_never_early_and_none_after_a_taking(history: list[Event]) -> None:
    with lived(history) as house:
        watch = Watch(house.world.chain)

        for block, deeds in told(house.world.chain):
            watch.sees(block, deeds)


class Watch:
    """Watches one escalation after the other, by what is on the chain alone."""

    def __init__(self, chain: Chain) -> None:
        self._alerts = chain.state.alerts
        self._terms: dict[str, Terms] = {}
        self._steps: dict[str, list[int]] = {}
        """Of an alert, since it began or began anew."""
        self._last: dict[str, int] = {}
        """When it began, or its last step came."""
        self._stopped: set[str] = set()

    def sees(self, block: Block, deeds: list[Deed]) -> None:
        clock = block.header.clock
        for deed in deeds:
            self._sees_deed(deed, clock)
        for run in block.contracts:
            for text in run.effects:
                what, about = text.split()[:2]
                if what == "began":
                    self._begins(about, clock)
                elif what == "stopped":
                    self._stopped.add(about)
        # What was taken and released in one block is released.
        for index, leaf in enumerate(block.entries, block.header.first):
            match entry.parse(leaf).entry:
                case Contract(contract=contract, terms=terms) if terms is not None:
                    self._terms[contract] = terms
                case Status(state="released"):
                    alert = self._alerts.of(index)
                    self._stopped -= {alert.entry} if alert is not None else set()
                case _:
                    pass

    def _begins(self, alert: str, clock: int) -> None:
        self._steps[alert], self._last[alert] = [], clock
        self._stopped.discard(alert)

    def _sees_deed(self, deed: Deed, clock: int) -> None:
        alert, terms = deed.about, self._terms[deed.contract]
        if deed.did == "overdue":
            self._begins(alert, clock)
        if deed.did not in ("step", "nobody"):
            return
        assert isinstance(terms, Escalate)
        assert alert not in self._stopped
        steps, before = terms.params.steps, self._steps[alert]
        if deed.step is None:
            assert before[-1] >= len(steps) - 1
            assert before.count(0) >= terms.params.laps
            assert clock - self._last[alert] >= 1000 * terms.params.wait
            self._begins(alert, clock)
            return
        assert deed.to == steps[deed.step].to
        assert deed.step in (0, *(number + 1 for number in before[-1:]))
        assert clock - self._last[alert] >= 1000 * steps[deed.step].after
        before.append(deed.step)
        self._last[alert] = clock


# Copies


class Clockless(Exception):
    """Somebody asked what time it is."""


@settings(RANDOM, max_examples=40)
@given(history=HISTORIES, every=st.integers(1, 9))
@example(history=ONCE_EACH, every=2)
def test_a_copy_that_is_given_the_same_on_another_day_is_the_same_to_the_byte(
    history: list[Event], every: int
) -> None:
    with (
        lived(history) as house,
        patch("time.time", side_effect=Clockless),
        patch("time.time_ns", side_effect=Clockless),
    ):
        chain = house.world.chain
        path = house.world.path.with_name("copy.db")

        copy = lives_again(house, path, every)

        with closing(copy.store.db):
            assert dump_state(copy) == dump_state(chain)
            assert blocks_of(copy) == blocks_of(chain)


@settings(RANDOM, max_examples=40)
@given(history=HISTORIES)
@example(history=ONCE_EACH)
def test_a_copy_that_is_folded_from_its_blocks_is_the_same_to_the_byte(history: list[Event]) -> None:
    with lived(history) as house:
        wanted = dump_state(house.world.chain)
        house.world.close()
        with closing(sqlite3.connect(house.world.path, isolation_level=None)) as db:
            for table in state.TABLES:
                db.execute(f"DROP TABLE {table}")

        with closing(Chain.open(house.world.path, write=True).store.db) as db:
            found = dump_state(Chain(db, origin=house.world.origin, key=house.world.writer.key))

        assert found == wanted
        audit(house.world.path)


def lives_again(house: House, path: Path, every: int) -> Chain:
    """
    Give a new chain all that the house was given, what was refused, too.

    It is on a machine that has another boot, where steady time is what each block says. It is opened anew after
    every so many blocks.
    """
    world, nonces = house.world, [block.nonce for block, _ in told(house.world.chain)]
    writer = Writer(world.writer.key, world.writer.sign, lambda _: nonces.pop(0))
    store = world.chain.store
    first = [store.block(height) for height in range(house.first)]
    given = [(submissions_of(world.chain, block), Moment(block.timestamp, 0)) for block in first]
    copy = Chain.create(path, origin=world.origin, writer=writer, genesis=given[0][0], now=first[0].timestamp)
    copy.store.write_uptime(Uptime("elsewhere", 0), 0)
    clocks = [block.header.clock for block in first]
    moments = [Moment(moment.at, clock) for (_, moment), clock in zip(given, clocks, strict=True)]
    made = [(batch, moment) for (batch, _), moment in zip(given, moments, strict=True)][1:]
    for number, (batch, moment) in enumerate([*made, *house.handed]):
        if number % every == 0:
            copy.close()
            copy = Chain.open(path, write=True)
        copy.append(batch, writer=writer, now=moment.at, uptime=Uptime("elsewhere", moment.clock))
    return copy


def submissions_of(chain: Chain, block: Block) -> list[Submission]:
    leaves = enumerate(block.entries, block.header.first)
    return [wire.parcel(leaf, chain.store.body(index)).load() for index, leaf in leaves]


def blocks_of(chain: Chain) -> list[tuple[bytes, ...]]:
    return [(block.header_bytes, *block.entries) for block, _ in told(chain)]


# Lies


def less(deeds: list[Deed]) -> list[Deed]:
    return deeds[1:]


def more(deeds: list[Deed]) -> list[Deed]:
    return [*deeds, deeds[0]]


def turned(deeds: list[Deed]) -> list[Deed]:
    return deeds[::-1]


def other(deeds: list[Deed]) -> list[Deed]:
    did = "nobody" if deeds[0].did == "step" else "step"
    return [replace(deeds[0], did=did), *deeds[1:]]


LIES = (less, more, turned, other)


def everything_at_once(house: House) -> None:
    """Two alerts with a step each, both due."""
    terms = Escalate(
        version=1, when="true", params=EscalateParams(steps=[Step(DOCTORS, 60)], wait=60, laps=1)
    )
    alarms = [Alarms("fridge", episode, "high", "start", NURSES, SHORT) for episode in (0, 1)]
    house.lives(
        [
            Installs("on-call", terms, agreed=False),
            Cuts(tick=False),
            *alarms,
            Cuts(tick=False),
        ]
    )


@pytest.mark.parametrize("lie", LIES)
def test_an_audit_finds_the_tick_of_a_gateway_that_says_what_is_not_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lie: Callable[[list[Deed]], list[Deed]]
) -> None:
    house = House(tmp_path)
    with house.world as world:
        everything_at_once(house)
        house.wall += 60_000
        due = world.chain.due(house.wall)
        assert len(due) == len(less(due)) + 1 == 2
        with monkeypatch.context() as program:
            program.setattr(rules, "RULES", rules.RULES | {Tick: believed})
            world.now = house.wall
            world.commit(world.gateway.ticks(*lie(due)))
        height = world.chain.head.height

    with pytest.raises(Damaged, match="tick") as found:
        audit(world.path)

    assert found.value.height == height


def believed(said: Tick, _: Context) -> Admitted:
    return Admitted(frozenset({said.author}))


Runs = list[ContractRun]
FORGERIES: dict[str, Callable[[Runs], Runs]] = {
    "nothing": lambda _: [],
    "not that": lambda runs: [replace(run, effects=[]) for run in runs],
    "one less": lambda runs: [replace(run, effects=run.effects[1:]) for run in runs],
    "one more": lambda runs: [replace(run, effects=[*run.effects, *run.effects[:1]]) for run in runs],
    "turned": lambda runs: [replace(run, effects=run.effects[::-1]) for run in runs],
    "flipped": lambda runs: [replace(run, effects=[flip(text) for text in run.effects]) for run in runs],
    "another text": lambda runs: [replace(run, hash=b64url(bytes(32))) for run in runs],
}


def flip(text: str) -> str:
    return chr(ord(text[0]) ^ 1) + text[1:]


@pytest.mark.parametrize("forgery", FORGERIES)
def test_an_audit_finds_a_header_whose_effects_are_others_though_the_gateway_signed_it(
    tmp_path: Path, forgery: str
) -> None:
    house = House(tmp_path)
    with house.world as world:
        everything_at_once(house)
        changed = [
            block.id
            for block, _ in told(world.chain)
            if FORGERIES[forgery](block.header.contracts) != block.contracts
        ]
        height = changed[0]
    forge(world, height, FORGERIES[forgery])

    with pytest.raises(Damaged, match="what contracts did") as found:
        audit(world.path)

    assert found.value.height == height


def forge(world: World, height: int, change: Callable[[Runs], Runs]) -> None:
    """Have a block say something else of its contracts; link all later ones to it, and sign them as the gateway does."""
    with closing(sqlite3.connect(world.path, isolation_level=None)) as db:
        rows = db.execute(
            "SELECT height, header FROM block WHERE height >= ? ORDER BY height", (height,)
        ).fetchall()
        previous = None
        for number, data in rows:
            header = blocks.read_header(data)
            if previous is None:
                header = replace(header, contracts=change(header.contracts))
            else:
                header = replace(header, previous_hash=b64url(previous))
            block = Block(header, ())
            previous = block.hash
            db.execute(
                "UPDATE block SET header = ?, hash = ? WHERE height = ?",
                (block.header_bytes, previous, number),
            )
            signed = world.gateway.keys.sign(blocks.signed_bytes(previous))
            db.execute("UPDATE signature SET block = ? WHERE height = ?", (signed, number))
