"""Everything at a glance, in lines that a script may split at spaces: accounts, groups, and join codes from here."""

import argparse

from device.client import Client
from provisioning.admin.codes import inventory
from provisioning.admin.commands import Commands
from provisioning.admin.printing import say, when


def add(commands: Commands) -> None:
    commands.add(
        "list",
        overview,
        "accounts, groups, and join codes given out from here, in brief",
        """
        blockpost admin --home ./admin list
        """,
    )


def overview(_args: argparse.Namespace, client: Client) -> None:
    for line in client.gateway.accounts():
        live = "live" if line.live else "revoked"
        say(f"account {line.handle or '-'} {line.account} {line.kind} {line.role} {live}")
    for view in client.gateway.groups():
        say(f"group {view.name or '-'} {view.id} {len(view.members)} members")
    for issued in inventory(client).issued():
        say(f"code for {issued.handle} {issued.kind} {issued.role} until {when(issued.expires)}")
