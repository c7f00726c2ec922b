"""
A rota: who is on duty when, as a person writes it.

A time is as "2026-05-01 20:00", by this machine's clock and its time zone; "20:00" is so late on the day that goes with it.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime, time, timedelta

from msgspec import Struct

from chain.duty import MAX_SHIFT_MS
from device.errors import BadConfig

HEADING = ["group", "handle", "from", "until"]
MAX_LINES = 10_000
_WANTED = 'want a time as "2026-05-01 20:00" or "20:00"'
_MS_PER_DAY = 86_400_000


class BadRota(BadConfig):
    """Somebody cannot be on duty as it was written."""


class Planned(Struct, frozen=True):
    """`handle` of `group` is on from `begins` to `ends` (ms); `line` of the file says so."""

    line: int
    group: str
    handle: str
    begins: int
    ends: int


def between(begins: str, ends: str, now: datetime) -> tuple[int, int]:
    """
    The two times in ms. Without a date, the first is today, or "now"; the second is the next such time after it.

    Raises `BadRota`.
    """
    start = now if begins == "now" else _time(begins, now)
    end = _time(ends, start)
    if end <= start and _clock(ends) is not None:
        end = _time(ends, start + timedelta(days=1))
    first, last = _ms(start, begins), _ms(end, ends)
    if last <= first:
        raise BadRota(f"want an end after the beginning, got {begins} until {ends}")
    if last - first > MAX_SHIFT_MS:
        raise BadRota(f"want at most {MAX_SHIFT_MS // _MS_PER_DAY} days, got {begins} until {ends}")
    return first, last


def read(text: str, now: datetime) -> list[Planned]:
    """The lines of a file of comma-separated values; raise `BadRota` with all that is wrong with it."""
    planned: list[Planned] = []
    wrong: list[str] = []
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, skipinitialspace=True)
    try:
        for row in reader:
            line, cells = reader.line_num, [cell.strip() for cell in row]
            if not any(cells) or (not planned and not wrong and cells == HEADING):
                continue
            if len(planned) + len(wrong) >= MAX_LINES:
                raise BadRota(f"want at most {MAX_LINES} shifts")
            try:
                planned.append(_planned(line, cells, now))
            except BadRota as error:
                wrong.append(f"line {line}: {error}")
    except csv.Error as error:
        raise BadRota(f"line {reader.line_num}: {error}") from error
    refuse(wrong + overlaps(planned))
    return planned


def overlaps(planned: Iterable[Planned]) -> list[str]:
    """Where one person would be on twice at a time in one group: the later line would cut the earlier."""
    wrong = []
    last: dict[tuple[str, str], Planned] = {}
    for shift in sorted(planned, key=lambda shift: (shift.begins, shift.line)):
        before = last.get((shift.group, shift.handle))
        if before is not None and shift.begins < before.ends:
            wrong.append(f"line {shift.line}: {shift.handle} is on already by line {before.line}")
        if before is None or shift.ends > before.ends:
            last[shift.group, shift.handle] = shift
    return wrong


def refuse(wrong: Sequence[str]) -> None:
    """Raise `BadRota` if anything is wrong."""
    if wrong:
        raise BadRota("\n".join(["nothing is planned:", *wrong]))


def _planned(line: int, cells: list[str], now: datetime) -> Planned:
    if len(cells) != len(HEADING):
        raise BadRota(f"want {','.join(HEADING)}, got {len(cells)} values")
    group, handle, begins, ends = cells
    if begins == "now" or _clock(begins) is not None:
        raise BadRota(f'want in a file the day, too, as "2026-05-01 20:00", got {begins!r}')
    return Planned(line, group, handle, *between(begins, ends, now))


def _time(said: str, near: datetime) -> datetime:
    """By the wall clock of this place; `near` gives the day where none is said."""
    clock = _clock(said)
    if clock is not None:
        return datetime.combine(near.date(), clock)
    try:
        found = datetime.fromisoformat(said)
    except ValueError as error:
        raise BadRota(f"{_WANTED}, got {said!r}") from error
    if found.tzinfo is not None or len(said) < len("2026-05-01 20:00"):
        raise BadRota(f"{_WANTED}, got {said!r}")
    return found


def _clock(said: str) -> time | None:
    try:
        return time.fromisoformat(said) if len(said) == len("20:00") and said[2] == ":" else None
    except ValueError:
        return None


def _ms(local: datetime, said: str) -> int:
    seconds = local.timestamp()
    if datetime.fromtimestamp(seconds) != local:  # noqa: DTZ006 - the clock on the wall is what is meant
        raise BadRota(f"{said}: there is no such time on that day, the clocks go forward")
    return round(1000 * seconds)
