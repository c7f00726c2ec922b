"""
Charts of results, as SVG: small, without a script, and with the colours of a light or a dark page, as it comes.

A result says by its members what it is of: a growing chain gives the rate against its size, runs at a steady load give
the latency against that.
"""

import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from msgspec import Struct

from bench.errors import BenchError

WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 72, 48, 64, 92
"""Room around what is plotted, in pixels."""

TICKS = 6
STYLE = """\
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-size: 16px; font-weight: 600 }
.note { font-size: 11px }
.grid { stroke: #d0d7de }
.axis { stroke: #57606a }
.line { fill: none; stroke-width: 2 }
.a { stroke: #0969da } .a.dot { fill: #0969da }
.b { stroke: #bc4c00 } .b.dot { fill: #bc4c00 }
.c { stroke: #8250df } .c.dot { fill: #8250df }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .grid { stroke: #30363d }
  .axis { stroke: #8d96a0 }
  .a { stroke: #4493f8 } .a.dot { fill: #4493f8 }
  .b { stroke: #db6d28 } .b.dot { fill: #db6d28 }
  .c { stroke: #ab7df8 } .c.dot { fill: #ab7df8 }
}
"""
"""A dot says its figures, and the lines are told apart by name below."""

CLASSES = "abc"

Point = tuple[float, float]


class Series(Struct, frozen=True):
    name: str
    points: list[Point]


class Chart(Struct, frozen=True):
    """`note` says on which machine; with `log`, each step to the right is ten times as much."""

    title: str
    across: str
    up: str
    series: list[Series]
    note: str
    log: bool = False


def read(path: Path) -> dict[str, Any]:
    """The result that a run with `--json` has printed, on its last line; raise `BenchError` if there is none."""
    try:
        result = json.loads(path.read_text("utf-8").splitlines()[-1])
    except (IndexError, ValueError) as error:
        raise BenchError(f"{path}: want the output of a run with --json: {error}") from error
    if not isinstance(result, dict):
        raise BenchError(f"{path}: want a JSON object on the last line")
    return result


def charts(results: Iterable[dict[str, Any]]) -> dict[str, Chart]:
    """By file name, those that can be drawn of the results; raise `BenchError` if none can."""
    given = list(results)
    grown = [result for result in given if "sizes" in result]
    steady = sorted((result for result in given if result.get("offered")), key=lambda each: each["offered"])
    made: dict[str, Chart] = {}
    if grown:
        made["rate-against-size.svg"] = _rate(grown[-1])
    if steady:
        made["latency-against-load.svg"] = _latency(steady)
    if not made:
        raise BenchError("want a result of `bench grow`, or of `bench commit` with --rate")
    return made


def _rate(result: dict[str, Any]) -> Chart:
    at = result["sizes"]
    return Chart(
        title="Entries receipted a second, against the size of the chain",
        across="entries on the chain",
        up="entries/s",
        series=[
            Series("this chain", [(each["size"], each["rate"]) for each in at]),
            Series("one of the first size, in turn", [(each["size"], each["first_rate"]) for each in at]),
        ],
        note=_machine(result),
        log=True,
    )


def _latency(results: Sequence[dict[str, Any]]) -> Chart:
    return Chart(
        title="From publishing to a verified receipt, against the load",
        across="entries offered a second",
        up="ms",
        series=[
            Series(name, [(each["offered"], each[member]) for each in results])
            for name, member in (("p50", "p50_ms"), ("p99", "p99_ms"))
        ],
        note=_machine(results[-1]),
    )


def _machine(result: dict[str, Any]) -> str:
    machine = result["machine"]
    return f"{machine['cpu']}, {machine['cores']} cores, Python {machine['python']}, fsync {machine['fsync_ms']} ms"


def svg(chart: Chart) -> str:
    """The chart as a file of its own."""
    points = [point for series in chart.series for point in series.points]
    ups = _ticks(max(up for _, up in points))
    frame = _Frame([across for across, _ in points], ups[-1], log=chart.log)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{escape(chart.title)}</title>",
        f"<style>{STYLE}</style>",
        _text(LEFT, 26, chart.title, "title"),
        _text(LEFT, 48, chart.up),
        *(_gridline(frame, up) for up in ups),
        *(_tick(frame, across) for across in frame.marks),
        _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - BOTTOM + 44, chart.across, anchor="middle"),
        _text(LEFT, HEIGHT - 8, chart.note, "note"),
        *(
            _drawn(frame, each, name, number)
            for number, (each, name) in enumerate(zip(chart.series, CLASSES, strict=False))
        ),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


class _Frame:
    """Where a value is on the picture."""

    def __init__(self, across: Sequence[float], top: float, *, log: bool) -> None:
        self._log = log
        self._top = top
        self.marks = sorted(set(across)) if log else _ticks(max(across))
        self._low = self._scaled(self.marks[0])
        self._high = self._scaled(self.marks[-1])

    def x(self, value: float) -> float:
        # One point alone is in the middle.
        wide = self._high - self._low
        part = (self._scaled(value) - self._low) / wide if wide else 0.5
        return round(LEFT + part * (WIDTH - LEFT - RIGHT), 1)

    def y(self, value: float) -> float:
        return round(HEIGHT - BOTTOM - value / self._top * (HEIGHT - TOP - BOTTOM), 1)

    def _scaled(self, value: float) -> float:
        return math.log10(value) if self._log else value


def _ticks(most: float) -> list[float]:
    """Round numbers from 0 to what is not below `most`."""
    rough = most / TICKS or 1
    power = 10 ** math.floor(math.log10(rough))
    step = next(each * power for each in (1, 2, 5, 10) if each * power >= rough)
    return [number * step for number in range(math.ceil(most / step or 1) + 1)]


def _gridline(frame: _Frame, up: float) -> str:
    y = frame.y(up)
    kind = "grid" if up else "axis"
    line = f'<line class="{kind}" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>'
    return line + _text(LEFT - 8, y + 4, _number(up), anchor="end")


def _tick(frame: _Frame, across: float) -> str:
    x, y = frame.x(across), HEIGHT - BOTTOM
    line = f'<line class="axis" x1="{x}" x2="{x}" y1="{y}" y2="{y + 5}"/>'
    return line + _text(x, y + 22, _number(across), anchor="middle")


def _drawn(frame: _Frame, series: Series, kind: str, number: int) -> str:
    """The line, a dot at each point with its figures, and its name below."""
    path = " ".join(f"{frame.x(across)},{frame.y(up)}" for across, up in series.points)
    dots = "".join(
        f'<circle class="{kind} dot" cx="{frame.x(across)}" cy="{frame.y(up)}" r="4">'
        f"<title>{escape(series.name)}: {_number(up)} at {_number(across)}</title></circle>"
        for across, up in series.points
    )
    x, y = LEFT + number * 240, HEIGHT - 28
    key = f'<line class="{kind} line" x1="{x}" x2="{x + 24}" y1="{y - 4}" y2="{y - 4}"/>'
    return f'<polyline class="{kind} line" points="{path}"/>{dots}{key}{_text(x + 32, y, series.name)}'


def _text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    styled = f' class="{kind}"' if kind else ""
    return f'<text{styled} x="{x}" y="{y}" text-anchor="{anchor}">{escape(words)}</text>'


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:g}"  # noqa: PLR2004 - two digits
