"""A rota as a person writes it."""

import time
from collections.abc import Iterator
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.api import DutyGroup, ShiftLine
from provisioning.admin import duty, rota
from provisioning.admin.rota import BadRota, Planned

NOW = datetime(2026, 5, 1, 14, 30)  # noqa: DTZ001 - the clock on the wall


@pytest.fixture(autouse=True)
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def ms(text: str) -> int:
    return round(1000 * datetime.fromisoformat(text).timestamp())


@pytest.mark.parametrize(
    ("begins", "ends", "first", "last"),
    [
        ("20:00", "08:00", "2026-05-01 20:00", "2026-05-02 08:00"),
        ("08:00", "20:00", "2026-05-01 08:00", "2026-05-01 20:00"),
        ("08:00", "08:00", "2026-05-01 08:00", "2026-05-02 08:00"),
        ("now", "14:00", "2026-05-01 14:30", "2026-05-02 14:00"),
        ("2026-06-30 20:00", "08:00", "2026-06-30 20:00", "2026-07-01 08:00"),
        ("2026-06-30 20:00", "2026-07-02 08:00", "2026-06-30 20:00", "2026-07-02 08:00"),
        ("2026-06-30T20:00", "2026-07-02T08:00", "2026-06-30 20:00", "2026-07-02 08:00"),
    ],
)
def test_a_time_without_a_day_is_the_next_that_fits(begins: str, ends: str, first: str, last: str) -> None:
    assert rota.between(begins, ends, NOW) == (ms(first), ms(last))


def test_a_night_when_the_clocks_change_is_an_hour_longer() -> None:
    begins, ends = rota.between("2026-10-24 20:00", "08:00", NOW)

    assert ends - begins == 13 * 3_600_000


@pytest.mark.parametrize(
    ("begins", "ends", "said"),
    [
        ("8pm", "08:00", "want a time as"),
        ("20:00", "now", "want a time as"),
        ("25:00", "08:00", "want a time as"),
        ("2026-05-01", "2026-05-02", "want a time as"),
        ("2026-05-01 20:00+02:00", "2026-05-02 08:00", "want a time as"),
        ("2026-05-02 20:00", "2026-05-01 20:00", "want an end after the beginning"),
        ("2026-05-01 20:00", "2026-06-02 20:00", "want at most 31 days"),
        ("2026-03-29 02:30", "08:00", "no such time on that day"),
    ],
)
def test_a_time_that_cannot_be_is_told(begins: str, ends: str, said: str) -> None:
    with pytest.raises(BadRota, match=said):
        rota.between(begins, ends, NOW)


def test_a_file_is_read_line_by_line() -> None:
    text = "group,handle,from,until\non-call, dr.lee, 2026-05-01 20:00, 08:00\n\non-call,dr.kim,2026-05-02 08:00,20:00\n"

    assert rota.read(text, NOW) == [
        Planned(2, "on-call", "dr.lee", ms("2026-05-01 20:00"), ms("2026-05-02 08:00")),
        Planned(4, "on-call", "dr.kim", ms("2026-05-02 08:00"), ms("2026-05-02 20:00")),
    ]


def test_all_that_is_wrong_with_a_file_is_told_at_once() -> None:
    text = (
        "on-call,dr.lee,20:00,08:00\n"
        "on-call,dr.lee,2026-05-01 20:00\n"
        "on-call,dr.lee,2026-05-01 20:00,later\n"
        "on-call,dr.lee,2026-05-01 20:00,08:00\n"
        "on-call,dr.lee,2026-05-02 07:00,09:00\n"
        "on-call,dr.kim,2026-05-02 07:00,09:00\n"
    )

    with pytest.raises(BadRota) as caught:
        rota.read(text, NOW)

    assert str(caught.value).splitlines() == [
        "nothing is planned:",
        "line 1: want in a file the day, too, as \"2026-05-01 20:00\", got '20:00'",
        "line 2: want group,handle,from,until, got 3 values",
        'line 3: want a time as "2026-05-01 20:00" or "20:00", got \'later\'',
        "line 5: dr.lee is on already by line 4",
    ]


@given(st.text())
def test_any_text_is_a_rota_or_is_told_why_not(text: str) -> None:
    try:
        rota.read(text, NOW)
    except BadRota:
        return


def test_too_long_a_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rota, "MAX_LINES", 2)

    with pytest.raises(BadRota, match="at most 2 shifts"):
        rota.read("on-call,a,2026-05-01 20:00,08:00\n" * 3, NOW)


LEE, KIM = "a" * 26, "b" * 26
CALLED = {LEE: "dr.lee", KIM: "dr.kim"}


def group(*shifts: ShiftLine, on: list[str]) -> DutyGroup:
    return DutyGroup(id="g-" + "c" * 26, name="on-call", members=[LEE, KIM], on=on, shifts=list(shifts))


def test_a_group_at_a_glance() -> None:
    begins, ends = ms("2026-05-01 08:00"), ms("2026-05-01 20:00")
    shifts = ShiftLine(LEE, begins, ends), ShiftLine(KIM, ends, ends + 1000)

    seen = duty.seen(group(*shifts, on=[LEE]), CALLED, ms("2026-05-01 14:30"))

    assert (seen.group, seen.on, seen.planned, seen.until) == ("on-call", ["dr.lee"], True, ends)
    assert seen.next == "dr.kim from 2026-05-01 20:00"


def test_where_nobody_has_a_shift_all_are_shown_to_be_on() -> None:
    seen = duty.seen(group(on=[LEE, KIM]), CALLED, 0)

    assert (seen.on, seen.planned, seen.until, seen.next) == (["dr.kim", "dr.lee"], False, None, None)


def test_the_shift_of_somebody_who_has_left_the_group_is_nobodys() -> None:
    left = ShiftLine("d" * 26, 0, 1000)

    assert duty.seen(group(left, on=[LEE, KIM]), CALLED, 500).planned is False
