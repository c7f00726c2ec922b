"""
The sensors that come with Blockpost: load, memory, temperature, and a recording played again.

Each is a command of its own, so that no sensor shares a process with the private keys. It is started
anew at every poll: hence nothing here but the standard library, and little of that.
"""

import json
import math
import os
import signal
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

from device import recording, thermometer
from device.errors import DeviceError

Said: TypeAlias = dict[str, object]

MEMINFO = Path("/proc/meminfo")

EXAMPLES = """\
examples:
  %(prog)s load
  %(prog)s temperature --chip cpu_thermal --every 10
  %(prog)s replay monitor.csv --column SpO2 --rate 1 --loop

Each line on stdout is one reading, in the form that a sensor command of your own may use as well:
  {"value": 0.42, "unit": "1"}
A value of null says that there was none. What goes wrong is told on stderr, with an exit status of 1.
"""


def load() -> Said:
    return {"value": round(os.getloadavg()[0], 2), "unit": "1"}


def memory(meminfo: Path = MEMINFO) -> Said:
    lines = (line.split() for line in meminfo.read_text("ascii").splitlines())
    kib = {words[0]: int(words[1]) for words in lines}
    return {"value": round(100 * (1 - kib["MemAvailable:"] / kib["MemTotal:"]), 1), "unit": "%"}


def temperature(chip: str | None = None) -> Said:
    celsius, measured = thermometer.read(chip)
    said: Said = {"value": celsius, "unit": "Cel"}
    return said if measured else said | {"quality": "bad"}


def replay(path: Path, *, column: str, rate: float, loop: bool, start: int) -> Iterator[Said]:
    """Row after row of a recording, `rate` of them a second; a `loop` begins again at the row it started with."""
    pace = beats(1 / rate)
    while True:
        for value, _ in zip(recording.values(path, column, start=start), pace, strict=False):
            yield {"value": value}
        if not loop:
            return


def beats(seconds: float) -> Iterator[None]:
    """One at once, then one every so many seconds; those that were slept through are not made up for."""
    due = time.monotonic()
    while True:
        time.sleep(max(0.0, due - time.monotonic()))
        yield
        due = max(due + seconds, time.monotonic())


def _again(measure: Callable[[], Said], every: float | None) -> Iterator[Said]:
    if every is None:
        yield measure()
        return
    for _ in beats(every):
        yield measure()


def main(argv: Sequence[str]) -> int:
    for quietly in (signal.SIGINT, signal.SIGPIPE, signal.SIGTERM):
        signal.signal(quietly, signal.SIG_DFL)
    options = _parser().parse_args(argv)
    said: Callable[[Namespace], Iterator[Said]] = options.said
    try:
        for line in said(options):
            sys.stdout.write(f"{json.dumps(line)}\n")
            sys.stdout.flush()
    except (DeviceError, OSError) as error:
        sys.stderr.write(f"{options.name}: {error}\n")
        return 1
    return 0


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="blockpost device read",
        description="Read one of the sensors that come with Blockpost.",
        epilog=EXAMPLES,
        formatter_class=RawDescriptionHelpFormatter,
    )
    readers = parser.add_subparsers(dest="name", metavar="NAME", required=True)
    every = ArgumentParser(add_help=False)
    every.add_argument(
        "--every",
        type=_positive,
        metavar="SECONDS",
        help="go on, with a reading every so many seconds (for a sensor of mode stream); else read once and end",
    )

    about = "how many processes want to run, averaged over a minute"
    reader = readers.add_parser("load", parents=[every], help=about, description=about)
    reader.set_defaults(said=lambda options: _again(load, options.every))

    about = "how much of the memory is in use, in percent"
    reader = readers.add_parser("memory", parents=[every], help=about, description=about)
    reader.set_defaults(said=lambda options: _again(memory, options.every))

    about = "a temperature, in degrees Celsius"
    reader = readers.add_parser("temperature", parents=[every], help=about, description=about)
    reader.add_argument(
        "--chip",
        metavar="NAME",
        help="a name from /sys/class/thermal/*/type or /sys/class/hwmon/*/name, or the id of a one-wire "
        "thermometer, as in 28-0316a2795b1f; without it, the processor",
    )
    reader.set_defaults(said=lambda options: _again(lambda: temperature(options.chip), options.every))

    about = "one column of a CSV file, played again (for a sensor of mode stream)"
    reader = readers.add_parser("replay", help=about, description=about)
    reader.add_argument("file", type=Path, metavar="FILE", help="its first line names the columns")
    reader.add_argument("--column", required=True, metavar="NAME", help="the column to play")
    reader.add_argument(
        "--rate", type=_positive, default=1.0, metavar="PER_SECOND", help="rows a second; without it, one"
    )
    reader.add_argument("--loop", action="store_true", help="begin again after the last row, rather than end")
    reader.add_argument(
        "--start", type=_row, default=1, metavar="ROW", help="the row to begin with, the first being 1"
    )
    reader.set_defaults(
        said=lambda options: replay(
            options.file, column=options.column, rate=options.rate, loop=options.loop, start=options.start
        )
    )
    return parser


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number < math.inf:
        raise ArgumentTypeError(f"want a number above 0, got {text}")
    return number


def _row(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ArgumentTypeError(f"want a row from 1 on, got {text}")
    return number


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
