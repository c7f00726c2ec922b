"""Joins: who waits for six digits to be compared, and the word that lets them in."""

import argparse

from chain.joincode import DIGITS
from chain.lists import JoinLine
from device.client import Client
from device.errors import DeviceError
from provisioning.admin.accounts import NotFound
from provisioning.admin.commands import Commands
from provisioning.admin.printing import Columns, listed, say, takes_json, when
from provisioning.admin.requests import Requests

COLUMNS: Columns[JoinLine] = {
    "HANDLE": lambda line: line.handle,
    "KIND": lambda line: line.kind,
    "ROLE": lambda line: line.role,
    "SINCE": lambda line: when(line.since),
    "WRONG TRIES": lambda line: line.tries,
    "STATE": lambda line: "confirmed" if line.confirmed else "waits for six digits",
}


def add(commands: Commands) -> None:
    takes_json(
        commands.add(
            "joins",
            joins,
            "list who waits to be let in with six digits",
            """
            blockpost admin --home ./admin joins
            """,
        )
    )
    letting = commands.add(
        "confirm",
        confirm,
        "let somebody in, by the six digits that are shown where they join",
        """
        blockpost admin --home ./admin confirm fridge-2 493021
        blockpost admin --home ./admin confirm fridge-2 493 021
        """,
    )
    letting.add_argument("handle", metavar="HANDLE")
    letting.add_argument("digits", nargs="+", metavar="DIGITS", help="ask for them; do not guess")


def joins(args: argparse.Namespace, client: Client) -> None:
    listed(Requests(client.gateway).joins(), COLUMNS, as_json=args.json, none="nobody waits")


def confirm(args: argparse.Namespace, client: Client) -> None:
    digits = read_digits(args.digits)
    requests = Requests(client.gateway)
    requests.confirm(_waiting(requests, args.handle).invite, digits)
    say(f"{args.handle} may come in: it goes on by itself within seconds")


def read_digits(words: list[str]) -> str:
    """Six digits, as they were read out: with spaces or without."""
    digits = "".join(words).replace(" ", "").replace("-", "")
    if len(digits) != DIGITS or not (digits.isascii() and digits.isdigit()):
        raise DeviceError(f"want the {DIGITS} digits that are shown where they join, got {' '.join(words)!r}")
    return digits


def _waiting(requests: Requests, handle: str) -> JoinLine:
    found = [line for line in requests.joins() if handle in (line.handle, line.invite)]
    if not found:
        raise NotFound(f"{handle}: nobody waits with a join code for this handle")
    if len(found) > 1:
        # Two codes are open for one handle: the digits would be held against the wrong one's, and count as a try.
        ids = ", ".join(line.invite for line in found)
        raise DeviceError(f"{handle}: two wait under this handle; say which by its invite: {ids}")
    return found[0]
