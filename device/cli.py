"""`blockpost device`: join a gateway, run a sensor's agent, or be a person at the command line."""

import logging
import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path

from chain.console import LOG_FORMAT, Console
from chain.errors import ChainError
from device import readers
from device.client import Home
from device.commands import accounts, agents, annunciators, contacts, limits, messages, overview, recordings
from device.errors import DeviceError

NOUNS = (accounts, agents, annunciators, recordings, messages, limits, overview, contacts)

DEFAULT_HOME = Path("~/.blockpost")

CLOSING = """
examples:
  blockpost device join 127.0.0.1:8080/df5l.../k3j4...      become an account, with the code an admin gave you
  blockpost device check-config                             is agent.toml right?
  blockpost device replay-check log.csv --column C --preset vaccine-fridge  how many alerts would that have been?
  blockpost device run                                      sense, seal and send, for ever
  blockpost device annunciate                               sound while alerts wait, for ever
  blockpost device send dr.lee "the fridge is open"         a message
  blockpost device send on-call "fall in bed 4" --alert high  an alert; prints its episode
  blockpost device inbox --follow                           read what comes
  blockpost device set-limits fridge-2 fridge --high 7      another limit; the device answers
  blockpost device password                                 for the web page
  blockpost device rotate                                   new keys, if somebody may have seen the old ones
"""


def main(argv: Sequence[str]) -> int:
    """Run one subcommand; return the exit code."""
    if argv and argv[0] == "read":
        return readers.main(argv[1:])
    console = _console()
    args = console.parser.parse_args(argv)
    level = logging.INFO if args.verbose else logging.WARNING
    logging.basicConfig(format=LOG_FORMAT, level=level, stream=sys.stderr)
    home = Home(args.home.expanduser())
    return console.run(args, (DeviceError, ChainError, OSError, sqlite3.Error), home)


def _console() -> Console:
    console = Console("device", __doc__, CLOSING)
    console.parser.add_argument(
        "--home", type=Path, default=DEFAULT_HOME, metavar="DIR", help="the account's folder (%(default)s)"
    )
    console.parser.add_argument("-v", "--verbose", action="store_true", help="log what happens to stderr")
    for noun in NOUNS:
        noun.add(console)
    console.mention("read", "a built-in reader: load, memory, temperature, replay")
    return console


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
