"""One column of a CSV file: what a sensor once said, value by value."""

import csv
import math
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from device.errors import DeviceError

MAX_TEXT = 40
"""How much is kept of a cell that is no number."""


class BadRecording(DeviceError):
    """The file is no table with this column and this row."""


def values(path: Path, column: str, *, start: int = 1) -> Iterator[float | str | None]:
    """
    The cells of `column` from row `start` on, the first row below the header being 1.

    An empty cell is None; one that is no number comes as its text: both happened, so both are told.
    """
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        rows = (row for row in csv.reader(file) if row)
        try:
            yield from _cells(rows, path, column, start)
        except csv.Error as error:
            raise BadRecording(f"{path}: not CSV: {error}") from error


def _cells(rows: Iterator[list[str]], path: Path, column: str, start: int) -> Iterator[float | str | None]:
    header = next(rows, [])
    if column not in header:
        raise BadRecording(f"{path}: want a column {column!r}, got {', '.join(header) or 'an empty file'}")
    place = header.index(column)
    first = next(islice(rows, start - 1, None), None)
    if first is None:
        raise BadRecording(f"{path}: want a row {start}, got fewer")
    # R writes the names of its rows in a column without a header.
    place += len(first) == len(header) + 1
    yield _value(first, place)
    for row in rows:
        yield _value(row, place)


def _value(row: list[str], place: int) -> float | str | None:
    text = row[place].strip() if place < len(row) else ""
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        return text[:MAX_TEXT]
    if not math.isfinite(number):
        return text[:MAX_TEXT]
    return int(text) if text.lstrip("+-").isdecimal() else number
