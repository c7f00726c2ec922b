"""How the commands write: what was asked for to stdout, what is for the person who waits to stderr."""

import sys
from argparse import ArgumentParser


def takes_json(parser: ArgumentParser) -> ArgumentParser:
    """Let a command print for programs, too."""
    parser.add_argument("--json", action="store_true", help="print JSON, one object a line")
    return parser


def say(text: str, end: str = "\n") -> None:
    print(text, end=end)


def aside(line: str) -> None:
    """What is for the person who waits, and no part of what was asked for."""
    print(line, file=sys.stderr, flush=True)
