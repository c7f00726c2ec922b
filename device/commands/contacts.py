"""Whom this account may write to, and whose keys it believes."""

import argparse
from contextlib import closing

import msgspec

from chain.console import Console
from chain.entry import Contact
from device.client import Client, Home
from device.commands.printing import say, takes_json
from device.printing import printer


def add(console: Console) -> None:
    command = console.command
    takes_json(command("friends", _friends, "whom this account may write to, and who asked"))
    contact = command("contact", _contact, "ask somebody to be a contact, accept, or remove one")
    contact.add_argument("do", choices=("request", "accept", "remove"))
    contact.add_argument("account", metavar="ACCOUNT", help="the account's id, as `friends` shows it")
    trust = command(
        "trust", _trust, "take the keys that the chain has for somebody now, after checking them with them"
    )
    trust.add_argument("who", metavar="WHO", help="a handle or an id")


def _friends(args: argparse.Namespace, home: Home) -> int:
    show = printer(as_json=args.json)
    with closing(Client(home)) as client:
        for friend in client.gateway.friends():
            show({"event": "friend", **msgspec.structs.asdict(friend)})
    return 0


def _contact(args: argparse.Namespace, home: Home) -> int:
    with closing(Client(home)) as client:
        index = client.say(Contact, action=args.do, peer=args.account)
    say(f"contact {args.do}: committed as entry {index}")
    return 0


def _trust(args: argparse.Namespace, home: Home) -> int:
    with closing(Client(home)) as client:
        pin = client.directory.take(args.who)
    say(f"{args.who}: pinned {pin.sign.thumbprint}")
    return 0
