"""The annunciator: the pager that needs no browser."""

import argparse
from functools import partial
from pathlib import Path

from chain.console import Console, until_signalled
from device.annunciator import LOUDEST_FIRST
from device.client import Home
from device.commands.printing import aside, say
from device.commands.service import at_work
from device.errors import BadConfig
from device.pager import Pager, says
from device.patterns import EXAMPLE, Hold, Pattern, Patterns, Repeat
from device.sounder import Cue, tried

TEST_SECONDS = 3.0
"""How long a test keeps a command running that has no end of its own."""


def add(console: Console) -> None:
    made = console.command(
        "annunciate",
        _annunciate,
        "run commands (a buzzer, a light) while alerts wait for somebody, until stopped",
    )
    made.add_argument(
        "--config", type=Path, metavar="FILE", help="instead of annunciator.toml in the account's folder"
    )
    instead = made.add_mutually_exclusive_group()
    instead.add_argument("--example", action="store_true", help="print a file to begin from, and no more")
    instead.add_argument("--check", action="store_true", help="say what the file does, and no more")
    instead.add_argument(
        "--test", metavar="TABLE", help="run the command of this table once, so that you hear it, and no more"
    )


def _annunciate(args: argparse.Namespace, home: Home) -> int:
    if args.example:
        say(EXAMPLE, end="")
        return 0
    patterns = Patterns.load(args.config or home.annunciator_file)
    if args.check:
        return _check(patterns)
    if args.test is not None:
        return _test(patterns, args.test)
    Pager(patterns, partial(at_work, home)).run(until_signalled())
    return 0


def _check(patterns: Patterns) -> int:
    for name, pattern in patterns.tables.items():
        say(f"{name}: {_when(pattern)} {' '.join(pattern.command)}")
    unheard = [level for level in LOUDEST_FIRST[1:] if level not in patterns.levels]
    if unheard:
        say(f"not heard: {', '.join(unheard)}")
    say(f"fault sounds {patterns.fault_after:g} s after the gateway was lost")
    return 0


def _when(pattern: Pattern) -> str:
    match pattern:
        case Repeat(every=every):
            return f"every {every:g} s"
        case Hold():
            return "keeps running"
    return "once"


def _test(patterns: Patterns, name: str) -> int:
    pattern = patterns.tables.get(name)
    if pattern is None:
        raise BadConfig(f"--test: want one of {', '.join(patterns.tables)}, got {name!r}")
    wrong = tried(Cue(name, pattern, says(name)), TEST_SECONDS)
    if wrong is not None:
        aside(f"{name}: {wrong}")
        return 1
    return 0
