"""Contacts: who may write to whom."""

import argparse

from chain.entry import Contact
from chain.lists import LinkLine
from device.client import Client
from provisioning.admin.accounts import find_account, find_party, names
from provisioning.admin.commands import Commands
from provisioning.admin.deeds import do
from provisioning.admin.printing import Columns, listed, say, takes_json
from provisioning.admin.requests import Requests


def add(commands: Commands) -> None:
    for name, text in (("link", "let an account write to another, or to a group"), ("unlink", "end a link")):
        link = commands.add(
            name,
            _link,
            text,
            f"""
            blockpost admin --home ./admin {name} fridge-2 on-call     a device and a group
            blockpost admin --home ./admin {name} dr.lee dr.kim        two people
            """,
        )
        link.add_argument("account", metavar="WHO")
        link.add_argument("peer", metavar="PEER", help="a handle, an id, or a group's name")
    listing = takes_json(
        commands.add(
            "contacts",
            contacts,
            "list who is in contact with whom",
            """
            blockpost admin --home ./admin contacts --of fridge-2
            """,
        )
    )
    listing.add_argument("--of", metavar="WHO", help="only those of this account or group")


def _link(args: argparse.Namespace, client: Client) -> None:
    of, peer = find_account(client, args.account), find_party(client, args.peer)
    index = do(client, Contact, action=args.command, of=of, peer=peer)
    say(f"{args.command}ed {args.account} and {args.peer}: entry {index}")


def contacts(args: argparse.Namespace, client: Client) -> None:
    called = names(client)
    only = None if args.of is None else find_party(client, args.of)
    columns: Columns[LinkLine] = {
        "ONE": lambda line: called.get(line.one, line.one),
        "OTHER": lambda line: called.get(line.other, line.other),
        "STATE": lambda line: "in contact" if line.asked_by is None else f"asked by {_who(called, line)}",
    }
    found = [line for line in Requests(client.gateway).links() if only in (None, line.one, line.other)]
    listed(found, columns, as_json=args.json, none="nobody is in contact with anybody")


def _who(called: dict[str, str], line: LinkLine) -> str:
    asked_by = line.asked_by or ""
    return called.get(asked_by, asked_by)
