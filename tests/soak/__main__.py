"""A long run with everything in it: `python -m tests.soak --minutes 60 --seed 1 --report soak.md`, or `make soak`."""

import argparse
import random
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import msgspec

from tests.soak.report import markdown, report
from tests.soak.soak import Options, run


def main(argv: Sequence[str]) -> int:
    """Return 0 if everything holds, 1 if it does not."""
    args = _parser().parse_args(argv)
    seed = random.randrange(10_000) if args.seed is None else args.seed
    options = Options(
        minutes=args.minutes,
        seed=seed,
        lan=args.broker == "mosquitto",
        devices=args.devices,
        browser_every=args.browser_every,
        faults_every=args.faults_every,
    )
    with ExitStack() as stack:
        folder = args.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="blockpost-soak-")))
        folder.mkdir(parents=True, exist_ok=True)
        made = report(run(options, folder, _tell))
    text = markdown(made)
    if args.report is not None:
        args.report.write_text(text, "utf-8")
        args.report.with_suffix(".json").write_bytes(msgspec.json.format(msgspec.json.encode(made), indent=1))
    sys.stdout.write(text)
    return 0 if made.holds else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0, help="(%(default)s)")
    parser.add_argument("--seed", type=int, help="of what happens when (any)")
    parser.add_argument("--broker", choices=("embedded", "mosquitto"), default="mosquitto")
    parser.add_argument("--devices", type=int, default=8, help="that measure all the time (%(default)s)")
    parser.add_argument(
        "--faults-every",
        type=float,
        default=90.0,
        metavar="SECONDS",
        help="on average (%(default)s); 0: none",
    )
    parser.add_argument(
        "--browser-every",
        type=float,
        default=300.0,
        metavar="SECONDS",
        help="a real one (%(default)s); 0: none",
    )
    parser.add_argument("--report", type=Path, metavar="FILE", help="in Markdown; and as JSON beside it")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="an empty folder that keeps what is left")
    return parser


def _tell(text: str) -> None:
    sys.stderr.write(f"soak: {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
