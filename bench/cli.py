"""`blockpost bench`: measure the way from a device to its receipt, and what a device's agent takes up."""

import argparse
import importlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from bench import agent, commit, contracts
from bench.errors import BenchError
from chain.console import Console, end_as_interrupted
from device.errors import DeviceError

DESCRIPTION = """
Measure Blockpost on this machine. Everything runs in a temporary directory and on loopback; nothing else is
touched. Figures come with the machine they were measured on, and are worth nothing without it.
"""

CLOSING = """
examples:
  blockpost bench commit                         rate, latency, and both against the raw floor; about two minutes
  blockpost bench commit --broker mosquitto      the same on Debian's Mosquitto
  blockpost bench commit --rate 200 --no-growth  latency at a steady 200 entries a second, without queues
  blockpost bench contracts                      the rate under 200 contracts with 500 open alerts, and without
  blockpost bench agent                          an agent's memory at rest, and its computing time a message
  blockpost bench page                           how fast the page opens a conversation of 10,000 messages

`commit` counts an entry when its author has verified the receipt. The floor is measured in turn with it, on the
same broker: one paho subscriber that writes the same bytes to SQLite in groups, and checks nothing. Latencies under
full load are mostly waiting: each client keeps 64 entries under way.
"""


def main(argv: Sequence[str]) -> int:
    """Run one benchmark; return the exit code."""
    console = _console()
    args = console.parser.parse_args(argv)
    end_as_interrupted()
    return console.run(args, (BenchError, DeviceError, OSError))


def _console() -> Console:
    console = Console("bench", DESCRIPTION, CLOSING)
    part = _command(
        console, "commit", _commit, "from publishing an entry to its verified receipt: rate, latency, growth"
    )
    _add_load(part)
    part.add_argument(
        "--rate",
        type=_count,
        metavar="N",
        help="offer so many entries a second; without it, as many as are answered",
    )
    part.add_argument(
        "--no-growth",
        dest="growth",
        action="store_false",
        help="leave out the runs on a chain of 100,000 entries, which takes a while to make",
    )
    part = _command(
        console, "contracts", _contracts, "the rate with contracts in force and alerts open, and without"
    )
    _add_load(part)
    _add_count(part, "contracts", 200, "contracts in force, of all kinds")
    _add_count(part, "alerts", 500, "alerts that nobody has taken")
    part = _command(
        console, "agent", _agent, "an agent's memory at rest, time to start, and computing time per message"
    )
    _add_count(part, "messages", 200, "messages that the computing time is averaged over")
    part = _command(console, "page", _page, "the page in a real Chromium: opening a long conversation")
    _add_count(part, "messages", 10_000, "messages in the conversation")
    return console


def _command(
    console: Console, name: str, action: Callable[[argparse.Namespace], None], text: str
) -> argparse.ArgumentParser:
    """A benchmark, with the options that all have."""
    part = console.command(name, action, text)
    part.add_argument(
        "--directory",
        type=Path,
        metavar="DIR",
        help="work on the disk that this directory is on; without it, where temporary files are",
    )
    part.add_argument("--json", action="store_true", help="end with one JSON object on the last line")
    return part


def _add_load(part: argparse.ArgumentParser) -> None:
    """What runs with devices have."""
    part.add_argument(
        "--broker",
        choices=("embedded", "mosquitto"),
        default="embedded",
        help="(default %(default)s)",
    )
    _add_count(part, "clients", 10, "accounts that publish")
    _add_count(part, "entries", 10_000, "entries of one run, of all clients together")
    _add_count(part, "rounds", 3, "runs of each kind; the medians count")


def _add_count(part: argparse.ArgumentParser, name: str, default: int, text: str) -> None:
    part.add_argument(
        f"--{name}", type=_count, default=default, metavar="N", help=f"{text} (default %(default)s)"
    )


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"want a number above 0, got {text}")
    return number


def _options(kind: type[Any], args: argparse.Namespace) -> Any:
    return kind(**{name: getattr(args, name) for name in kind.__struct_fields__})


def _commit(args: argparse.Namespace) -> None:
    result = commit.measure(_options(commit.Options, args), _progress)
    print(f"machine    {result.machine}")
    offered = f", {result.offered} entries/s offered" if result.offered else ""
    print(f"load       {result.clients} clients on the {result.broker} broker{offered}")
    print(f"rate       {result.rate:,.0f} entries/s, each receipted and verified")
    print(f"floor      {result.floor:,.0f} entries/s, the same bytes unchecked; ratio {result.ratio:.2f}")
    if result.amqtt_floor and result.amqtt_ratio:
        print(
            f"amqtt      {result.amqtt_floor:,.0f} entries/s is its floor as it comes, without our hardening; "
            f"ratio {result.amqtt_ratio:.2f}"
        )
    print(f"latency    p50 {result.p50_ms} ms, p99 {result.p99_ms} ms, from publishing to a verified receipt")
    computing = ", ".join(f"{name} {spent} us" for name, spent in result.cpu_us.items())
    print(f"computing  {computing} an entry")
    if result.rate_100000 is not None:
        print(
            f"growth     {result.rate_1000:,.0f} entries/s at 1,000 entries on the chain, "
            f"{result.rate_100000:,.0f} at 100,000: ratio {result.growth:.2f}"
        )
    _end(args, result)


def _contracts(args: argparse.Namespace) -> None:
    result = contracts.measure(_options(contracts.Options, args), _progress)
    print(f"machine    {result.machine}")
    print(f"load       {result.clients} clients on the {result.broker} broker")
    print(f"without    {result.without:,.0f} entries/s, each receipted and verified")
    print(
        f"with       {result.rate:,.0f} entries/s under {result.contracts} contracts, with {result.alerts} alerts open; "
        f"ratio {result.ratio:.2f}"
    )
    computing = ", ".join(
        f"{name} {spent} us (without: {result.cpu_without_us[name]})" for name, spent in result.cpu_us.items()
    )
    print(f"computing  {computing} an entry")
    _end(args, result)


def _agent(args: argparse.Namespace) -> None:
    result = agent.measure(_options(agent.Options, args), _progress)
    print(f"machine    {result.machine}")
    print(f"memory     {result.rss_mb} MB resident at rest, {result.pss_mb} MB with shared pages shared out")
    print(f"start      {result.start_s} s from its start to its first message")
    print(f"computing  {result.cpu_ms_per_message} ms a message, over {result.messages} messages")
    _end(args, result)


def _page(args: argparse.Namespace) -> None:
    try:
        page = importlib.import_module("bench.page")
    except ImportError as error:
        raise BenchError(f"page: {error}: pip install playwright, and install Chromium") from error
    result = page.measure(_options(page.Options, args), _progress)
    print(f"machine    {result.machine}")
    print(f"read       {result.read_s} s for a new browser to read and verify {result.messages:,} messages")
    print(f"reload     {result.reload_ms} ms until the friends are there")
    print(f"open       {result.open_ms} ms from the click on the conversation to its newest messages")
    print(f"scroll     {result.frame_ms} ms a frame, {result.worst_frame_ms} ms the longest")
    _end(args, result)


def _end(args: argparse.Namespace, result: Any) -> None:
    if args.json:
        print(msgspec.json.encode(result).decode())


def _progress(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)
