"""A recording played through the settings, by its own times."""

import pytest

from device import replaycheck
from device.config import read_sensor
from device.episode import Rules
from device.replaycheck import BadTimes, Cell, Tally

# Oxygen saturation, a value a minute: a signal that comes late, a dip, a collapse, and a probe that comes off.
BEDSIDE: list[Cell] = [0, 0, 97, 98, 0, 97, 88, 96, 97, 80, 60, 55, 63, 78, 97, 99, 0, 98, 0, 0, 0, 0]


def rules(preset: str) -> Rules:
    return read_sensor({"mode": "stream", "command": ["replay"], "preset": preset}).rules


def test_a_recording_of_a_bedside_monitor() -> None:
    samples = replaycheck.minutes(BEDSIDE)

    outcome = replaycheck.examine(samples, rules("spo2"))

    assert replaycheck.figures(outcome) == {
        "samples": 22,
        "naive": 14,
        "episodes": 6,
        "physiological": 1,
        "technical": 1,
    }
    assert outcome.split == Tally(2, 1)
    assert outcome.days == pytest.approx(22 / 1440)


def test_no_zero_is_ever_a_reading() -> None:
    events = replaycheck.play(replaycheck.minutes(BEDSIDE), rules("spo2"))

    assert events
    assert all(event.last is None or event.last.value > 0 for event in events)
    assert all(point.value > 0 for event in events for point in event.readings)


def test_when_it_was_told() -> None:
    told = replaycheck.play(replaycheck.minutes(BEDSIDE), rules("spo2"))

    assert [(event.state, event.episode.what, event.episode.since // 60_000) for event in told] == [
        ("start", "low", 9),
        ("end", "low", 9),
        ("start", "impossible", 17),
    ]


def test_an_empty_cell_and_a_word_are_no_readings() -> None:
    outcome = replaycheck.examine(replaycheck.minutes([97, None, "off", None, "off", 97]), rules("spo2"))

    assert (outcome.naive, outcome.settled) == (0, Tally(0, 1))


@pytest.mark.parametrize(
    "times",
    [
        [0, 30, 60, 300],
        ["2026-01-01 00:00:00", "2026-01-01 00:00:30", "2026-01-01 00:01:00", "2026-01-01 00:05:00"],
        ["2026-01-01T00:00:00Z", "2026-01-01T01:00:30+01:00", "2026-01-01T00:01Z", "2026-01-01T00:05Z"],
    ],
)
def test_the_times_are_those_of_the_recording(times: list[Cell]) -> None:
    told = replaycheck.play(replaycheck.timed(times, [80, 80, 80, 99]), rules("spo2"))

    assert [(event.state, event.episode.what) for event in told] == [
        ("start", "low"),
        ("start", "silent"),
        ("end", "silent"),
        ("end", "low"),
    ]


@pytest.mark.parametrize(
    ("times", "says"),
    [
        ([0, 0], "row 2: want a later time"),
        ([60, 0], "row 2: want a later time"),
        ([0, None], "row 2: want seconds or a timestamp, got nothing"),
        (["noon", 1], "row 1: want seconds or a timestamp, got 'noon'"),
    ],
)
def test_times_that_are_none_are_refused_by_row(times: list[Cell], says: str) -> None:
    with pytest.raises(BadTimes, match=says):
        replaycheck.timed(times, [1, 2])


def test_the_table_says_how_many_a_day() -> None:
    lines = replaycheck.table(replaycheck.examine(replaycheck.minutes(BEDSIDE), rules("spo2")))

    assert [line.split()[-1] for line in lines[:2]] == ["day", f"{14 / 22 * 1440:.1f}"]
    assert lines[-1].endswith("1 physiological, 1 technical")


def test_one_sample_is_a_recording_of_a_minute() -> None:
    assert replaycheck.examine(replaycheck.minutes([97]), rules("spo2")).days == pytest.approx(1 / 1440)
