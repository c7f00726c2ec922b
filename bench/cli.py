"""`blockpost bench`: measure the way from a device to its receipt, and what everything takes up."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from bench import (
    agent,
    campaign,
    chart,
    commit,
    contracts,
    floor,
    grow,
    overload,
    page,
    part,
    peers,
    profile,
    rest,
    seal,
    start,
    targets,
    verify,
)
from bench.errors import BenchError
from bench.part import Part
from chain.console import Console, end_as_interrupted
from chain.errors import ChainError
from device.errors import DeviceError

PARTS: tuple[Part[Any, Any], ...] = (
    commit.PART,
    floor.PART,
    profile.PART,
    grow.PART,
    start.PART,
    verify.PART,
    rest.PART,
    overload.PART,
    contracts.PART,
    agent.PART,
    seal.PART,
    page.PART,
    peers.PART,
)

WHOLE = {
    "all --out ./results": "all of it, each result into a file; about two hours",
    "table ./results": "what of it reaches its target, as a table in Markdown",
    "chart --from ./results/*.json --out ./docs": "the rate against the chain's size, the latency against the load",
}
"""Examples of what is not one part."""

ERRORS = (BenchError, ChainError, DeviceError, OSError)

DESCRIPTION = """
Measure Blockpost on this machine. Everything runs in a temporary directory and on loopback; nothing else is
touched. Figures come with the machine they were measured on, and are worth nothing without it.
"""

CLOSING = """
An entry counts when its author has verified the receipt. What is compared takes turns, so that a busy moment of the
machine hits both; figures are medians of the rounds. Latencies under full load are mostly waiting: each client keeps
64 entries under way.
"""


def main(argv: Sequence[str]) -> int:
    """Run one benchmark; return the exit code."""
    console = _console()
    args = console.parser.parse_args(argv)
    end_as_interrupted()
    return console.run(args, ERRORS)


def _console() -> Console:
    console = Console("bench", DESCRIPTION, _examples(*PARTS, more=WHOLE) + CLOSING)
    for each in PARTS:
        parser = console.command(each.name, partial(_measure, each), each.text)
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.epilog = _examples(each)
        each.add(parser)
        part.add_directory(parser)
        parser.add_argument("--json", action="store_true", help="end with one JSON object on the last line")
    draw = console.command("chart", _chart, "draw what runs with --json have printed, as SVG")
    draw.add_argument(
        "--from", dest="results", type=Path, nargs="+", required=True, metavar="FILE", help="their output"
    )
    draw.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the charts go")
    hold = console.command("table", _table, "hold results against the targets, as a table in Markdown")
    hold.add_argument("results", type=Path, metavar="DIR", help="where `all` has put them")
    whole = console.command("all", _all, "all of it, each result into a file; what has one is left out")
    whole.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="where the results go, and 4 GB"
    )
    return console


def _examples(*parts: Part[Any, Any], more: Mapping[str, str] | None = None) -> str:
    told = {words: text for each in parts for words, text in each.examples.items()} | dict(more or {})
    width = max(map(len, told))
    lines = (f"  blockpost bench {words:{width}}  {text}\n" for words, text in told.items())
    return f"\nexamples:\n{''.join(lines)}"


def _measure(of: Part[Any, Any], args: argparse.Namespace, file: Path | None = None) -> None:
    result = of.measure(of.parse(args), _progress)
    print(f"machine    {result.machine}")
    for line in of.lines(result):
        print(line)
    said = msgspec.json.encode(result)
    if args.json:
        print(said.decode())
    if file is not None:
        file.write_bytes(said)


def _all(args: argparse.Namespace) -> int:
    """Go on after what fails, as where a browser is missing; return the exit code."""
    args.out.mkdir(parents=True, exist_ok=True)
    parser, parts = _console().parser, {each.name: each for each in PARTS}
    failed = 0
    for each in campaign.measurements(args.out, parts):
        file = args.out / f"{each.name}.json"
        if file.exists():
            continue
        print(f"blockpost bench {' '.join(each.words)}", flush=True)
        asked = parser.parse_args(each.words)
        try:
            _measure(parts[asked.command], asked, file)
        except ERRORS as error:
            failed = 1
            print(f"{parser.prog} {asked.command}: {error}", file=sys.stderr)
    return failed


def _chart(args: argparse.Namespace) -> None:
    args.out.mkdir(parents=True, exist_ok=True)
    for name, drawn in chart.charts(map(chart.read, args.results)).items():
        (args.out / name).write_text(chart.svg(drawn), "utf-8")
        print(args.out / name)


def _table(args: argparse.Namespace) -> None:
    results = {file.stem: chart.read(file) for file in sorted(args.results.glob("*.json"))}
    for line in targets.table(results):
        print(line)
    for machine in targets.machines(results):
        print(f"\nMeasured on: {machine}")


def _progress(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)
