"""Records: what was done, what was refused, and a body that has to go."""

import argparse
from itertools import islice
from typing import get_args

from chain.entry import Redact
from chain.lists import Act, AuditLine, RefusalLine
from device.client import Client
from provisioning.admin.commands import Commands
from provisioning.admin.deeds import do
from provisioning.admin.printing import Columns, aside, listed, say, takes_json, when
from provisioning.admin.requests import Requests

REASONS = ("mistake", "privacy", "retention", "legal")
LINES = 50

ACTS: Columns[AuditLine] = {
    "ENTRY": lambda line: line.index,
    "WHEN": lambda line: when(line.at),
    "WHO": lambda line: line.author_handle or line.author,
    "DID": lambda line: " ".join(filter(None, (line.type, line.action))),
    "TO": lambda line: line.about_handle or line.about,
    "AND": lambda line: line.of_handle or line.of,
    "MORE": lambda line: _more(line),  # noqa: PLW0108 - it stands below
}
REFUSED: Columns[RefusalLine] = {
    "WHEN": lambda line: when(line.at),
    "WHO": lambda line: line.handle or line.account,
    "RULE": lambda line: line.rule,
    "REASON": lambda line: line.reason,
    "ENTRY": lambda line: line.entry,
}


def add(commands: Commands) -> None:
    acts = takes_json(
        commands.add(
            "audit",
            audit,
            "list what was done, newest first",
            """
            blockpost admin --home ./admin audit
            blockpost admin --home ./admin audit --type revoke
            blockpost admin --home ./admin audit --lines 0 --json > acts.jsonl     all of it
            """,
        )
    )
    acts.add_argument("--type", choices=get_args(Act), help="of this type only")
    refused = takes_json(
        commands.add(
            "refusals",
            refusals,
            "list what was refused, newest first",
            """
            blockpost admin --home ./admin refusals
            """,
        )
    )
    for listing in (acts, refused):
        listing.add_argument(
            "--lines", type=_count, default=LINES, metavar="N", help="at most; 0 for all (%(default)s)"
        )
    erase = commands.add(
        "redact",
        redact,
        "have what an entry says erased on the chain for good; that it was there stays",
        """
        blockpost admin --home ./admin redact 0198c5a1-7f3e-7b60-9d0c-2f6a54c0e1aa --reason privacy
        """,
    )
    erase.add_argument("entry", metavar="ENTRY", help="its id")
    erase.add_argument("--reason", choices=REASONS, required=True)


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"want how many, or 0 for all, got {text!r}")
    return int(text)


def audit(args: argparse.Namespace, client: Client) -> None:
    found = Requests(client.gateway).audit(type_=args.type)
    listed(islice(found, args.lines or None), ACTS, as_json=args.json, none="nothing of this kind was done")


def refusals(args: argparse.Namespace, client: Client) -> None:
    found = Requests(client.gateway).refusals()
    listed(islice(found, args.lines or None), REFUSED, as_json=args.json, none="nothing was refused")


def redact(args: argparse.Namespace, client: Client) -> None:
    index = do(client, Redact, about=args.entry, reason=args.reason)
    say(f"what entry {args.entry} said is erased: entry {index}")
    aside("backups from before still have it")


def _more(line: AuditLine) -> str:
    """What else an act of its type says."""
    members = None if line.members is None else f"{line.members} members"
    return " ".join(filter(None, (line.kind, line.role, members, line.key and f"only key {line.key}")))
