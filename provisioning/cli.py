"""`blockpost provision`: make what a machine needs to run a gateway, or a device, for years."""

import argparse
import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path

from chain.console import Console
from chain.errors import ChainError
from device.errors import DeviceError
from provisioning import bulk, systemd

CLOSING = """
examples:
  blockpost provision bulk --home ./admin --out ./cards fridge-1 fridge-2     a join file for each
  blockpost provision systemd /var/lib/blockpost --out /etc/systemd/system   a gateway's units
  blockpost provision systemd /var/lib/fridge-2 --out /etc/systemd/system    a device's unit
"""


def main(argv: Sequence[str]) -> int:
    """Run one subcommand; return the exit code."""
    console = Console("provision", __doc__, CLOSING)
    units = console.command("systemd", _systemd, "write units for the gateway or the account in a directory")
    units.add_argument("directory", type=Path, metavar="DIR", help=f"right below {systemd.STATE}")
    units.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="where the units go")
    bulk.add(console)
    return console.run(console.parser.parse_args(argv), (DeviceError, ChainError, OSError, sqlite3.Error))


def _systemd(args: argparse.Namespace) -> None:
    files = systemd.write(args.directory, args.out)
    for file in files:
        print(file)
    names = " ".join(file.name for file in files)
    print(f"now: systemctl daemon-reload && systemctl enable --now {names}", file=sys.stderr)
