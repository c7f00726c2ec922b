"""What sounds, from entries in any order."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from chain.api import AlertLine
from chain.entry import Deed, Message, Priority, Status, Tick
from chain.rulebook.alarms import MAX_SNOOZE_MS
from device.annunciator import (
    LONGEST_SNOOZE_MS,
    LOUDEST_FIRST,
    MAX_OVER,
    MAX_WAITING,
    Alarms,
    Heard,
    Level,
    Sound,
)

FRIDGE, PUMP, LEE = "a" * 26, "b" * 26, "c" * 26
FEVER, DOOR = "F" * 21 + "A", "D" * 21 + "A"
ALL = frozenset(LOUDEST_FIRST)
NOON = 1_800_000_000_000
HOUR = 3_600_000

COMMON: dict[str, Any] = {
    "v": 1,
    "chain": "ward.example/abc",
    "stream": "S" * 21 + "A",
    "seq": 1,
    "at": NOON,
    "clock": "synced",
    "seen": {"root": "A" * 43, "size": 0},
}


def name(index: int) -> str:
    return f"00000000-0000-7000-8000-{index:012x}"


def message(
    index: int,
    priority: Priority = "high",
    state: str = "start",
    *,
    author: str = FRIDGE,
    episode: str = FEVER,
    kind: str = "physiological",
    proven: bool = True,
) -> Heard:
    says = {
        **COMMON,
        "id": name(index),
        "author": author,
        "to": LEE,
        "commitment": "A" * 43,
        "body": {"digest": "A" * 43, "size": 1},
        "alert": {"episode": episode, "kind": kind, "priority": priority, "state": state},
    }
    return Heard(index, msgspec.convert({"type": "message", **says}, Message), proven)


def status(
    index: int, state: str, about: int, *, by: str = LEE, until: int | None = None, proven: bool = True
) -> Heard:
    says = {**COMMON, "id": name(index), "author": by, "about": name(about), "state": state}
    if until is not None:
        says |= {"until": until, "reason": "care"}
    return Heard(index, msgspec.convert({"type": "status", **says}, Status), proven)


def tick(index: int, did: str, *about: int, now: int = NOON) -> Heard:
    deeds = [Deed(contract="ward", did=did, about=name(each)) for each in about]  # type: ignore[arg-type]
    says = {**COMMON, "id": name(index), "author": "z" * 26, "now": now, "did": msgspec.to_builtins(deeds)}
    return Heard(index, msgspec.convert({"type": "tick", **says}, Tick))


def line(first: int, **says: Any) -> AlertLine:
    known = {
        "id": name(first),
        "author": FRIDGE,
        "episode": FEVER,
        "to": LEE,
        "priority": "high",
        "kind": "physiological",
        "active": True,
        "began": NOON,
        "taken_by": None,
        "taken_at": None,
        "resolved": False,
        "snoozed_until": None,
        "contract": None,
        "step": None,
        "lap": None,
        "steps": [],
        "due_in": None,
        "nobody": False,
        "concerns": [LEE],
    }
    return msgspec.convert({**known, **says}, AlertLine)


def alarms(*heard: Heard) -> Alarms:
    made = Alarms()
    for each in heard:
        made.hear(each)
    return made


def sound(*heard: Heard, now: int = NOON, levels: frozenset[Level] = ALL) -> Sound | None:
    return alarms(*heard).picture.sound(now, levels)


def level(*heard: Heard, now: int = NOON, levels: frozenset[Level] = ALL) -> Level | None:
    found = sound(*heard, now=now, levels=levels)
    return None if found is None else found.level


# What sounds


def test_a_calm_ward_is_silent() -> None:
    assert sound() is None


def test_an_alert_sounds_until_it_is_taken() -> None:
    assert level(message(1)) == "high"
    assert level(message(1), status(2, "taken", 1)) is None


def test_the_highest_of_what_is_open_sounds() -> None:
    fever, door = message(1, "low"), message(2, "medium", episode=DOOR, kind="technical")

    found = sound(fever, door)

    assert found is not None
    assert (found.level, found.priority, found.kind, found.count) == ("medium", "medium", "technical", 2)
    assert level(fever, door, status(3, "taken", 2)) == "low"


def test_a_message_without_an_alert_is_no_alert() -> None:
    plain = message(1)
    assert isinstance(plain.entry, Message)

    assert level(Heard(1, msgspec.structs.replace(plain.entry, alert=None))) is None


def test_what_has_no_command_is_passed_over() -> None:
    both = message(1, "info"), message(2, "low", episode=DOOR)

    assert level(*both, levels=frozenset({"high", "info"})) == "info"
    assert level(*both, levels=frozenset({"high"})) is None


def test_resolved_is_silent() -> None:
    assert level(message(1), status(2, "resolved", 1)) is None


def test_seen_is_not_taken() -> None:
    assert level(message(1), status(2, "seen", 1)) == "high"


def test_released_sounds_again() -> None:
    assert level(message(1), status(2, "taken", 1), status(3, "released", 1)) == "high"


def test_somebody_elses_episode_of_the_same_name_is_another() -> None:
    mine, theirs = message(1), message(2, "low", author=PUMP)

    assert level(mine, theirs, status(3, "taken", 1)) == "low"
    assert level(mine, message(2, "high", "end", author=PUMP), status(3, "taken", 2)) == "high"


# From other projects' bugs


def test_taking_stops_it_whatever_steps_had_fired() -> None:
    assert level(message(1), tick(2, "step", 1), tick(3, "nobody", 1), status(4, "taken", 1)) is None


def test_taking_one_that_ended_meanwhile_does_not_open_it_again() -> None:
    assert level(message(1), message(2, state="end"), status(3, "taken", 1)) is None
    assert level(message(1), status(2, "resolved", 1), message(3, state="end"), status(4, "taken", 1)) is None


def test_a_raised_priority_clears_the_taking() -> None:
    raised = message(1, "low"), status(2, "taken", 1), message(3, "high", "continue")

    assert level(*raised) == "high"
    assert level(*raised, status(4, "taken", 1)) == "high", "who took what it was before does not know"
    assert level(*raised, status(4, "taken", 3)) is None


def test_the_same_priority_again_does_not_clear_the_taking() -> None:
    assert level(message(1), status(2, "taken", 1), message(3, state="continue")) is None


def test_it_begins_again_after_its_end() -> None:
    over = message(1), status(2, "taken", 1), message(3, state="end")

    assert level(*over) is None
    assert level(*over, message(4)) == "high"


def test_a_snooze_ends_by_itself_though_no_tick_comes() -> None:
    snoozed = message(1), status(2, "snoozed", 1, until=NOON + HOUR)

    assert level(*snoozed, now=NOON + HOUR - 1) is None
    assert level(*snoozed, now=NOON + HOUR) == "high"


def test_a_snooze_ends_with_the_tick_that_says_so_by_whatever_clock() -> None:
    snoozed = message(1), status(2, "snoozed", 1, until=NOON + HOUR)

    assert level(*snoozed, tick(3, "woken", 1, now=NOON + HOUR), now=NOON) == "high"


def test_a_tick_about_another_alert_tells_the_time_too() -> None:
    snoozed = message(1), status(2, "snoozed", 1, until=NOON + HOUR)

    assert level(*snoozed, tick(3, "step", 9, now=NOON + HOUR), now=NOON) == "high"


def test_a_clock_of_another_year_makes_nothing_silent() -> None:
    assert level(message(1), status(2, "snoozed", 1, until=NOON + HOUR), now=0) == "high"


def test_no_snooze_is_longer_than_the_chain_allows() -> None:
    assert LONGEST_SNOOZE_MS == MAX_SNOOZE_MS


def test_a_raised_priority_ends_the_snooze() -> None:
    snoozed = message(1, "low"), status(2, "snoozed", 1, until=NOON + HOUR)

    assert level(*snoozed, message(3, "medium", "continue")) == "medium"


def test_one_snooze_silences_one_alert() -> None:
    assert (
        level(message(1), message(2, "low", episode=DOOR), status(3, "snoozed", 1, until=NOON + 1)) == "low"
    )


def test_the_end_of_an_escalation_is_the_loudest() -> None:
    assert level(message(1), message(2, "low", episode=DOOR), tick(3, "nobody", 2)) == "nobody"


def test_without_a_command_of_its_own_nobody_sounds_as_its_priority() -> None:
    heard = message(1, "low"), tick(2, "nobody", 1)

    assert level(*heard, levels=ALL - {"nobody"}) == "low"


def test_nobody_answered_is_over_once_it_rises_or_is_released() -> None:
    unanswered = message(1, "low"), tick(2, "nobody", 1)

    assert level(*unanswered, message(3, "high", "continue")) == "high"
    assert level(*unanswered, status(3, "taken", 1), status(4, "released", 1)) == "low"


def test_what_was_taken_and_not_resolved_in_time_sounds_again() -> None:
    assert level(message(1), status(2, "taken", 1), tick(3, "overdue", 1)) == "high"


def test_ended_and_never_taken_goes_on_and_may_be_softer() -> None:
    found = sound(message(1), message(2, state="end"))

    assert found is not None
    assert (found.level, found.over) == ("high", True)
    both = sound(message(1), message(2, state="end"), message(3, episode=DOOR))
    assert both is not None
    assert not both.over, "of one of them the condition goes on"


def test_an_erased_body_is_no_news_of_an_alert() -> None:
    made = alarms(message(1), status(2, "taken", 1))

    assert made.hear(tick(3, "erased", 7))
    assert made.picture.sound(NOON, ALL) is None


def test_one_tick_may_be_of_several_alerts() -> None:
    heard = message(1), message(2, "low", episode=DOOR), status(3, "taken", 1), status(4, "taken", 2)

    found = sound(*heard, tick(5, "overdue", 1, 2))

    assert found is not None
    assert found.count == 2


# What is not proven to be its author's


@pytest.mark.parametrize("state", ["taken", "resolved", "snoozed"])
def test_what_nobody_is_shown_to_have_said_silences_nothing(state: str) -> None:
    until = NOON + HOUR if state == "snoozed" else None

    assert level(message(1), status(2, state, 1, until=until, proven=False)) == "high"


def test_an_alert_that_is_not_proven_sounds_all_the_same() -> None:
    assert level(message(1, proven=False)) == "high"


@pytest.mark.parametrize("quieter", [("high", "end"), ("low", "continue")])
def test_what_is_not_proven_makes_no_alert_softer(quieter: tuple[Priority, str]) -> None:
    found = sound(message(1), message(2, *quieter, proven=False))

    assert found is not None
    assert (found.level, found.over) == ("high", False)


# In any order


def test_an_answer_that_comes_before_its_message_waits() -> None:
    assert level(status(2, "taken", 1), message(1)) is None


def test_what_comes_late_is_put_where_it_belongs() -> None:
    assert level(message(1, "low"), message(3, "high", "continue"), status(2, "taken", 1)) == "high"


def test_the_same_entries_once_more_change_nothing() -> None:
    heard = [message(1), status(2, "taken", 1), status(3, "released", 1), status(4, "taken", 1)]

    assert level(*heard, *heard[:3]) is None


def test_it_is_told_of_what_it_knows_nothing_of() -> None:
    made = alarms(message(1))

    assert made.hear(status(2, "taken", 1))
    assert not made.hear(status(4, "taken", 3))
    assert not made.hear(tick(5, "step", 3))


# What the gateway holds open


def test_the_gateway_may_open_it_again_and_a_later_answer_closes_it() -> None:
    made = alarms(message(1), status(2, "taken", 1))
    made.tell(line(1, nobody=True))
    assert made.picture.sound(NOON, ALL) is not None

    made.hear(status(4, "taken", 1))

    assert made.picture.sound(NOON, ALL) is None


def test_an_alert_known_from_the_gateway_alone_sounds() -> None:
    made = Alarms()

    made.tell(line(1, priority="medium", nobody=True))

    found = made.picture.sound(NOON, ALL)
    assert found is not None
    assert (found.level, found.priority) == ("nobody", "medium")


def test_what_the_gateway_alone_opened_it_may_close() -> None:
    made = alarms(message(1), status(2, "taken", 1), message(3, "low", episode=DOOR))
    made.tell(line(1))
    made.tell(line(9, episode="G" * 21 + "A"))
    made.tell(line(3, episode=DOOR, priority="low"))

    for first, episode in ((1, FEVER), (9, "G" * 21 + "A"), (3, DOOR)):
        made.withdraw(line(first, episode=episode))

    found = made.picture.sound(NOON, ALL)
    assert found is not None
    assert (found.level, found.count) == ("low", 1), (
        "of what its entries hold open, the gateway closes nothing"
    )


def test_a_tick_about_a_first_message_that_was_not_shown_counts() -> None:
    made = alarms(message(5, state="continue"), status(6, "taken", 5))
    made.name(line(1))

    made.hear(tick(7, "overdue", 1))

    found = made.of(FRIDGE, FEVER)
    assert found is not None
    assert found.is_open


def test_what_is_of_no_concern_any_more_is_silent() -> None:
    made = alarms(message(1))

    made.forget(name(1))
    made.forget(name(2))

    assert made.picture.sound(NOON, ALL) is None
    assert made.of(FRIDGE, FEVER) is None


# Memory


def many(count: int, more: Callable[[int], list[Heard]]) -> Alarms:
    made = Alarms()
    for each in range(count):
        for heard in [message(10 * each, episode=f"{each:021d}A"), *more(10 * each)]:
            made.hear(heard)
    return made


def test_alerts_that_are_over_are_forgotten_in_the_end() -> None:
    made = many(
        2 * MAX_OVER,
        lambda each: [
            status(each + 1, "taken", each),
            message(each + 2, state="end", episode=f"{each // 10:021d}A"),
        ],
    )

    assert len(made._histories) <= MAX_OVER + 1
    assert len(made._messages) <= 2 * (MAX_OVER + 1)


def test_alerts_that_are_open_are_never_forgotten() -> None:
    found = many(MAX_OVER + 10, lambda _: []).picture.sound(NOON, ALL)

    assert found is not None
    assert found.count == MAX_OVER + 10


def test_answers_to_nothing_do_not_pile_up() -> None:
    made = Alarms()
    for each in range(2 * MAX_WAITING):
        made.hear(status(each, "taken", 10**6 + each))

    assert len(made._waiting) == MAX_WAITING
