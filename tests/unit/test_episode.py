"""Conditions that begin, go on and end: by the clock that is handed in, and by nothing else."""

from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from device.episode import CONTINUE_SECONDS, MAX_READINGS, Event, Moment, Open, Rules, Watch
from device.reading import Fault, Reading, Sample

WALL = 1_800_000_000_000
FRIDGE = Rules(low=2, high=8, clear_by=0.5, must_last=60, stale_after=120, lowest=-40, highest=60, unit="Cel")
FAILED = Fault(sensor="fridge", reason="timeout", detail="no end within 5 s")


def moment(seconds: float) -> Moment:
    return Moment(round(1000 * seconds), WALL + round(1000 * seconds))


def reading(value: float, **more: Any) -> Reading:
    return Reading(sensor="fridge", value=value, **more)


class Played:
    """A watch, fed with a sample each so many seconds."""

    def __init__(self, rules: Rules = FRIDGE, *, every: float = 30, opened: tuple[Open, ...] = ()) -> None:
        ids = count(1)
        self.watch = Watch("fridge", "", rules, moment(0), new_id=lambda: f"e{next(ids)}", opened=opened)
        self.every, self.seconds = every, 0.0
        self.told: list[Event] = []

    def feed(self, *samples: Sample | float | None) -> "Played":
        """Numbers are readings; None is nothing at all."""
        for sample in samples:
            self.seconds += self.every
            now = moment(self.seconds)
            self.told += self.watch.tick(now) if sample is None else []
            if sample is not None:
                self.told += self.watch.observe(
                    sample if isinstance(sample, Reading | Fault) else reading(sample), now
                )
        return self

    @property
    def said(self) -> list[tuple[str, str]]:
        return [(event.state, event.episode.what) for event in self.told]


def test_within_its_limits_nothing_is_told_and_the_limits_are_within() -> None:
    assert Played().feed(2, 5, 8, 2, 8).said == []


@pytest.mark.parametrize(("value", "what"), [(1.9, "low"), (8.1, "high")])
def test_a_limit_that_is_crossed_for_long_enough_begins_an_episode(value: float, what: str) -> None:
    played = Played().feed(5, value, value, value)

    assert played.said == [("start", what)]
    (event,) = played.told
    assert event.episode.since == WALL + 60_000
    assert event.last == reading(value)


def test_one_sample_is_not_for_long_enough() -> None:
    assert Played().feed(5, 9, 5, 9, 9, 5).said == []


def test_without_must_last_one_sample_is() -> None:
    assert Played(Rules(high=8)).feed(9).said == [("start", "high")]


def test_time_alone_confirms_nothing() -> None:
    assert Played(every=30).feed(9, None, None, None).said == []


def test_to_cross_one_limit_after_the_other_is_to_begin_anew() -> None:
    assert Played().feed(9, 9, 1, 1, 9, 9).said == []


def test_it_ends_only_well_inside_its_limit() -> None:
    played = Played().feed(9, 9, 9, 7.9, 7.6, 7.5)

    assert played.said == [("start", "high"), ("end", "high")]
    assert played.told[1].until == WALL + 180_000
    assert played.told[0].episode == played.told[1].episode


def test_from_too_low_to_too_high_is_the_end_of_one_and_the_start_of_another() -> None:
    played = Played().feed(1, 1, 1, 9, 9, 9)

    assert played.said == [("start", "low"), ("end", "low"), ("start", "high")]
    assert played.told[0].episode.id != played.told[2].episode.id


def test_one_that_lasts_is_told_of_at_a_bounded_rate_under_the_same_name() -> None:
    played = Played().feed(*[9.0] * 42)

    lasted = (42 - 3) * 30
    assert played.said == [("start", "high"), *[("continue", "high")] * int(lasted // CONTINUE_SECONDS)]
    assert len({event.episode.id for event in played.told}) == 1


def test_the_last_readings_go_with_it_and_no_more() -> None:
    played = Played(Rules(high=100)).feed(*map(float, range(50)), 101)

    (event,) = played.told
    assert len(event.readings) == MAX_READINGS
    assert [point.value for point in event.readings][-2:] == [49, 101]
    assert event.readings[-1].t == WALL + 51 * 30_000


def test_a_sensors_own_time_is_that_of_its_reading() -> None:
    played = Played(Rules(high=8)).feed(reading(9, t_ms=WALL - 5))

    assert played.told[0].readings[0].t == WALL - 5


# What is no reading


@pytest.mark.parametrize(
    ("sample", "reason"),
    [
        (FAILED, "timeout"),
        (reading(85.0), "impossible"),
        (reading(-127.0), "impossible"),
        (reading(41, unit="[degF]"), "wrong-unit"),
    ],
)
def test_what_is_no_reading_for_too_long_is_a_technical_alert(sample: Sample, reason: str) -> None:
    played = Played().feed(5, sample, sample, sample)
    assert played.said == []

    played.feed(sample, sample)

    assert played.said == [("start", reason)]
    assert played.told[0].episode.kind == "technical"
    assert played.told[0].episode.since == WALL + 30_000
    assert played.told[0].detail


def test_silence_is_a_technical_alert() -> None:
    assert Played().feed(5, None, None, None, None).said == [("start", "silent")]


def test_the_next_reading_ends_it() -> None:
    played = Played().feed(5, *[FAILED] * 5, 5)

    assert [event.readings for event in played.told] == [(), ()]
    assert played.said == [("start", "timeout"), ("end", "timeout")]


def test_without_stale_after_the_first_fault_is_one_and_silence_is_none() -> None:
    played = Played(Rules())

    assert played.feed(5, None, None, None).said == []
    assert played.feed(FAILED, FAILED).said == [("start", "timeout")]


def test_zero_is_a_reading_where_it_is_possible_and_none_where_it_is_not() -> None:
    assert Played(Rules(low=2)).feed(0).said == [("start", "low")]
    assert Played(Rules(low=92, lowest=1)).feed(0).said == [("start", "impossible")]


def test_a_value_that_stays_exactly_the_same_is_stuck() -> None:
    played = Played(Rules(high=8, stuck_after=120)).feed(5, 5, 5, 5)
    assert played.said == []

    assert played.feed(5).said == [("start", "stuck")]
    assert played.feed(5.1).said == [("start", "stuck"), ("end", "stuck")]


def test_no_reading_clears_nothing() -> None:
    played = Played().feed(9, 9, 9, *[FAILED] * 5)

    assert played.said == [("start", "high"), ("start", "timeout")]


def test_no_reading_confirms_nothing() -> None:
    assert Played().feed(9, FAILED, FAILED).said == []


def test_a_short_fault_does_not_undo_what_was_seen_before() -> None:
    assert Played().feed(9, FAILED, 9).said == [("start", "high")]


def test_a_gap_that_is_too_long_does() -> None:
    played = Played(every=121)

    assert played.feed(9, 9, 9).said == []


# Restarts and clocks

OPEN = Open(id="before", sensor="fridge", channel="", kind="physiological", what="high", since=WALL - 1)


def test_after_a_restart_it_goes_on_under_its_name() -> None:
    played = Played(opened=(OPEN,)).feed(9, 9)

    assert [(event.state, event.episode) for event in played.told] == [("continue", OPEN)]


def test_what_ended_meanwhile_is_ended() -> None:
    assert [(e.state, e.episode) for e in Played(opened=(OPEN,)).feed(5).told] == [("end", OPEN)]


def test_a_limit_that_was_taken_away_is_crossed_no_more() -> None:
    assert Played(Rules(low=2), opened=(OPEN,)).feed(9).said == [("end", "high")]


def test_a_wall_clock_that_jumps_changes_no_duration() -> None:
    played = Played()
    for second in range(0, 300, 30):
        at = WALL + (10**9 if second % 60 else -(10**9))
        played.told += played.watch.observe(reading(5), Moment(1000 * second, at))

    assert played.said == []


# Other limits while it watches


def judged_by(played: Played, **changes: Any) -> Played:
    played.watch.adopt(structs.replace(FRIDGE, **changes))
    return played


def test_an_episode_goes_on_as_long_as_the_new_limit_is_crossed() -> None:
    played = judged_by(Played().feed(9, 9, 9), high=7).feed(7.5, 6.9, 6.5)

    assert played.said == [("start", "high"), ("end", "high")]
    assert played.told[-1].until == moment(180).at


def test_an_episode_ends_with_the_next_reading_that_the_new_limit_allows() -> None:
    played = Played().feed(9, 9, 9)
    assert judged_by(played, high=10).said == [("start", "high")]

    assert played.feed(9).said == [("start", "high"), ("end", "high")]


def test_a_limit_that_moves_nearer_does_not_begin_to_wait_anew() -> None:
    assert judged_by(Played().feed(9, 9), high=7).feed(9).said == [("start", "high")]
    assert judged_by(Played().feed(1, 1), low=3, high=None).feed(1).said == [("start", "low")]


@pytest.mark.parametrize("high", [8.5, None])
def test_what_crossed_a_nearer_limit_does_not_count_for_one_that_moved_away(high: float | None) -> None:
    played = judged_by(Played().feed(9, 9), high=high).feed(9, 9)

    assert played.said == []


SAMPLES = st.one_of(
    st.just(None), st.just(FAILED), st.sampled_from([-50.0, 0.0, 1.0, 2.0, 5.0, 7.6, 8.0, 9.0, 85.0])
)


CHANGES = st.sampled_from([FRIDGE, Rules(), Rules(low=2), Rules(high=7), Rules(low=4, high=60, must_last=60)])


@given(
    st.lists(st.tuples(st.none() | CHANGES, st.lists(SAMPLES, max_size=20)), max_size=5),
    st.sampled_from([1.0, 30.0, 61.0, 200.0]),
)
def test_whatever_comes_each_episode_begins_once_and_ends_once(
    parts: list[tuple[Rules | None, list[Sample | float | None]]], every: float
) -> None:
    played = Played(every=every)
    for rules, samples in parts:
        if rules is not None:
            played.watch.adopt(rules)
        played.feed(*samples)
    open_: dict[str, str] = {}
    over: set[str] = set()
    for event in played.told:
        name, kind = event.episode.id, event.episode.kind
        if event.state == "start":
            assert kind not in open_
            assert name not in over
            open_[kind] = name
        else:
            assert open_[kind] == name
        if event.state == "end":
            over.add(open_.pop(kind))
