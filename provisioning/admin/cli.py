"""`blockpost admin`: let people and devices in, link them, group them, plan duty, agree on contracts, and see how the site is."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from chain.console import Console
from chain.errors import ChainError
from device.errors import DeviceError
from provisioning.admin import (
    accounts,
    certificates,
    codes,
    contacts,
    contracts,
    duty,
    groups,
    joins,
    ledger,
    overview,
    records,
    sessions,
)
from provisioning.admin.commands import Commands

NOUNS = (
    codes,
    joins,
    accounts,
    certificates,
    contacts,
    groups,
    duty,
    contracts,
    sessions,
    records,
    ledger,
    overview,
)

CLOSING = """
examples:
  blockpost admin --home ./admin invite dr.lee                   a join code for a person
  blockpost admin --home ./admin invite fridge-2 --kind device   a join code for a device
  blockpost admin --home ./admin group on-call dr.lee dr.kim     a group with a name
  blockpost admin --home ./admin link fridge-2 on-call           the device may write to the group
  blockpost admin --home ./admin contract check night.toml       what the chain would do by itself, in words
  blockpost admin --home ./admin duty plan on-call dr.lee --from 20:00 --until 08:00
  blockpost admin --home ./admin revoke fridge-2 --reason lost
  blockpost admin --home ./admin status                          is everything well?

What an admin does is a signed entry on the chain, and stays there. blockpost admin COMMAND --help says more.
"""


def main(argv: Sequence[str]) -> int:
    """Run one subcommand; return the exit code."""
    console = Console("admin", __doc__, CLOSING)
    console.parser.add_argument(
        "--home",
        type=Path,
        default=Path("~/.blockpost"),
        metavar="DIR",
        help="the admin's own folder (%(default)s)",
    )
    for noun in NOUNS:
        noun.add(Commands(console))
    return console.run(console.parser.parse_args(argv), (DeviceError, ChainError, OSError, sqlite3.Error))
