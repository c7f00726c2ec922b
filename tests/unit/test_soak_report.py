"""What the report of a soak calls flat, and what it does not."""

from pathlib import Path

import pytest
from msgspec import structs

from bench.machine import Machine
from tests.soak.ear import Ear, Heard
from tests.soak.report import SPAN, WARM_UP, markdown, report, slope
from tests.soak.scales import Minute, Weight
from tests.soak.soak import Options, Outcome

MINUTES = 60


def minute(number: int, *, mb: float = 50.0, p50: float = 30.0, pid: int = 1, calm: bool = True) -> Minute:
    return Minute(
        at=number * 60.0,
        seconds=60.0,
        entries=number * 600,
        rate=10.0,
        p50_ms=p50,
        p99_ms=2 * p50,
        weights={"committer": Weight(pid, mb, 20, 4)},
        chain_mb=1.0,
        wal_mb=1.0,
        disk_mb=1.0,
        errors=0,
        calm=calm,
    )


def outcome(minutes: list[Minute], **other: object) -> Outcome:
    made = Outcome(
        options=Options(minutes=MINUTES, seed=1, lan=True),
        machine=Machine("a processor", 2, "3.11.0", 1.0),
        minutes=minutes,
        counts={"joined": 3},
        faults={"killed-web": 2},
        errors=[],
        warnings={},
        troubles=[],
        broken=[],
        cut_short=False,
    )
    return structs.replace(made, **other)


def test_what_stays_as_it_is_holds() -> None:
    made = report(outcome([minute(number) for number in range(MINUTES)]))

    assert made.holds
    assert markdown(made).startswith("**Holds**")


def test_memory_that_grows_does_not() -> None:
    made = report(outcome([minute(number, mb=50 + number / 2) for number in range(MINUTES)]))

    assert made.failures == ["memory grows: committer: +30.0 MB/h"]


def test_what_grows_while_it_warms_up_does_not_count() -> None:
    warm = WARM_UP / 60
    made = report(outcome([minute(number, mb=20 + min(number, warm) * 10) for number in range(MINUTES)]))

    assert made.holds


def test_a_process_that_was_started_again_is_judged_by_its_longest_life() -> None:
    first = [minute(number, mb=40, pid=1) for number in range(20)]
    second = [minute(number, mb=60, pid=2) for number in range(20, MINUTES)]

    (trend,) = report(outcome(first + second)).trends

    assert trend.mb_per_hour == 0
    assert trend.mb == 60


def test_a_short_life_is_not_judged() -> None:
    short = int((SPAN + WARM_UP) / 60)

    assert report(outcome([minute(number, mb=50 + number * 5) for number in range(short)])).holds


def test_latency_that_rises_does_not_hold() -> None:
    made = report(outcome([minute(number, p50=30 + 2 * number) for number in range(MINUTES)]))

    assert [each.partition(" from")[0] for each in made.failures] == [
        "latency rises: p50",
        "latency rises: p99",
    ]


def test_minutes_with_a_fault_say_nothing_about_latency() -> None:
    minutes = [minute(number) for number in range(40)]
    minutes += [minute(number, p50=500, calm=False) for number in range(40, MINUTES)]

    assert report(outcome(minutes)).holds


@pytest.mark.parametrize("fault", [None, "killed-web"])
def test_an_error_is_a_failure_unless_it_was_made(fault: str | None) -> None:
    made = report(outcome([minute(1)], errors=[Heard("gateway", "ERROR", "it broke", fault)]))

    assert made.holds is (fault is not None)


def test_what_did_not_hold_in_the_end_is_a_failure() -> None:
    assert report(outcome([], broken=["lost"], troubles=["page: odd"])).failures == ["page: odd", "lost"]


def test_the_slope_is_not_changed_by_an_outlier() -> None:
    points = [(float(x), 2.0 * x) for x in range(20)]
    points[7] = (7.0, 1_000.0)

    assert slope(points) == pytest.approx(2.0)


def test_the_ear_tells_errors_that_were_made_from_others(tmp_path: Path) -> None:
    log = tmp_path / "gateway.log"
    line = "2026-01-01 00:00:00,000 {} gateway.link {}\n"
    ear = Ear(tmp_path)
    log.write_text(line.format("INFO", "all well") + line.format("ERROR", "first"), "utf-8")
    assert [each.text for each in ear.listen(None)] == ["gateway.link first"]

    with log.open("a") as file:
        file.write(line.format("ERROR", "second") + line.format("WARNING", "entry 17"))
        file.write("Traceback (most recent call last):\n  half a line")

    assert ear.listen("killed-web") == []
    assert [each.fault for each in ear.errors] == [None, "killed-web", "killed-web"]
    assert ear.warnings == {("gateway.link entry *", True): 1}
