"""Groups: a name for several accounts."""

import argparse
import base64
import secrets

from chain.api import GroupView
from chain.body import GroupName, document
from chain.entry import Group
from device.client import Client
from provisioning.admin.accounts import find_account, names
from provisioning.admin.commands import Commands
from provisioning.admin.deeds import Waits, do
from provisioning.admin.printing import Columns, listed, say, takes_json
from provisioning.admin.requests import Requests

GROUP_BYTES = 16


def add(commands: Commands) -> None:
    group = commands.add(
        "group",
        set_group,
        "make a group, or change its members; no members ends it",
        """
        blockpost admin --home ./admin group on-call dr.lee dr.kim     its members from now on
        blockpost admin --home ./admin group on-call                   an end to it
        """,
    )
    group.add_argument("name", metavar="NAME")
    group.add_argument("members", nargs="*", metavar="MEMBER")
    group.add_argument("--id", metavar="GROUP", help="of a new group that another admin has agreed to")
    takes_json(
        commands.add(
            "groups",
            groups,
            "list groups and their members",
            """
            blockpost admin --home ./admin groups
            """,
        )
    )


def set_group(args: argparse.Namespace, client: Client) -> None:
    known = {view.name: view.id for view in client.gateway.groups()}.get(args.name)
    group = known or args.id or new_group()
    members = sorted({find_account(client, member) for member in args.members})
    try:
        index = define(client, group, args.name, members)
    except Waits as waits:
        # A new group has no name yet by which the other admin would mean the same one.
        raise (waits if known else Waits(f"{waits}, and --id {group}")) from waits
    say(f"group {args.name} ({group}) has {len(members)} members: entry {index}")


def define(client: Client, group: str, name: str, members: list[str]) -> int:
    """Commit a group's name and members (account ids); return the entry's index. No members ends it."""
    named = document(GroupName(name=name), secrets.token_bytes) if members else None
    return do(client, Group, group=group, members=sorted(members), beside=named)


def new_group() -> str:
    """A random group id."""
    return "g-" + base64.b32encode(secrets.token_bytes(GROUP_BYTES)).decode("ascii").rstrip("=").lower()


def groups(args: argparse.Namespace, client: Client) -> None:
    columns = _columns(names(client))
    listed(Requests(client.gateway).groups(), columns, as_json=args.json, none="there are no groups")


def _columns(called: dict[str, str]) -> Columns[GroupView]:
    return {
        "NAME": lambda view: view.name,
        "MEMBERS": lambda view: len(view.members),
        "WHO": lambda view: ", ".join(called.get(member, member) for member in view.members),
        "GROUP": lambda view: view.id,
    }
