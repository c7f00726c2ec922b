"""Accounts: who there is, who is here, and an end to one."""

import argparse
from typing import get_args

from chain.api import AccountLine
from chain.entry import Kind, Revoke
from device.client import Client
from device.errors import DeviceError
from provisioning.admin.commands import Commands
from provisioning.admin.deeds import do
from provisioning.admin.printing import Columns, listed, say, takes_json, when, yes
from provisioning.admin.requests import Requests

REASONS = ("left", "lost", "compromised", "retired")

COLUMNS: Columns[AccountLine] = {
    "HANDLE": lambda line: line.handle,
    "NAME": lambda line: line.name,
    "KIND": lambda line: line.kind,
    "ROLE": lambda line: line.role,
    "STATE": lambda line: "live" if line.live else "revoked",
    "ONLINE": lambda line: yes(line.online),
    "LAST SEEN": lambda line: when(line.last_seen),
    "ACCOUNT": lambda line: line.account,
}


class NotFound(DeviceError):
    """Nobody on the chain has that name."""


def add(commands: Commands) -> None:
    listing = takes_json(
        commands.add(
            "accounts",
            accounts,
            "list accounts: who is here, and when they last wrote",
            """
            blockpost admin --home ./admin accounts --online         who is here now
            blockpost admin --home ./admin accounts --kind device
            """,
        )
    )
    listing.add_argument("--kind", choices=get_args(Kind), help="of this kind only")
    listing.add_argument("--online", action="store_true", help="only those that are here now")
    listing.add_argument("--all", action="store_true", help="also those that were revoked")
    ending = commands.add(
        "revoke",
        revoke,
        "end an account, within a second and for good",
        """
        blockpost admin --home ./admin revoke fridge-2 --reason lost
        """,
    )
    ending.add_argument("account", metavar="WHO", help="a handle or an id")
    ending.add_argument("--reason", choices=REASONS, required=True)


def accounts(args: argparse.Namespace, client: Client) -> None:
    found = [
        line
        for line in Requests(client.gateway).accounts()
        if (line.live or args.all) and (args.kind in (None, line.kind)) and (line.online or not args.online)
    ]
    listed(found, COLUMNS, as_json=args.json, none="no such account")


def revoke(args: argparse.Namespace, client: Client) -> None:
    index = do(client, Revoke, account=find_account(client, args.account), reason=args.reason)
    say(f"revoked {args.account}: entry {index}")


def find_account(client: Client, who: str) -> str:
    """The id of a live account by its handle or id; raise `NotFound`."""
    found = {line.account: line.handle for line in client.gateway.accounts() if line.live}
    if who in found:
        # An id comes first: a handle may look like somebody else's.
        return who
    for account, handle in found.items():
        if handle == who:
            return account
    raise NotFound(f"{who}: no live account has this handle or id")


def find_party(client: Client, who: str) -> str:
    """The id of a group by its name or id, or of a live account; raise `NotFound`."""
    for view in client.gateway.groups():
        if who in (view.name, view.id):
            return view.id
    return find_account(client, who)


def parties(client: Client) -> dict[str, str]:
    """The ids of all groups and live accounts, by their names and handles, and by themselves."""
    lines = [line for line in client.gateway.accounts() if line.live]
    views = list(client.gateway.groups())
    found = {line.handle: line.account for line in lines if line.handle}
    # As in `find_party`: a group is meant first, and an id before a handle that looks like it.
    found |= {line.account: line.account for line in lines}
    return found | {view.name: view.id for view in views if view.name} | {view.id: view.id for view in views}


def names(client: Client) -> dict[str, str]:
    """What people call every account and group that has a handle or a name, by its id."""
    found = {line.account: line.handle for line in client.gateway.accounts() if line.handle}
    return found | {view.id: view.name for view in client.gateway.groups() if view.name}
