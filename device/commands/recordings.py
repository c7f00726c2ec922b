"""What settings would have made of a recording."""

import argparse
from pathlib import Path

import msgspec

from chain.console import Console
from device import recording, replaycheck
from device.client import Home
from device.commands.printing import say
from device.config import read_sensor
from device.errors import BadConfig
from device.preset import PRESETS

REPLAYED = {
    "low": "an alert below this",
    "high": "an alert above this",
    "must-last": "seconds for which all readings cross the limit",
    "clear-by": "how far inside the limit it is over",
    "stale-after": "seconds without a reading until a technical alert",
}
"""The settings that replay-check takes instead of the preset's."""


def add(console: Console) -> None:
    replay = console.command(
        "replay-check", _replay_check, "how many alerts a day settings would have raised over a recording"
    )
    replay.add_argument(
        "file", type=Path, metavar="FILE", help="a CSV file; its first line names the columns"
    )
    replay.add_argument("--column", required=True, metavar="C", help="the column with the values")
    replay.add_argument("--preset", choices=PRESETS, help="what kind of sensor it was")
    replay.add_argument(
        "--time", metavar="C", help="a column of seconds or timestamps; without it there is a sample a minute"
    )
    for name, about in REPLAYED.items():
        replay.add_argument(f"--{name}", type=float, metavar="N", help=about)
    replay.add_argument("--json", action="store_true", help="print one JSON object, with no table before it")


def _replay_check(args: argparse.Namespace, _home: Home) -> int:
    given = {key: vars(args)[key] for key in (name.replace("-", "_") for name in REPLAYED)}
    said = {key: value for key, value in {"preset": args.preset, **given}.items() if value is not None}
    sensor = read_sensor({"mode": "stream", "command": ["replay"], **said})
    if not sensor.rules.are_limits:
        raise BadConfig("want --preset, --low or --high")
    cells = recording.values(args.file, args.column)
    if args.time is None:
        samples = replaycheck.minutes(cells)
    else:
        samples = replaycheck.timed(recording.values(args.file, args.time), cells)
    outcome = replaycheck.examine(samples, sensor.rules)
    if args.json:
        say(msgspec.json.encode(replaycheck.figures(outcome)).decode())
    else:
        say("\n".join(replaycheck.table(outcome)))
    return 0
