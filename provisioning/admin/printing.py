"""How lists are printed: a table for people, a JSON object a line for programs."""

import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

import msgspec
from msgspec import Struct

T = TypeVar("T", bound=Struct)

Cell = str | int | None
Columns = Mapping[str, Callable[[T], Cell]]
"""What stands above a column, and what it says of a line."""

GAP = "  "


def takes_json(parser: ArgumentParser) -> ArgumentParser:
    """Let a command that lists print for programs, too."""
    parser.add_argument("--json", action="store_true", help="print a JSON object a line")
    return parser


def say(text: str) -> None:
    print(plain(text))


def aside(text: str) -> None:
    """What is for a person, and not for who reads the output."""
    print(plain(text), file=sys.stderr)


def listed(lines: Iterable[T], columns: Columns[T], *, as_json: bool, none: str) -> None:
    """Print them all; `none` is said to a person if there are none."""
    if as_json:
        for line in lines:
            print(msgspec.json.encode(line).decode())
        return
    rows = [[_shown(cell(line)) for cell in columns.values()] for line in lines]
    if not rows:
        aside(none)
        return
    for row in _aligned([list(columns), *rows]):
        print(row)


def _aligned(rows: list[list[str]]) -> Iterable[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield GAP.join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()


def _shown(cell: Cell) -> str:
    return "-" if cell in (None, "") else plain(str(cell)).replace("\n", " ")


def plain(text: str) -> str:
    """What somebody else wrote must neither steer this terminal nor pass for a line of ours."""
    return "".join(
        letter if letter.isprintable() or letter == "\n" else "\N{REPLACEMENT CHARACTER}" for letter in text
    )


def when(ms: int | None) -> str | None:
    """A time as the clock on the wall says it."""
    return None if ms is None else time.strftime("%Y-%m-%d %H:%M", time.localtime(ms / 1000))


def yes(given: bool) -> str | None:  # noqa: FBT001 - a value, not a flag
    return "yes" if given else None
