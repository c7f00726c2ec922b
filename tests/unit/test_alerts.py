"""The life of an alert on the chain: what is open, who has it, and what makes it escalate anew."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chain.alerts import Alert
from chain.contracts.terms import Escalate, EscalateParams, Retain, RetainParams, Step
from chain.encoding import b64url
from chain.entry import Alert as Header
from chain.store import Uptime
from chain.wire import Submission
from tests.world import DAY, Actor, World

MINUTE = 60_000


class Ward:
    """A fridge that speaks to the nurses; after a minute the doctors are told, a minute later it was nobody."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.alice, self.bob, self.carol = (world.join(name) for name in ("alice", "bob", "carol"))
        self.fridge = world.device("fridge")
        self.nurses, self.doctors = world.group(self.alice, self.bob), world.group(self.carol)
        world.link(self.fridge, self.nurses)
        self.installs(within=900)

    def installs(self, *, laps: int = 1, within: int | None = None, steps: int = 1) -> None:
        params = EscalateParams(
            steps=[Step(self.doctors, 60)] * steps, wait=60, laps=laps, resolve_within=within
        )
        self.world.commit(
            self.world.admin.installs("on-call", Escalate(version=1, when="is_alert", params=params))
        )

    def says(self, state: str = "start", priority: str = "medium", **says: Any) -> Submission:
        """The fridge, of its one episode."""
        header = Header(b64url(bytes(16)), "physiological", priority, state)  # type: ignore[arg-type]
        message = self.fridge.writes(self.nurses, alert=header, **says)
        self.world.commit(message)
        return message

    def answers(self, who: Actor, message: Submission, state: str, **says: Any) -> None:
        self.world.commit(who.answers(message, state, **says))

    def snoozes(self, who: Actor, message: Submission, ms: int) -> None:
        self.answers(who, message, "snoozed", until=self.world.now + ms, reason="care")

    def passes(self, seconds: float) -> list[str]:
        return [deed.did for deed in self.world.passes(seconds)]

    @property
    def alert(self) -> Alert:
        (alert,) = self.world.chain.state.alerts.began_since(0)
        return alert


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[Ward]:
    with World(tmp_path) as world:
        yield Ward(world)


# As facts.md of other projects' errors has it: each of these was somebody's bug.


def test_taking_an_alert_stops_every_step_that_was_to_come_for_everyone(ward: Ward) -> None:
    ward.installs(laps=3, steps=3)
    message = ward.says()
    assert ward.passes(60) == ["step"]

    ward.answers(ward.bob, message, "taken")

    assert ward.passes(DAY) == []
    assert ward.alert.taken_by == ward.bob.id


def test_taking_an_alert_that_ended_meanwhile_does_not_open_it_again(ward: Ward) -> None:
    message = ward.says()
    ward.says("end")

    ward.answers(ward.bob, message, "taken")

    assert (ward.alert.active, ward.alert.is_open, ward.alert.due) == (False, False, None)
    assert ward.passes(DAY) == []


def test_a_priority_that_rises_clears_the_taking_and_escalation_begins_anew(ward: Ward) -> None:
    message = ward.says(priority="medium")
    ward.answers(ward.bob, message, "taken")

    ward.says("continue", priority="high")

    assert (ward.alert.taken_by, ward.alert.taken, ward.alert.is_open) == (None, None, True)
    assert ward.passes(60) == ["step"]


@pytest.mark.parametrize("priority", ["medium", "low", "info"])
def test_a_priority_that_does_not_rise_leaves_the_taking(ward: Ward, priority: str) -> None:
    message = ward.says(priority="medium")
    ward.answers(ward.bob, message, "taken")

    ward.says("continue", priority=priority)

    assert ward.alert.taken_by == ward.bob.id


def test_a_priority_that_fell_and_rises_again_clears_the_taking(ward: Ward) -> None:
    message = ward.says(priority="high")
    ward.says("continue", priority="low")
    ward.answers(ward.bob, message, "taken")

    ward.says("continue", priority="medium")

    assert ward.alert.is_open


def test_a_snooze_always_ends(ward: Ward) -> None:
    message = ward.says()
    ward.snoozes(ward.bob, message, 30 * MINUTE)

    assert ward.passes(29 * 60) == []
    assert ward.passes(60) == ["woken", "step"]
    assert ward.alert.snoozed is None


def test_a_snooze_that_ends_before_the_step_does_not_hurry_it(ward: Ward) -> None:
    message = ward.says()
    ward.snoozes(ward.bob, message, MINUTE // 2)

    assert ward.passes(30) == ["woken"]
    assert ward.passes(20) == []
    assert ward.passes(20) == ["step"]


@pytest.mark.parametrize(
    ("says", "rule"),
    [
        ({"reason": "care"}, "malformed"),
        ({"until": 0, "reason": "care"}, "malformed"),
        ({"until": DAY + 1, "reason": "care"}, "malformed"),
        ({"until": MINUTE}, "malformed"),
    ],
)
def test_no_silence_is_without_an_end_or_a_reason_or_longer_than_a_day(
    ward: Ward, says: dict[str, Any], rule: str
) -> None:
    message = ward.says()
    if "until" in says:
        says = says | {"until": ward.world.now + says["until"]}

    refusal = ward.world.refusal(ward.bob.answers(message, "snoozed", **says))

    assert refusal.rule == rule


def test_the_end_of_an_escalation_is_said_aloud_and_reaches_the_admins(ward: Ward) -> None:
    ward.says()

    assert ward.passes(60) == ["step"]
    assert ward.passes(60) == ["nobody"]
    state = ward.world.chain.state
    said = ward.world.chain.head.size - 1
    assert ward.alert.is_open
    assert ward.alert.nobody is not None
    assert all(state.was_received(who.id, said) for who in (ward.world.admin, ward.alice, ward.carol))


def test_an_escalation_whose_last_step_is_empty_is_refused_when_it_is_saved(ward: Ward) -> None:
    for nobody in (ward.world.new_group(), ward.world.stranger("mallory").id):
        params = EscalateParams(steps=[Step(ward.doctors, 60), Step(nobody, 60)], wait=60, laps=1)
        terms = Escalate(version=1, when="true", params=params)

        refusal = ward.world.refusal(ward.world.admin.installs("other", terms))

        assert (refusal.rule, "step 2" in refusal.reason) == ("contract", True)


def test_nothing_may_empty_the_last_step_of_an_escalation_in_force(ward: Ward) -> None:
    admin, world = ward.world.admin, ward.world

    assert world.refusal(admin.revokes(ward.carol.id)).rule == "contract"
    assert world.refusal(admin.groups(ward.doctors, name=None)).rule == "contract"

    world.commit(admin.removes("on-call"))
    world.commit(admin.revokes(ward.carol.id))


# Answers


def test_an_alert_that_ended_while_nobody_took_it_stays_open_and_escalates(ward: Ward) -> None:
    ward.says()

    ward.says("end")

    assert (ward.alert.active, ward.alert.is_open) == (False, True)
    assert ward.passes(60) == ["step"]


def test_an_answer_to_what_it_was_before_it_rose_does_not_count(ward: Ward) -> None:
    older = ward.says(priority="low")
    newer = ward.says("continue", priority="high")

    ward.answers(ward.bob, older, "taken")
    assert ward.alert.is_open
    ward.answers(ward.bob, newer, "taken")
    assert not ward.alert.is_open


def test_a_release_goes_on_with_the_step_that_was_to_come(ward: Ward) -> None:
    ward.installs(steps=2)
    message = ward.says()
    assert ward.passes(60) == ["step"]
    ward.answers(ward.bob, message, "taken")
    assert ward.passes(3600) == []

    ward.answers(ward.bob, message, "released")

    (deed,) = ward.world.passes(60)
    assert (deed.did, deed.step) == ("step", 1)


def test_a_release_after_nobody_answered_begins_anew(ward: Ward) -> None:
    message = ward.says()
    ward.passes(60)
    assert ward.passes(60) == ["nobody"]
    ward.answers(ward.bob, message, "taken")

    ward.answers(ward.bob, message, "released")

    assert ward.alert.nobody is None
    assert ward.passes(60) == ["step"]


def test_what_is_taken_and_not_resolved_in_time_begins_again(ward: Ward) -> None:
    message = ward.says()
    ward.answers(ward.bob, message, "taken")

    assert ward.passes(900) == ["overdue"]
    assert ward.alert.is_open
    assert ward.passes(60) == ["step"]


def test_what_is_resolved_or_over_is_never_overdue(ward: Ward) -> None:
    message = ward.says()
    ward.answers(ward.bob, message, "taken")
    ward.answers(ward.alice, message, "resolved")

    assert ward.passes(DAY) == []


def test_the_one_who_took_it_last_has_it_and_who_took_it_first_is_remembered(ward: Ward) -> None:
    message = ward.says()
    ward.answers(ward.bob, message, "taken")
    first = ward.alert.answered

    ward.answers(ward.alice, message, "taken")

    assert (ward.alert.taken_by, ward.alert.answered) == (ward.alice.id, first)


def test_an_alert_that_begins_again_after_its_end_is_open_again(ward: Ward) -> None:
    message = ward.says()
    ward.answers(ward.bob, message, "resolved")
    ward.says("end")

    ward.says("start")

    assert ward.alert.is_open
    assert ward.passes(60) == ["step"]


def test_who_is_named_by_a_step_may_read_all_of_it_and_answer(ward: Ward) -> None:
    message = ward.says()
    refusal = ward.world.refusal(ward.carol.answers(message, "taken"))
    assert refusal.rule == "permission"
    ward.passes(60)

    ward.answers(ward.carol, message, "taken")

    found = ward.world.chain.store.find(message.signed.entry.id)
    assert found is not None
    assert ward.world.chain.state.may_read(ward.carol.id, found[0])
    assert ward.alert.taken_by == ward.carol.id


# Contracts that change under an alert


def test_by_other_terms_an_alert_goes_on_from_the_step_where_it_was(ward: Ward) -> None:
    ward.installs(steps=3)
    ward.says()
    ward.passes(60)

    ward.installs(steps=2)

    assert [(deed.did, deed.step) for deed in ward.world.passes(60)] == [("step", 1)]


def test_by_terms_with_fewer_steps_the_laps_that_are_left_are_gone_through(ward: Ward) -> None:
    ward.installs(steps=2)
    ward.says()
    ward.passes(60)

    ward.installs(steps=1, laps=2)

    assert [ward.passes(119), ward.passes(1), ward.passes(60)] == [[], ["step"], ["nobody"]]


def test_other_terms_leave_a_snooze_and_what_comes_after_it_fits_them(ward: Ward) -> None:
    ward.installs(steps=2)
    message = ward.says()
    ward.passes(60)
    ward.snoozes(ward.bob, message, 30 * MINUTE)

    ward.installs(steps=1, laps=2)

    assert ward.passes(29 * 60) == []
    assert ward.passes(60) == ["woken", "step"]


@pytest.mark.parametrize(("within", "deeds"), [(None, []), (60, ["overdue"])])
def test_other_terms_say_until_when_a_taken_alert_is_to_be_resolved(
    ward: Ward, within: int | None, deeds: list[str]
) -> None:
    message = ward.says()
    ward.passes(60)
    assert ward.passes(60) == ["nobody"]
    ward.answers(ward.bob, message, "taken")

    ward.installs(within=within)

    assert ward.passes(59) == []
    assert ward.passes(1) == deeds


def test_without_its_contract_an_alert_stops_and_that_nobody_answered_stays(ward: Ward) -> None:
    ward.says()
    ward.passes(60)
    assert ward.passes(60) == ["nobody"]

    ward.world.commit(ward.world.admin.removes("on-call"))

    assert ward.alert.due is None
    assert ward.alert.nobody is not None
    assert ward.passes(DAY) == []


def test_the_body_of_an_alert_is_kept_while_it_is_open(ward: Ward) -> None:
    month = Retain(version=1, when="true", params=RetainParams(seconds=900))
    ward.world.commit(ward.world.admin.installs("a-while", month))
    message = ward.says()
    ward.passes(60)
    assert ward.passes(3600) == ["nobody"]

    ward.answers(ward.bob, message, "resolved")

    assert ward.passes(1) == ["erased"]


def test_the_body_of_an_alert_is_kept_that_is_overdue_at_that_very_moment(ward: Ward) -> None:
    month = Retain(version=1, when="true", params=RetainParams(seconds=900))
    ward.world.commit(ward.world.admin.installs("a-while", month))
    message = ward.says()
    ward.answers(ward.bob, message, "taken")

    assert ward.passes(901) == ["overdue"]
    assert ward.alert.is_open


# Steady time


class Machine:
    """On which the gateway runs: how long it is up, and what its wall clock says."""

    def __init__(self, ward: Ward) -> None:
        self._world = ward.world
        self.up, self.boot, self.wall = 50_000, "one", ward.world.now

    def passes(self, ms: int) -> list[str]:
        self.up += ms
        self.wall += ms
        return self.commits()

    def commits(self) -> list[str]:
        """What contracts do now."""
        world, uptime = self._world, Uptime(self.boot, self.up)
        deeds = world.chain.due(self.wall, uptime)
        now = world.chain.moment(self.wall, uptime).at
        entry = world.gateway.ticks(*deeds, now=now) if deeds else world.admin.introduces("admin")
        world.chain.append([entry], writer=world.writer, now=self.wall, uptime=uptime)
        world._tell()
        return [deed.did for deed in deeds]


@pytest.fixture
def machine(ward: Ward) -> Machine:
    machine = Machine(ward)
    machine.commits()
    ward.says()
    machine.commits()
    return machine


@pytest.mark.parametrize("leap", [-365 * DAY, -MINUTE, MINUTE, 365 * DAY])
def test_a_wall_clock_that_leaps_either_way_changes_no_timer(machine: Machine, leap: int) -> None:
    machine.wall += leap

    # World appended the alert without an uptime, a second after the block before.
    assert machine.passes(57_000) == []
    assert machine.passes(3_000) == ["step"]


def test_steady_time_goes_on_over_a_restart_of_the_gateway(ward: Ward, machine: Machine) -> None:
    machine.passes(30_000)
    clock = ward.world.chain.head.clock
    ward.world.reopen()
    machine.wall += 365 * DAY

    machine.passes(1_000)

    assert ward.world.chain.head.clock == clock + 1_000


def test_after_another_boot_the_wall_clock_is_believed(ward: Ward, machine: Machine) -> None:
    head = ward.world.chain.head
    machine.up, machine.boot, machine.wall = 3_000, "another", head.timestamp + 20_000

    machine.commits()

    assert ward.world.chain.head.clock == head.clock + 20_000


@pytest.mark.parametrize("boot", ["one", "another"])
def test_steady_time_never_goes_back(ward: Ward, machine: Machine, boot: str) -> None:
    head = ward.world.chain.head
    machine.up, machine.boot, machine.wall = 0, boot, head.timestamp - DAY

    machine.commits()

    assert ward.world.chain.head.clock == head.clock
    assert ward.world.chain.head.timestamp == head.timestamp


def test_of_earlier_boots_nothing_is_kept(ward: Ward, machine: Machine) -> None:
    machine.boot = "another"
    machine.commits()

    assert ward.world.chain.store.steady(Uptime("one", machine.up)) is None
    assert ward.world.chain.store.steady(Uptime("another", machine.up + 7)) == ward.world.chain.head.clock + 7
