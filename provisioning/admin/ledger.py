"""The chain and the gateway that keeps it: whether all is well, a check of it, a copy of its log to take away."""

import argparse
import time
from pathlib import Path

from chain import console, durable
from chain.console import Progress
from chain.errors import Damaged
from chain.health import Done, Idle, Running
from device.client import Client
from device.errors import DeviceError
from provisioning.admin import status
from provisioning.admin.commands import Commands
from provisioning.admin.log import LogReader
from provisioning.admin.printing import aside, say, takes_json
from provisioning.admin.requests import Requests

LOOK_SECONDS = 0.5
"""Between two looks at a check that is running."""


def add(commands: Commands) -> None:
    takes_json(
        commands.add(
            "status",
            tell_status,
            "whether the gateway is well, and what to do if not; exit code 1 if it is not",
            """
            blockpost admin --home ./admin status
            blockpost admin --home ./admin status || echo "look after it"
            """,
        )
    )
    commands.add(
        "verify",
        verify,
        "have the gateway check its whole chain, and say what came of it",
        """
        blockpost admin --home ./admin verify
        """,
    )
    taking = commands.add(
        "download",
        download,
        "take the chain's log away, without what it says; it is checked while it comes",
        """
        blockpost admin --home ./admin download log-2026-11.jsonl

        It proves what was committed, and restores nothing: for that, on the gateway's own machine:
        blockpost gateway backup
        """,
    )
    taking.add_argument("file", type=Path, metavar="FILE", help="must not be there yet")


def tell_status(args: argparse.Namespace, client: Client) -> int:
    return console.report(status.findings(client), as_json=args.json)


def verify(_args: argparse.Namespace, client: Client) -> None:
    requests = Requests(client.gateway)
    requests.verify()
    aside("the gateway checks every block; that takes about a minute for a million entries")
    say(_holds(_ended(requests)))


def _ended(requests: Requests) -> Idle | Done:
    while isinstance(found := requests.health().verify, Running):
        time.sleep(LOOK_SECONDS)
    return found


def _holds(found: Idle | Done) -> str:
    """What a check came to; raise `Damaged` if something does not hold."""
    if isinstance(found, Idle):
        raise DeviceError(
            "the gateway's web server was restarted before the check came to its end: begin it again"
        )
    if not found.ok:
        raise Damaged(found.height, found.detail)
    return f"everything holds: {found.size} entries, up to block {found.height}, in {found.ms / 1000:.1f} s"


def download(args: argparse.Namespace, client: Client) -> None:
    size = Requests(client.gateway).health().size
    reader = LogReader(client.membership.origin, client.membership.gateway_key)
    progress = Progress("entries")
    with durable.creating(args.file) as file:
        for piece in Requests(client.gateway).log():
            reader.feed(piece)
            file.write(piece)
            progress(min(reader.size, size), size)
        # Only a file of which everything holds gets its name.
        client.trust.accept(reader.end())
    say(f"{args.file}: {reader.size} entries in {reader.blocks} blocks; hashes, links and signatures hold")
