"""`blockpost admin`: let people and devices in, link them, group them, revoke them. Each is a signed entry."""

import argparse
import base64
import secrets
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from chain import entry, rules
from chain.body import GroupName, Invitation, document
from chain.console import Console
from chain.entry import Contact, Group, Invite, Kind, Revoke, Role
from chain.errors import ChainError
from chain.joincode import JoinCode, new_code
from device.client import Client, Home, now_ms
from device.errors import DeviceError
from provisioning.inventory import Inventory, Issued

MS_PER_HOUR = 3_600_000
MAX_HOURS = 24

CLOSING = """
examples:
  blockpost admin --home ./admin invite dr.lee                   a join code for a person
  blockpost admin --home ./admin invite fridge-2 --kind device   a join code for a device
  blockpost admin --home ./admin group on-call dr.lee dr.kim     a group with a name
  blockpost admin --home ./admin link fridge-2 on-call           the device may write to the group
  blockpost admin --home ./admin revoke fridge-2 --reason lost
"""


class NotFound(DeviceError):
    """Nobody on the chain has that name."""


def main(argv: Sequence[str]) -> int:
    """Run one subcommand; return the exit code."""
    console = _console()
    args = console.parser.parse_args(argv)
    return console.run(args, (DeviceError, ChainError, OSError, sqlite3.Error))


def _console() -> Console:
    console = Console("admin", __doc__, CLOSING)
    console.parser.add_argument(
        "--home",
        type=Path,
        default=Path("~/.blockpost"),
        metavar="DIR",
        help="the admin's own folder (%(default)s)",
    )

    def command(
        name: str, action: Callable[[argparse.Namespace, Client], str], about: str
    ) -> argparse.ArgumentParser:
        return console.command(name, partial(_act, action), about)

    make = command("invite", _invite, "print a join code, good once, for one account")
    make.add_argument("handle", metavar="HANDLE")
    make.add_argument("--kind", choices=("person", "device", "service"), default="person")
    make.add_argument("--role", choices=("member", "admin"), default="member")
    make.add_argument(
        "--hours", type=float, default=MAX_HOURS, help=f"good for so long, {MAX_HOURS} at most (%(default)s)"
    )
    for name, text in (("link", "let an account write to another, or to a group"), ("unlink", "end a link")):
        link = command(name, _link, text)
        link.add_argument("account", metavar="WHO")
        link.add_argument("peer", metavar="PEER", help="a handle, an id, or a group's name")
    group = command("group", _group, "make a group, or change its members; no members ends it")
    group.add_argument("name", metavar="NAME")
    group.add_argument("members", nargs="*", metavar="MEMBER")
    revoke = command("revoke", _revoke, "end an account")
    revoke.add_argument("account", metavar="WHO")
    revoke.add_argument("--reason", choices=("left", "lost", "compromised", "retired"), required=True)
    command("list", _list, "accounts, groups, and join codes given out from here")
    return console


def _act(action: Callable[[argparse.Namespace, Client], str], args: argparse.Namespace) -> None:
    """Do it as the admin whose folder this is, and print what came of it."""
    with closing(Client(Home(args.home.expanduser()))) as client:
        print(action(args, client))


def _invite(args: argparse.Namespace, client: Client) -> str:
    return invite(client, args.handle, kind=args.kind, role=args.role, hours=args.hours).to_text()


def invite(client: Client, handle: str, *, kind: Kind, role: Role, hours: float = MAX_HOURS) -> JoinCode:
    """Commit an invite, and return the join code that it commits to. Raises `Refused` with the chain's rule."""
    if not 0 < hours <= MAX_HOURS:
        raise DeviceError(f"want a join code to be good for at most {MAX_HOURS} hours, got {hours:g}")
    code = new_code(secrets.token_bytes)
    code_hash = rules.code_hash(code)
    expires = now_ms() + int(hours * MS_PER_HOUR)
    body = document(Invitation(handle=handle), secrets.token_bytes)
    invite_id = entry.new_id(now_ms(), secrets.token_bytes)
    client.say(
        Invite, entry_id=invite_id, beside=body, code_hash=code_hash, kind=kind, role=role, expires=expires
    )
    member = client.membership
    Inventory(client.home.directory / "inventory.json").add(
        Issued(code_hash=code_hash, invite=invite_id, handle=handle, kind=kind, role=role, expires=expires)
    )
    return JoinCode(member.http_host, member.http_port, member.pin, code)


def _link(args: argparse.Namespace, client: Client) -> str:
    of, peer = find_account(client, args.account), find_party(client, args.peer)
    index = client.say(Contact, action=args.command, of=of, peer=peer)
    return f"{args.command}ed {args.account} and {args.peer}: entry {index}"


def _group(args: argparse.Namespace, client: Client) -> str:
    group = {view.name: view.id for view in client.gateway.groups()}.get(args.name) or new_group()
    members = sorted({find_account(client, member) for member in args.members})
    name = document(GroupName(name=args.name), secrets.token_bytes) if members else None
    index = client.say(Group, group=group, members=members, beside=name)
    return f"group {args.name} ({group}) has {len(members)} members: entry {index}"


def new_group() -> str:
    """A random group id."""
    return "g-" + base64.b32encode(secrets.token_bytes(16)).decode("ascii").rstrip("=").lower()


def _revoke(args: argparse.Namespace, client: Client) -> str:
    index = client.say(Revoke, account=find_account(client, args.account), reason=args.reason)
    return f"revoked {args.account}: entry {index}"


def _list(_args: argparse.Namespace, client: Client) -> str:
    lines = [
        f"account {line.handle or '-'} {line.account} {line.kind} {line.role} {'live' if line.live else 'revoked'}"
        for line in client.gateway.accounts()
    ]
    lines += [
        f"group {view.name or '-'} {view.id} {len(view.members)} members" for view in client.gateway.groups()
    ]
    for issued in Inventory(client.home.directory / "inventory.json").issued():
        until = time.strftime("%Y-%m-%d %H:%M", time.localtime(issued.expires / 1000))
        lines.append(f"code for {issued.handle} {issued.kind} {issued.role} until {until}")
    return "\n".join(lines)


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
