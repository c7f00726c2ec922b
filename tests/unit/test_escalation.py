"""Escalation: every step happens once, in order, never early; what is late does not come all at once."""

from msgspec.structs import replace

from chain.alerts import Alert
from chain.contracts.escalation import fired
from chain.contracts.terms import EscalateParams, Step

ALERT = "0199f6a0-0000-7000-8000-000000000000"
NURSES, DOCTORS = "g-" + "a" * 26, "g-" + "b" * 26
PARAMS = EscalateParams(steps=[Step(NURSES, 60), Step(DOCTORS, 0)], wait=30, laps=2, resolve_within=900)


def alert() -> Alert:
    """It began at 0 in steady time, when the wall clock said 1,000,000."""
    begun = Alert(
        idx=7,
        entry=ALERT,
        author="fridge",
        episode="e",
        party=NURSES,
        priority="high",
        kind="technical",
        active=True,
        since=7,
        began=1_000_000,
        changed=1_000_000,
    )
    return begun.escalating(PARAMS, "on-call", 0)


def lived(
    alert: Alert, params: EscalateParams = PARAMS, *, late: int = 0
) -> list[tuple[int, str, int | None]]:
    """What happens to it, each so late (ms), until nothing is due: when, what, and which step."""
    told: list[tuple[int, str, int | None]] = []
    while alert.due is not None:
        clock = alert.due + late
        alert, deed = fired(alert, params, 1_000_000 + clock, clock)
        told.append((clock, deed.did, deed.step))
    return told


def test_the_steps_come_in_order_lap_after_lap_and_then_it_was_nobody() -> None:
    assert lived(alert()) == [
        (60_000, "step", 0),
        (60_000, "step", 1),
        (150_000, "step", 0),
        (150_000, "step", 1),
        (180_000, "nobody", None),
    ]


def test_after_an_outage_the_next_step_waits_from_when_the_one_before_came() -> None:
    outage = 3_600_000

    clocks = [clock for clock, _, step in lived(alert(), late=outage) if step == 0]

    assert clocks == [60_000 + outage, 60_000 + 2 * outage + 90_000 + outage]


def test_one_step_and_one_lap_are_an_escalation() -> None:
    params = EscalateParams(steps=[Step(NURSES, 0)], wait=1, laps=1)

    assert lived(alert().escalating(params, "on-call", 0), params) == [
        (0, "step", 0),
        (1_000, "nobody", None),
    ]


def test_a_step_names_its_party_and_says_by_which_contract() -> None:
    _, deed = fired(alert(), PARAMS, 1_060_000, 60_000)

    assert (deed.contract, deed.about, deed.to, deed.step) == ("on-call", ALERT, NURSES, 0)


def test_that_nobody_answered_is_remembered_with_the_wall_clocks_time() -> None:
    params = EscalateParams(steps=[Step(NURSES, 0)], wait=1, laps=1)
    after, _ = fired(alert(), params, 1_000_000, 0)

    nobody, deed = fired(after, params, 1_001_000, 1_000)

    assert (deed.did, deed.step, deed.to) == ("nobody", None, None)
    assert (nobody.nobody, nobody.due, nobody.is_open) == (1_001_000, None, True)


def test_a_taken_alert_that_is_due_is_overdue_and_sets_out_from_its_first_step() -> None:
    taken = replace(alert(), step=1, lap=1, taken_by="bob", taken=1_000_000, due=900_000)

    again, deed = fired(taken, PARAMS, 1_900_000, 900_000)

    assert deed.did == "overdue"
    assert (again.taken_by, again.taken, again.step, again.lap, again.due) == (None, None, 0, 0, 960_000)


def test_a_snooze_that_ends_late_has_the_step_come_now_and_one_that_ends_early_when_it_was_to_come() -> None:
    snoozed = replace(alert(), snoozed=1_030_000, due=30_000, resume=60_000)

    early, _ = fired(snoozed, PARAMS, 1_030_000, 30_000)
    late, deed = fired(snoozed, PARAMS, 1_090_000, 90_000)

    assert (early.due, early.snoozed, early.resume) == (60_000, None, None)
    assert (late.due, deed.did) == (90_000, "woken")
