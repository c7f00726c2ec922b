"""Sessions: where people are logged in, and an end to one."""

import argparse

from chain.lists import SessionLine
from device.client import Client
from provisioning.admin.commands import Commands
from provisioning.admin.printing import Columns, listed, say, takes_json, when
from provisioning.admin.requests import Requests

COLUMNS: Columns[SessionLine] = {
    "HANDLE": lambda line: line.handle,
    "BROWSER": lambda line: line.agent,
    "SINCE": lambda line: when(line.begun),
    "LAST USED": lambda line: when(line.used),
    "UNTIL": lambda line: when(line.expires),
    "SESSION": lambda line: line.id,
}


def add(commands: Commands) -> None:
    listing = takes_json(
        commands.add(
            "sessions",
            sessions,
            "list where people are logged in, or log one out",
            """
            blockpost admin --home ./admin sessions
            blockpost admin --home ./admin sessions --end SESSION
            """,
        )
    )
    listing.add_argument("--end", metavar="SESSION", help="log this one out, by its id in the list")


def sessions(args: argparse.Namespace, client: Client) -> None:
    requests = Requests(client.gateway)
    if args.end is not None:
        requests.end_session(args.end)
        say(f"session {args.end} has ended")
        return
    listed(requests.sessions(), COLUMNS, as_json=args.json, none="nobody is logged in")
