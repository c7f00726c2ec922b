"""
`blockpost provision bulk`: a join file for each of many devices, to be put on their SD cards.

Run again, it makes only what is missing: files whose join codes are good for nothing any more, and links of devices that
have joined meanwhile.
"""

import argparse
import csv
import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from chain import console, durable, joincode
from chain.body import Handle, Name
from chain.console import Console, Progress
from chain.entry import MAX_MEMBERS, Contact
from chain.joincode import JoinCode
from device import joinfile
from device.client import Client, Home, now_ms
from device.errors import BadConfig, DeviceError
from device.joinfile import JoinFile
from provisioning.admin import groups
from provisioning.admin.accounts import find_party
from provisioning.admin.codes import inventory, invite, state
from provisioning.admin.printing import aside, say
from provisioning.admin.requests import Requests

FILE = "join.toml"

LEAST_MS = 3_600_000
"""A code that is good for less is made anew: it would end before its card is in its device."""

LOOK_SECONDS = 2.0
"""Between two looks at who has joined."""

NEXT = f"""\
now copy each {FILE} into the home of its device, and start it there: blockpost device --home DIR run
it joins by itself and destroys the file"""

EXAMPLES = """
examples:
  blockpost provision bulk --home ./admin --out ./cards fridge-1 fridge-2 fridge-3
  blockpost provision bulk --home ./admin --out ./cards --from fridges.csv --link on-call --wait
  blockpost provision bulk --home ./admin --out ./cards --from fridges.csv     again: what is missing

A list has a line for each device: its handle, and maybe a comma and the name that people are to see.
"""


class Wanted(Struct, frozen=True):
    """A device that is to join. `name` is for people."""

    handle: Handle
    name: Name


def add(made: Console) -> None:
    bulk = made.command("bulk", _bulk, "write a join file for each of many devices")
    bulk.formatter_class = argparse.RawDescriptionHelpFormatter
    bulk.epilog = EXAMPLES
    bulk.add_argument("handles", nargs="*", metavar="HANDLE")
    bulk.add_argument(
        "--home",
        type=Path,
        default=Path("~/.blockpost"),
        metavar="DIR",
        help="the admin's own folder (%(default)s)",
    )
    bulk.add_argument(
        "--out", type=Path, required=True, metavar="FOLDER", help="gets HANDLE/join.toml of each"
    )
    bulk.add_argument(
        "--from", dest="list", type=Path, metavar="LIST.csv", help="handles and names, a line each"
    )
    bulk.add_argument("--match", action="store_true", help="have six digits compared with each")
    bulk.add_argument(
        "--link", metavar="PEER", help="let each that has joined write to this account or group"
    )
    bulk.add_argument("--group", metavar="NAME", help="make each that has joined a member of this group")
    bulk.add_argument(
        "--wait", action="store_true", help="stay until all have joined, and link each as it comes"
    )


def _bulk(args: argparse.Namespace) -> None:
    wanted = wanted_of(args.handles, args.list)
    with closing(Client(Home(args.home.expanduser()))) as client:
        if args.link is not None:
            find_party(client, args.link)  # before anything is made for it
        made = make(client, wanted, args.out, match=args.match)
        say(f"{made} of {len(wanted)} join files made in {args.out}; the rest is there, or has joined")
        if made:
            aside(NEXT)
        stop, progress = console.until_signalled(), Progress("devices have joined")
        while True:
            found = joined(client, wanted)
            tie(client, found, link=args.link, group=args.group)
            if not args.wait:
                return
            progress(len(found), len(wanted))
            if len(found) == len(wanted):
                say(f"all {len(wanted)} have joined")
                return
            if stop.wait(LOOK_SECONDS):
                raise DeviceError(f"ended while {len(wanted) - len(found)} of {len(wanted)} had not joined")


# What is wanted


def wanted_of(handles: Sequence[str], path: Path | None) -> list[Wanted]:
    """Those named and those on the list, each once; raise `BadConfig` that names the first bad line."""
    rows = [("HANDLE", [handle]) for handle in handles]
    rows += [] if path is None else list(_rows(path))
    found: dict[str, Wanted] = {}
    for where, row in rows:
        wanted = _read(where, row)
        if wanted.handle in found:
            raise BadConfig(f"{where}: {wanted.handle} is there twice")
        found[wanted.handle] = wanted
    if not found:
        raise BadConfig("want at least one handle, or a list of them: --from LIST.csv")
    return list(found.values())


def _rows(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Each line of a list, with where it stands; without a heading, and without empty ones."""
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadConfig(f"{path}: want text in UTF-8: {error}") from error
    lines = csv.reader(text.splitlines(), skipinitialspace=True)
    for row in lines:
        cells = [cell.strip() for cell in row]
        if any(cells) and not (lines.line_num == 1 and cells[0].lower() == "handle"):
            yield f"{path}, line {lines.line_num}", cells


def _read(where: str, cells: list[str]) -> Wanted:
    handle, *rest = cells
    name = next(filter(None, rest), handle)
    try:
        if any(rest[1:]):
            raise BadConfig(f"{where}: want HANDLE or HANDLE,NAME, got {len(cells)} cells")
        return msgspec.convert({"handle": handle, "name": name}, Wanted)
    except msgspec.ValidationError as error:
        raise BadConfig(
            f"{where}: {handle!r}: want a handle of small letters, digits, and . _ - (at most 32), and a name of at"
            " most 80 characters"
        ) from error


# Join files


Card = Literal["joined", "open", "missing"]
"""A device that is in; one whose file is there, with a code that lets it in; one without such a file."""


def make(client: Client, wanted: Sequence[Wanted], folder: Path, *, match: bool = False) -> int:
    """
    Make each file that is missing; return how many.

    An invite is committed before its file is there: a crash between the two leaves a code that nobody knows.
    """
    progress = Progress("join files")
    made = 0
    cards = look(client, wanted, folder)
    for done, (each, card) in enumerate(zip(wanted, cards, strict=True), 1):
        path = folder / each.handle / FILE
        if card == "missing":
            durable.make_directory(path.parent)
            code = invite(client, each.handle, kind="device", match=match)
            # Replaced whole: what may be there is a code that is good for nothing.
            durable.write(path, to_text(code, each.name).encode())
            made += 1
        elif card == "joined" and path.exists():
            joinfile.destroy(path)
        progress(done, len(wanted))
    return made


def look(client: Client, wanted: Sequence[Wanted], folder: Path) -> list[Card]:
    """How each is; raise `DeviceError` for a handle that somebody else has."""
    requests, now = Requests(client.gateway), now_ms()
    accounts = {line.handle: line for line in requests.accounts() if line.live}
    invites = {line.id: line for line in requests.invites()}
    issued = {each.code_hash: each.invite for each in inventory(client).issued()}
    cards: list[Card] = []
    for each in wanted:
        account, line = (
            accounts.get(each.handle),
            invites.get(issued.get(_hash_in(folder / each.handle / FILE), "")),
        )
        if account is not None:
            if account.kind != "device":
                raise DeviceError(f"{each.handle}: a {account.kind} has this handle")
            cards.append("joined")
        elif line is not None and line.handle == each.handle and state(line, now + LEAST_MS) == "open":
            cards.append("open")
        else:
            cards.append("missing")
    return cards


def _hash_in(path: Path) -> str:
    """What the code in a join file hashes to; empty if there is none."""
    try:
        return joincode.code_hash(JoinFile.load(path).code.code)
    except (FileNotFoundError, BadConfig):
        return ""


def to_text(code: JoinCode, name: str) -> str:
    """A join file. TOML's strings are written as JSON's are, but for one character that TOML wants escaped."""
    quoted = json.dumps(name, ensure_ascii=False).replace("\x7f", "\\u007f")
    return f'code = "{code.to_text()}"\nname = {quoted}\n'


# Links and groups


def joined(client: Client, wanted: Sequence[Wanted]) -> list[str]:
    """The accounts of those that are in."""
    handles = {each.handle for each in wanted}
    return [
        line.account
        for line in Requests(client.gateway).accounts()
        if line.live and line.kind == "device" and line.handle in handles
    ]


def tie(client: Client, accounts: Sequence[str], *, link: str | None, group: str | None) -> None:
    """Make the links and the members that are not there yet."""
    if link is not None:
        peer = find_party(client, link)
        linked = {
            frozenset((line.one, line.other))
            for line in Requests(client.gateway).links()
            if not line.asked_by
        }
        for account in accounts:
            if frozenset((account, peer)) not in linked:
                client.say(Contact, action="link", of=account, peer=peer)
    if group is not None and accounts:
        _join_group(client, accounts, group)


def _join_group(client: Client, accounts: Sequence[str], name: str) -> None:
    view = next((view for view in client.gateway.groups() if view.name == name), None)
    before = set(view.members) if view else set()
    members = before | set(accounts)
    if len(members) > MAX_MEMBERS:
        raise DeviceError(f"{name}: a group has at most {MAX_MEMBERS} members, this would be {len(members)}")
    if members != before:
        groups.define(client, view.id if view else groups.new_group(), name, sorted(members))
