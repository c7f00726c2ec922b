"""Which samples become messages, and what their clear headers say."""

import json

import pytest

from device.config import Poll
from device.content import FAULT, READING
from device.reading import Fault, Reading
from device.reporting import Report, Reporter

FAILED = Fault(sensor="fridge", reason="timeout", detail="no end within 5 s")


def reporter(priority: str | None = None) -> Reporter:
    return Reporter(Poll(command=("true",), every=1, priority=priority))  # type: ignore[arg-type] # as a file has it


def reading(value: float = 4.5) -> Reading:
    return Reading(sensor="fridge", value=value)


def states(reports: list[Report]) -> list[tuple[str, str, str] | None]:
    return [
        None if report.alert is None else (report.alert.kind, report.alert.priority, report.alert.state)
        for report in reports
    ]


def test_every_reading_is_reported() -> None:
    made = reporter()

    reports = [*made.report(reading(1)), *made.report(reading(1)), *made.report(reading(2))]

    assert [json.loads(report.content)["value"] for report in reports] == [1, 1, 2]
    assert {report.cty for report in reports} == {READING}
    assert states(reports) == [None, None, None]


def test_a_sensor_with_a_priority_says_so_in_one_long_episode() -> None:
    made = reporter("low")

    reports = [report for _ in range(3) for report in made.report(reading())]

    assert states(reports) == [
        ("physiological", "low", "start"),
        ("physiological", "low", "continue"),
        ("physiological", "low", "continue"),
    ]
    assert len({report.alert.episode for report in reports if report.alert}) == 1


def test_a_fault_is_a_technical_alert() -> None:
    (report,) = reporter().report(FAILED)

    assert states([report]) == [("technical", "medium", "start")]
    assert report.cty == FAULT
    assert json.loads(report.content) == {
        "sensor": "fridge",
        "reason": "timeout",
        "detail": "no end within 5 s",
    }


def test_a_fault_has_the_priority_of_its_sensor() -> None:
    assert states(reporter("high").report(FAILED)) == [("technical", "high", "start")]


def test_a_fault_that_lasts_is_told_once() -> None:
    made = reporter()
    made.report(FAILED)

    assert [made.report(FAILED) for _ in range(3)] == [[], [], []]


def test_the_next_reading_ends_the_fault_and_is_reported() -> None:
    made = reporter()
    (began,) = made.report(FAILED)

    ended, then = made.report(reading())

    assert began.alert is not None
    assert ended.alert is not None
    assert (ended.alert.state, ended.alert.episode) == ("end", began.alert.episode)
    assert json.loads(ended.content)["reason"] == "recovered"
    assert then.cty == READING


def test_the_next_fault_is_an_episode_of_its_own() -> None:
    made = reporter()
    (first,) = made.report(FAILED)
    made.report(reading())

    (second,) = made.report(FAILED)

    assert first.alert is not None
    assert second.alert is not None
    assert first.alert.episode != second.alert.episode


@pytest.mark.parametrize("sample", [reading(), FAILED])
def test_a_header_does_not_name_the_sensor(sample: Reading | Fault) -> None:
    (report,) = reporter("high").report(sample)

    assert "fridge" not in str(report.alert)
