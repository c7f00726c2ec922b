"""
Sequences of faults, by hand: `python -m tests.faults --seed 7 --faults 50 --broker mosquitto`.

A failure is replayed with the seed that it was told with.
"""

import argparse
import random
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.faults.sequence import run


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seed", type=int, help="of the first sequence (any)")
    parser.add_argument("--faults", type=int, default=50, help="in a sequence (%(default)s)")
    parser.add_argument("--seconds", type=float, default=60.0, help="in which they begin (%(default)s)")
    parser.add_argument("--broker", choices=("embedded", "mosquitto"), default="embedded")
    parser.add_argument("--times", type=int, default=1, help="how many sequences, each with the next seed")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="an empty folder that keeps what is left")
    args = parser.parse_args(argv)
    first = random.randrange(10_000) if args.seed is None else args.seed
    for seed in range(first, first + args.times):
        folder = None if args.keep is None else args.keep / str(seed)
        if folder is not None:
            folder.mkdir(parents=True)
        run(seed, args.faults, args.seconds, lan=args.broker == "mosquitto", folder=folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
