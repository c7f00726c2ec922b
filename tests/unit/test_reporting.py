"""Which samples become messages, and what their clear headers say."""

import json
from typing import Any

import pytest

from device.config import read_sensor
from device.content import EPISODE, READING
from device.episode import Moment, Open
from device.reading import Fault, Reading
from device.reporting import NO_LONGER_WATCHED, Report, Reporter, given_up

WALL = 1_800_000_000_000
FAILED = Fault(sensor="fridge", reason="timeout", detail="no end within 5 s")
OPEN = Open(id="before", sensor="fridge", channel="", kind="physiological", what="high", since=WALL - 1)


def at(seconds: float) -> Moment:
    return Moment(round(1000 * seconds), WALL + round(1000 * seconds))


def reporter(opened: tuple[Open, ...] = (), **settings: Any) -> Reporter:
    sensor = read_sensor({"mode": "poll", "command": ["true"], "every": 1, **settings})
    return Reporter("fridge", sensor, at(0), opened)


def reading(value: float = 4.5, channel: str = "") -> Reading:
    return Reading(sensor="fridge", value=value, channel=channel)


def fed(made: Reporter, *samples: Reading | Fault, every: float = 30) -> list[Report]:
    return [
        report
        for number, sample in enumerate(samples, start=1)
        for report in made.report(sample, at(number * every))
    ]


def states(reports: list[Report]) -> list[tuple[str, str, str] | None]:
    return [
        None if report.alert is None else (report.alert.kind, report.alert.priority, report.alert.state)
        for report in reports
    ]


def test_every_reading_of_a_sensor_without_limits_is_reported() -> None:
    reports = fed(reporter(priority="high"), reading(1), reading(1), reading(2))

    assert [json.loads(report.content)["value"] for report in reports] == [1, 1, 2]
    assert {report.cty for report in reports} == {READING}
    assert states(reports) == [None, None, None]


def test_readings_of_a_sensor_with_limits_are_rarer() -> None:
    made = reporter(high=8, report_every=60)

    reports = fed(made, *map(reading, range(6)))

    assert [json.loads(report.content)["value"] for report in reports] == [0, 2, 4]
    assert made.taken() == 6
    assert made.taken() == 0


def test_what_is_no_reading_is_not_sent_as_one() -> None:
    made = reporter(low=92, lowest=1, stale_after=600)

    assert fed(made, reading(0), reading(0)) == []
    assert made.taken() == 0


def test_a_limit_that_is_crossed_is_an_alert_with_what_a_person_needs() -> None:
    reports = fed(reporter(preset="vaccine-fridge", must_last=30), reading(5), reading(9), reading(9.2))

    _, alert = reports
    assert states([alert]) == [("physiological", "medium", "start")]
    assert alert.cty == EPISODE
    assert json.loads(alert.content) == {
        "sensor": "fridge",
        "what": "high",
        "limit": 8,
        "since": WALL + 60_000,
        "value": 9.2,
        "unit": "Cel",
        "readings": [
            {"t": WALL + 30_000, "value": 5},
            {"t": WALL + 60_000, "value": 9},
            {"t": WALL + 90_000, "value": 9.2},
        ],
    }


def test_a_fault_is_a_technical_alert() -> None:
    (report,) = fed(reporter(), FAILED)

    assert states([report]) == [("technical", "medium", "start")]
    assert report.cty == EPISODE
    assert json.loads(report.content) == {
        "sensor": "fridge",
        "what": "timeout",
        "since": WALL,
        "detail": "no end within 5 s",
    }


def test_a_fault_has_the_priority_of_its_sensor() -> None:
    assert states(fed(reporter(priority="high"), FAILED)) == [("technical", "high", "start")]


def test_a_fault_that_lasts_is_told_once_and_ended_by_the_next_reading() -> None:
    began, ended, then = fed(reporter(), FAILED, FAILED, FAILED, reading())

    assert states([began, ended]) == [("technical", "medium", "start"), ("technical", "medium", "end")]
    assert began.alert is not None
    assert ended.alert is not None
    assert ended.alert.episode == began.alert.episode
    assert json.loads(ended.content)["until"] == WALL + 120_000
    assert then.cty == READING


def test_the_next_fault_is_an_episode_of_its_own() -> None:
    first, _, _, second = fed(reporter(), FAILED, reading(), FAILED)

    assert first.alert is not None
    assert second.alert is not None
    assert first.alert.episode != second.alert.episode


def test_silence_is_told_when_its_time_has_come() -> None:
    made = reporter(stale_after=60)

    assert made.tick(at(59)) == []
    assert states(made.tick(at(60))) == [("technical", "medium", "start")]


def test_each_value_of_a_sensor_has_conditions_of_its_own() -> None:
    reports = fed(reporter(high=8, report_every=600), reading(9, "inside"), reading(20, "outside"))

    alerts = [report for report in reports if report.alert]
    assert [json.loads(report.content)["channel"] for report in alerts] == ["inside", "outside"]
    assert len({report.alert.episode for report in alerts if report.alert}) == 2


def test_a_fault_of_the_sensor_is_one_of_each_of_its_values() -> None:
    made = reporter()
    fed(made, reading(1, "inside"), reading(2, "outside"))

    reports = made.report(FAILED, at(90))

    assert [json.loads(report.content)["channel"] for report in reports] == ["inside", "outside"]


def test_a_sensor_that_names_its_values_is_not_missed_under_no_name() -> None:
    made = reporter(stale_after=60)
    began = made.tick(at(60))

    ended = made.report(reading(1, "inside"), at(61))

    assert [state for _, _, state in filter(None, states([*began, *ended]))] == ["start", "end"]
    assert made.tick(at(100)) == []


def test_an_episode_goes_on_after_a_restart_and_says_what_to_remember() -> None:
    alert, _ = reporter((OPEN,), high=8).report(reading(9), at(1))
    ended, _ = reporter((OPEN,), high=8).report(reading(8), at(1))

    assert states([alert, ended]) == [
        ("physiological", "medium", "continue"),
        ("physiological", "medium", "end"),
    ]
    assert (alert.note.opens, alert.note.closes) == (OPEN, None)
    assert (ended.note.opens, ended.note.closes) == (None, OPEN)


def test_an_episode_whose_sensor_is_gone_is_ended() -> None:
    report = given_up(OPEN, at(5))

    assert report.alert is not None
    assert (report.alert.episode, report.alert.state) == ("before", "end")
    assert json.loads(report.content)["detail"] == NO_LONGER_WATCHED
    assert report.note.closes == OPEN


def test_other_settings_count_from_the_next_reading_on() -> None:
    made = reporter(high=8, report_every=3600)
    fed(made, reading(7.5))

    made.adopt(read_sensor({"mode": "poll", "command": ["true"], "every": 1, "high": 7, "priority": "high"}))
    (report,) = made.report(reading(7.5), at(31))

    assert states([report]) == [("physiological", "high", "start")]
    assert json.loads(report.content)["limit"] == 7


@pytest.mark.parametrize("sample", [reading(9), FAILED])
def test_a_header_does_not_name_the_sensor(sample: Reading | Fault) -> None:
    (report, *_) = reporter(high=8).report(sample, at(1))

    assert "fridge" not in str(report.alert)
