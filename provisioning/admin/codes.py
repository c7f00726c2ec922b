"""Join codes: one made, those that are open, one stopped."""

import argparse
import io
import secrets
import sys
from typing import get_args

import segno

from chain import entry, joincode
from chain.body import Invitation, document
from chain.entry import Invite, Kind, Role
from chain.joincode import JoinCode, new_code
from chain.lists import InviteLine
from device.client import Client, now_ms
from device.errors import DeviceError
from provisioning.admin.accounts import NotFound
from provisioning.admin.commands import Commands
from provisioning.admin.deeds import do
from provisioning.admin.printing import Columns, aside, listed, say, takes_json, when
from provisioning.admin.requests import Requests
from provisioning.inventory import Inventory, Issued

MS_PER_HOUR = 3_600_000
MAX_HOURS = 24

TO_MATCH = """\
when {handle} joins with it, six digits are shown there. They let it in:
  blockpost admin --home {home} confirm {handle} DIGITS
five wrong ones, or five tries with other keys, and the code is good for nothing"""


def add(commands: Commands) -> None:
    make = commands.add(
        "invite",
        _invite,
        "print a join code, good once, for one account",
        """
        blockpost admin --home ./admin invite dr.lee                     for a person
        blockpost admin --home ./admin invite fridge-2 --kind device     for a device
        blockpost admin --home ./admin invite fridge-2 --kind device --match --qr
        """,
    )
    make.add_argument("handle", metavar="HANDLE")
    make.add_argument("--kind", choices=get_args(Kind), default="person")
    make.add_argument("--role", choices=("member", "admin"), default="member")
    make.add_argument(
        "--hours", type=float, default=MAX_HOURS, help=f"good for so long, {MAX_HOURS} at most (%(default)s)"
    )
    make.add_argument(
        "--match", action="store_true", help="let nobody in before six digits were compared on both sides"
    )
    make.add_argument("--qr", action="store_true", help="print a QR code of it, too")
    listing = takes_json(
        commands.add(
            "codes",
            codes,
            "list join codes that are open, or stop one",
            """
            blockpost admin --home ./admin codes
            blockpost admin --home ./admin codes --all               also used and expired ones
            blockpost admin --home ./admin codes --cancel fridge-2   it got into wrong hands
            """,
        )
    )
    listing.add_argument("--all", action="store_true", help="also those that are good for nothing any more")
    listing.add_argument(
        "--cancel", metavar="HANDLE", help="make the open codes for this handle good for nothing"
    )


def _invite(args: argparse.Namespace, client: Client) -> None:
    code = invite(
        client, args.handle, kind=args.kind, role=args.role, hours=args.hours, match=args.match
    ).to_text()
    say(code)
    if args.qr:
        sys.stdout.write(drawn(code))
    if args.match:
        aside(TO_MATCH.format(handle=args.handle, home=args.home))


def invite(
    client: Client,
    handle: str,
    *,
    kind: Kind,
    role: Role = "member",
    hours: float = MAX_HOURS,
    match: bool = False,
) -> JoinCode:
    """Commit an invite, and return the join code that it commits to. Raises `Refused` with the chain's rule."""
    if not 0 < hours <= MAX_HOURS:
        raise DeviceError(f"want a join code to be good for at most {MAX_HOURS} hours, got {hours:g}")
    code = new_code(secrets.token_bytes)
    code_hash = joincode.code_hash(code)
    expires = now_ms() + int(hours * MS_PER_HOUR)
    body = document(Invitation(handle=handle, match=match), secrets.token_bytes)
    invite_id = entry.new_id(now_ms(), secrets.token_bytes)
    do(
        client,
        Invite,
        entry_id=invite_id,
        beside=body,
        code_hash=code_hash,
        kind=kind,
        role=role,
        expires=expires,
    )
    member = client.membership
    inventory(client).add(
        Issued(code_hash=code_hash, invite=invite_id, handle=handle, kind=kind, role=role, expires=expires)
    )
    return JoinCode(member.http_host, member.http_port, member.pin, code)


def inventory(client: Client) -> Inventory:
    return Inventory(client.home.directory / "inventory.json")


def drawn(text: str) -> str:
    """A QR code for a terminal, two of its rows in a line."""
    out = io.StringIO()
    segno.make(text, micro=False).terminal(out, compact=True)
    return out.getvalue()


def codes(args: argparse.Namespace, client: Client) -> None:
    requests, now = Requests(client.gateway), now_ms()
    if args.cancel is not None:
        _cancel(requests, args.cancel, now)
        return
    tries = {line.invite: line.tries for line in requests.joins()}
    columns: Columns[InviteLine] = {
        "HANDLE": lambda line: line.handle,
        "KIND": lambda line: line.kind,
        "ROLE": lambda line: line.role,
        "UNTIL": lambda line: when(line.expires),
        "STATE": lambda line: state(line, now) + (", somebody waits" if line.id in tries else ""),
        "INVITE": lambda line: line.id,
    }
    found = [line for line in requests.invites() if args.all or state(line, now) in ("open", "dead")]
    listed(found, columns, as_json=args.json, none="no join code is open")


def state(line: InviteLine, now: int) -> str:
    """`used`, `expired`, `dead` (tried too often, or stopped), or `open`."""
    if line.used_by is not None:
        return "used"
    if line.expires < now:
        return "expired"
    return "dead" if line.dead else "open"


def _cancel(requests: Requests, who: str, now: int) -> None:
    found = [
        line for line in requests.invites() if who in (line.handle, line.id) and state(line, now) == "open"
    ]
    if not found:
        raise NotFound(f"{who}: no join code is open for this handle")
    for line in found:
        requests.cancel(line.id)
        say(f"stopped the join code for {line.handle} that was good until {when(line.expires)}")
