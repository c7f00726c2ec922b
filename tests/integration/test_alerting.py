"""
Alerts that nobody can miss, through a real gateway and both brokers.

The errors that other projects have made with alerts each have a test here. None measures how fast something is: what must
not happen any more has not happened when a later alert, which nobody answers, has escalated for longer.
"""

from collections.abc import Iterator
from itertools import cycle, islice, pairwise

import pytest

from chain.contracts.terms import Step
from chain.entry import Group, Revoke, Shift
from chain.errors import Refused
from tests.night import ADMIN, ALL, KIM, LEE, ROE, Night, Raised, until
from tests.sites import BOTH_KINDS, running_site

HOUR = 3_600_000
ENDLESS = 100
"""So many laps that whoever answers does so before the last."""

pytestmark = BOTH_KINDS


@pytest.fixture(scope="module")
def lan(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory, *, lan: bool) -> Iterator[Night]:
    with running_site(tmp_path_factory.mktemp("site"), lan=lan) as site, Night(site) as ward:
        yield ward


@pytest.fixture
def night(ward: Night) -> Iterator[Night]:
    """Alerts reach the nurses after a second, and Roe a second later. None is left over for the next test."""
    ward.escalates()
    yield ward
    ward.resolves_all()


def outwaited(night: Night) -> None:
    """A later alert has got further than any other was from its next step."""
    later = night.alerts()
    until(lambda: len(night.deeds(later)) >= 2, "a later alert escalates")


def in_turn(night: Night, count: int) -> list[str]:
    """Whom so many steps name, lap after lap."""
    return list(islice(cycle([night.nurses, night.accounts[ROE]]), count))


def begins_anew(night: Night, alert: Raised, *, after: int) -> None:
    """Its steps come one after the other from the first, each in its time, after the entry at that index."""
    deeds = until(lambda: [*night.deeds(alert, after)][1:] and night.deeds(alert, after), "it escalates anew")
    assert [deed.did for deed in deeds[:2]] == ["step", "step"]
    assert [deed.to for deed in deeds] == in_turn(night, len(deeds))
    times = [night.clock_of(after), *(deed.clock for deed in deeds)]
    assert all(later - sooner >= 1000 for sooner, later in pairwise(times)), times


# Taking


def test_taking_stops_every_queued_step_for_everyone(night: Night) -> None:
    night.escalates(laps=ENDLESS)
    alert = night.alerts()
    night.waits_for(alert, "step")

    taken = night.answers(LEE, alert, "taken")
    outwaited(night)

    assert night.deeds(alert, taken) == []
    told = night.did(alert)
    for handle in (KIM, LEE):
        line = night.listed(handle)[alert.id]
        assert (line.taken_by, line.due_in) == (night.accounts[LEE], None)
        assert night.ears[handle].deeds(alert) == told
    night.hears(KIM, alert, "taken")


def test_taking_one_that_ended_meanwhile_does_not_open_it_again(night: Night) -> None:
    night.escalates(laps=ENDLESS, resolve_within=1)
    alert = night.alerts()
    night.alerts(alert.episode, state="end")

    taken = night.answers(KIM, alert, "taken")
    outwaited(night)

    assert night.deeds(alert, taken) == []
    line = night.listed(KIM)[alert.id]
    assert (line.active, line.taken_by, line.due_in) == (False, night.accounts[KIM], None)


def test_an_end_after_the_taking_does_not_open_it_again(night: Night) -> None:
    night.escalates(laps=ENDLESS)
    alert = night.alerts()
    night.answers(KIM, alert, "taken")

    end = night.alerts(alert.episode, state="end")
    outwaited(night)

    assert night.deeds(alert, end.at) == []
    assert not night.state_of(alert).is_open


def test_a_raised_priority_clears_the_taking(night: Night) -> None:
    night.escalates(laps=ENDLESS)
    alert = night.alerts(priority="low")
    night.waits_for(alert, "step")
    night.answers(KIM, alert, "taken")

    more = night.alerts(alert.episode, priority="high", state="continue")

    assert night.state_of(alert).taken_by is None
    begins_anew(night, alert, after=more.at)


def test_who_took_it_before_it_rose_has_not_taken_it(night: Night) -> None:
    alert = night.alerts(priority="low")
    more = night.alerts(alert.episode, priority="high", state="continue")

    night.answers(KIM, alert, "taken")

    assert night.state_of(alert).is_open
    begins_anew(night, alert, after=more.at)


def test_more_of_the_same_leaves_the_taking(night: Night) -> None:
    night.escalates(laps=ENDLESS)
    alert = night.alerts()
    taken = night.answers(KIM, alert, "taken")

    night.alerts(alert.episode, state="continue")
    outwaited(night)

    assert night.deeds(alert, taken) == []


def test_to_have_seen_it_stops_nothing(night: Night) -> None:
    alert = night.alerts()

    night.answers(KIM, alert, "seen")

    night.comes_to(alert, *ALL)


def test_what_is_released_goes_on_where_it_was(night: Night) -> None:
    night.escalates(laps=ENDLESS)
    alert = night.alerts()
    night.waits_for(alert, "step")
    night.answers(KIM, alert, "taken")
    before = night.deeds(alert)

    released = night.answers(KIM, alert, "released")

    (deed, *_) = until(lambda: night.deeds(alert, released), "it goes on")
    assert [each.to for each in (*before, deed)] == in_turn(night, len(before) + 1)
    assert deed.clock - night.clock_of(released) >= 1000


def test_what_was_taken_and_not_resolved_in_time_escalates_again(night: Night) -> None:
    night.escalates(laps=ENDLESS, resolve_within=1)
    alert = night.alerts()
    night.waits_for(alert, "step")

    taken = night.answers(KIM, alert, "taken")

    overdue, *_ = until(lambda: night.deeds(alert, taken), "it is overdue")
    assert overdue.did == "overdue"
    assert overdue.clock - night.clock_of(taken) >= 1000
    begins_anew(night, alert, after=overdue.at)
    assert night.state_of(alert).is_open


def test_what_was_resolved_in_time_does_not(night: Night) -> None:
    night.escalates(laps=ENDLESS)
    alert = night.alerts()
    night.answers(KIM, alert, "taken")

    resolved = night.answers(LEE, alert, "resolved")
    outwaited(night)

    assert night.deeds(alert, resolved) == []


# Silence


def test_silence_ends_by_itself_and_escalation_goes_on_where_it_was(night: Night) -> None:
    night.escalates(laps=ENDLESS)
    alert = night.alerts()
    night.waits_for(alert, "step")
    ends = night.now + 2000

    snoozed = night.answers(KIM, alert, "snoozed", until=ends, reason="care")

    woken, *_ = until(lambda: night.deeds(alert, snoozed), "it wakes")
    assert woken.did == "woken"
    assert woken.clock - night.clock_of(snoozed) >= ends - night.time_of(snoozed)
    until(lambda: len(night.deeds(alert, snoozed)) >= 2, "it goes on")
    steps = [deed.to for deed in night.deeds(alert) if deed.did == "step"]
    assert steps == in_turn(night, len(steps))
    assert night.state_of(alert).snoozed is None


def test_no_silence_is_longer_than_a_day_or_without_an_end_and_a_reason(night: Night) -> None:
    alert = night.alerts()

    for says in (
        {"until": night.now + 25 * HOUR, "reason": "known"},
        {"until": night.now - HOUR, "reason": "known"},
        {"until": night.now + HOUR},
        {"reason": "known"},
        {},
    ):
        with pytest.raises(Refused) as refused:
            night.answers(KIM, alert, "snoozed", **says)
        assert refused.value.rule == "malformed"

    night.comes_to(alert, *ALL)


def test_what_rises_is_not_silent_any_more(night: Night) -> None:
    night.escalates(laps=ENDLESS)
    alert = night.alerts(priority="low")
    night.answers(KIM, alert, "snoozed", until=night.now + HOUR, reason="transport")

    more = night.alerts(alert.episode, priority="high", state="continue")

    assert night.state_of(alert).snoozed is None
    begins_anew(night, alert, after=more.at)


# Duty


def test_a_shift_is_taken_from_somebody(night: Night) -> None:
    kim, lee, roe, now = (*(night.accounts[handle] for handle in (KIM, LEE, ROE)), night.now)
    planned = {"party": night.nurses, "begins": now - HOUR, "ends": now + HOUR}
    night.says(ADMIN, Shift, **planned, account=kim)
    assert night.on_duty() == {kim}

    night.says(LEE, Shift, **{**planned, "begins": now}, account=lee, instead=kim)

    assert night.on_duty() == {lee}
    for author, account, instead, rule in (
        (LEE, lee, kim, "unknown"),
        (LEE, lee, roe, "unknown"),
        (ROE, roe, lee, "permission"),
        (KIM, lee, kim, "permission"),
    ):
        with pytest.raises(Refused) as refused:
            night.says(author, Shift, **{**planned, "begins": now}, account=account, instead=instead)
        assert refused.value.rule == rule
    night.says(ADMIN, Shift, **planned, instead=lee)
    assert night.on_duty() == {kim, lee}


def test_who_is_not_on_duty_hears_of_it_all_the_same(night: Night) -> None:
    planned = {"party": night.nurses, "begins": night.now - HOUR, "ends": night.now + HOUR}
    night.says(ADMIN, Shift, **planned, account=night.accounts[KIM])

    alert = night.alerts()

    night.comes_to(alert, *ALL)
    night.hears(LEE, alert, "nobody")
    night.says(ADMIN, Shift, **planned, instead=night.accounts[KIM])


# The end of it


def test_the_end_of_an_escalation_is_loud(night: Night) -> None:
    alert = night.alerts()

    deeds = night.comes_to(alert, *ALL)

    assert [deed.to for deed in deeds] == [*in_turn(night, 2), None]
    for handle in (KIM, LEE, ROE):
        assert night.listed(handle)[alert.id].nobody
    # Roe is named by the second step, and the admin by none.
    for handle, did in {KIM: ALL, LEE: ALL, ROE: ALL[1:], ADMIN: ALL[2:]}.items():
        night.hears(handle, alert, "nobody")
        assert night.ears[handle].deeds(alert) == list(did)


def test_laps_begin_again_with_the_first_step_and_come_to_an_end(night: Night) -> None:
    night.escalates(laps=2)

    alert = night.alerts()

    deeds = night.comes_to(alert, *ALL[:2], *ALL)
    assert [deed.to for deed in deeds] == [*in_turn(night, 4), None]
    times = [night.clock_of(alert.at), *(deed.clock for deed in deeds)]
    assert all(later - sooner >= 1000 for sooner, later in pairwise(times)), times


def test_what_ended_while_nobody_had_taken_it_stays_listed_and_escalates(night: Night) -> None:
    alert = night.alerts()

    night.alerts(alert.episode, state="end")

    line = night.listed(KIM)[alert.id]
    assert (line.active, line.taken_by, line.resolved) == (False, None, False)
    night.comes_to(alert, *ALL)
    assert alert.id in night.listed(ROE)
    night.answers(ROE, alert, "taken")
    assert not night.state_of(alert).is_open


def test_a_chain_whose_last_step_can_be_empty_is_refused_when_saved(night: Night) -> None:
    nobody = f"g-{night.accounts[KIM]}"
    for steps in ((Step(night.nurses, 1), Step(nobody, 1)), (Step(nobody, 1), Step(night.nurses, 1))):
        with pytest.raises(Refused) as refused:
            night.escalates(*steps)
        assert refused.value.rule == "contract"

    night.comes_to(night.alerts(), *ALL)


def test_what_would_empty_the_last_step_later_is_refused(night: Night) -> None:
    with pytest.raises(Refused) as refused:
        night.says(ADMIN, Revoke, account=night.accounts[ROE], reason="left")
    assert refused.value.rule == "contract"
    night.escalates(Step(night.nurses, 1))

    with pytest.raises(Refused) as refused:
        night.says(ADMIN, Group, group=night.nurses, members=[])

    assert refused.value.rule == "contract"
    night.comes_to(night.alerts(), "step", "nobody")


def test_whom_a_step_names_may_read_it_and_take_it_and_nobody_before(night: Night) -> None:
    night.escalates(Step(night.nurses, 1), laps=ENDLESS)
    alert = night.alerts()
    with pytest.raises(Refused) as refused:
        night.answers(ROE, alert, "taken")
    assert refused.value.rule == "permission"
    assert alert.id not in night.listed(ROE)

    night.escalates(laps=ENDLESS)
    until(lambda: night.accounts[ROE] in {deed.to for deed in night.deeds(alert)}, "a step names Roe")

    assert alert.id in night.entries(ROE, alert)
    taken = night.answers(ROE, alert, "taken")
    outwaited(night)
    assert night.deeds(alert, taken) == []
    night.hears(KIM, alert, "taken")
