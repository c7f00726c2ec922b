"""The dry run of an escalation comes to what really happens where the same contract is in force."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from chain.contracts import dryrun, timers
from chain.contracts.terms import Escalate, EscalateParams, Step
from chain.entry import Alert, Deed
from tests.world import START, World

BEGINS = START + 10_000_000
"""When everybody is there."""

HALVES = st.integers(1, 20).map(lambda halves: 30 * halves)
"""Seconds, so that much is due at the very moment when something is said."""

EPISODES = ("a" * 22, "b" * 22, "c" * 22)
CONTRACT = "on-call"


class Rings(Struct, frozen=True):
    """The device says something about an episode."""

    episode: str
    priority: Literal["high", "medium", "low"]
    state: Literal["start", "continue", "end"]


class Answers(Struct, frozen=True):
    """Somebody answers one of the messages so far, counted from the newest."""

    who: int
    which: int
    state: Literal["seen", "taken", "released", "resolved", "snoozed"]
    seconds: int


Event = Rings | Answers

rings = st.builds(
    Rings,
    st.sampled_from(EPISODES),
    st.sampled_from(["high", "medium", "low"]),
    st.sampled_from(["start", "continue", "continue", "end"]),
)
answers = st.builds(
    Answers,
    st.integers(0, 1),
    st.integers(0, 3),
    st.sampled_from(["seen", "taken", "released", "resolved", "snoozed"]),
    HALVES,
)
stories = st.lists(st.tuples(HALVES, rings | answers), min_size=1, max_size=14)
plans = st.builds(
    EscalateParams,
    steps=st.lists(
        st.builds(Step, st.sampled_from(["first", "second"]), st.just(0) | HALVES), min_size=1, max_size=3
    ),
    wait=HALVES,
    laps=st.integers(1, 3),
    resolve_within=st.none() | HALVES,
)
guards = st.sampled_from(
    ["is_alert", 'priority == "high"', 'state != "end" && priority in ["high", "medium"]']
)


class Story:
    """A world where a story is told, with or without the contract."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder)
        self.fridge = self.world.device("fridge-2")
        self.staff = [self.world.join("alice"), self.world.join("bob")]
        self.groups = {
            "first": self.world.group(*self.staff),
            "second": self.world.group(self.world.join("carol")),
        }
        self.world.link(self.fridge, self.groups["first"])
        self.did: list[Deed] = []

    def terms(self, params: EscalateParams, when: str) -> Escalate:
        """The contract, with the groups of this world."""
        steps = [Step(self.groups[step.to], step.after) for step in params.steps]
        named = EscalateParams(
            steps=steps, wait=params.wait, laps=params.laps, resolve_within=params.resolve_within
        )
        return Escalate(version=1, when=when, params=named)

    def tell(self, story: list[tuple[int, Event]], *, ends: int) -> None:
        """All of it, and what contracts do meanwhile, each thing when it is due."""
        messages = []
        now = BEGINS
        for seconds, event in story:
            now += 1000 * seconds
            self.pass_until(now)
            match event:
                case Rings(episode, priority, state):
                    header = Alert(episode, "physiological", priority, state)
                    messages.append(self.fridge.writes(self.groups["first"], alert=header))
                    self.world.commit(messages[-1])
                case Answers(who, which, state, seconds) if messages:
                    snoozed = {"until": now + 1000 * seconds, "reason": "care"} if state == "snoozed" else {}
                    about = messages[-1 - which % len(messages)]
                    self.world.commit(self.staff[who].answers(about, state, **snoozed))
                case _:
                    pass
        self.pass_until(ends)

    def pass_until(self, now: int) -> None:
        world = self.world
        while (due := timers.next_due(world.chain.state)) is not None:
            head = world.chain.head
            at = head.timestamp + max(0, due - head.clock)
            if at > now:
                break
            world.now = at
            deeds = world.chain.due(at)
            world.commit(world.gateway.ticks(*deeds))
            self.did += deeds
        world.now = now


def by_alert(deeds: list[Deed]) -> dict[str, list[Deed]]:
    found: dict[str, list[Deed]] = {}
    for deed in deeds:
        found.setdefault(deed.about, []).append(deed)
    return found


@settings(deadline=None, max_examples=40)
@given(plans, guards, stories)
def test_it_comes_to_what_really_happens(
    params: EscalateParams, when: str, story: list[tuple[int, Event]]
) -> None:
    ends = BEGINS + 1000 * (sum(seconds for seconds, _ in story) + 3600)
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        really, rehearsed = Story(Path(one)), Story(Path(other))
        terms = really.terms(params, when)
        assert rehearsed.terms(params, when) == terms
        really.world.commit(really.world.admin.installs(CONTRACT, terms))
        for each in (really, rehearsed):
            each.tell(story, ends=ends)

        past = dryrun.Past(rehearsed.world.chain, CONTRACT, terms, ends)
        found = dryrun.courses(past, terms)

        assert by_alert([deed for course in found.acted for deed in course.deeds]) == by_alert(really.did)
        assert not rehearsed.did
        for each in (really, rehearsed):
            each.world.close()
