"""Periods that follow one another, and what was recorded in each."""

from device.content import Heartbeat
from device.episode import Moment
from device.heartbeat import AWAY_MS, Pulse

WALL = 1_800_000_000_000


def at(seconds: float) -> Moment:
    return Moment(round(1000 * seconds), WALL + round(1000 * seconds))


def counts() -> dict[str, int]:
    return {"fridge": 90}


def beat(begun: float, ended: float, samples: int = 90) -> Heartbeat:
    return Heartbeat(from_=at(begun).at, to=at(ended).at, sensors={"fridge": samples})


def test_each_period_begins_where_the_last_one_ended() -> None:
    pulse = Pulse(900, None, at(0))

    assert pulse.beats(at(899), counts) == []
    assert pulse.beats(at(900), counts) == [beat(0, 900)]
    assert pulse.beats(at(901), counts) == []
    assert pulse.beats(at(1_801), counts) == [beat(900, 1_801)]


def test_the_time_of_being_away_is_told_at_once_as_nothing() -> None:
    pulse = Pulse(900, at(-3_600).at, at(0))

    assert pulse.beats(at(1), counts) == [beat(-3_600, 1, 0)]
    assert pulse.beats(at(900), counts) == [beat(1, 900)]


def test_a_short_absence_is_part_of_the_next_period() -> None:
    begun = WALL - AWAY_MS + 1
    pulse = Pulse(900, begun, at(0))

    assert pulse.beats(at(1), counts) == []
    assert pulse.beats(at(900), counts)[0].from_ == begun


def test_it_can_be_turned_off() -> None:
    pulse = Pulse(0, at(-3_600).at, at(0))

    assert pulse.beats(at(100_000), counts) == []


def test_a_wall_clock_that_is_set_back_makes_no_period_that_ends_before_it_begins() -> None:
    pulse = Pulse(900, at(100).at, at(0))

    (told,) = pulse.beats(Moment(900_000, WALL - 5), counts)

    assert told.from_ == told.to == WALL - 5
