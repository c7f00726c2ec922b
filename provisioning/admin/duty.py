"""Duty: who of which group is on, and who will be."""

import argparse
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from chain.api import DutyGroup, ShiftLine
from chain.entry import Shift
from chain.errors import Refused
from device.client import Client, now_ms
from device.errors import DeviceError, Unreachable
from provisioning.admin import rota
from provisioning.admin.accounts import NotFound, names
from provisioning.admin.commands import Commands
from provisioning.admin.deeds import do
from provisioning.admin.printing import Columns, listed, say, takes_json, when
from provisioning.admin.requests import Requests
from provisioning.admin.rota import BadRota, Planned

MAX_BYTES = 1_048_576

TIMES = """
a time is as "2026-05-01 20:00", or "20:00": today, and for the end the next time that it is so late
"""


def add(commands: Commands) -> None:
    duty = commands.noun(
        "duty",
        "who is on duty, and who will be",
        """
        blockpost admin --home ./admin duty list
        blockpost admin --home ./admin duty plan on-call dr.lee --from 20:00 --until 08:00
        """,
    )
    listing = takes_json(
        duty.add(
            "list",
            overview,
            "say who is on in each group; of one group, all shifts",
            """
            blockpost admin --home ./admin duty list
            blockpost admin --home ./admin duty list on-call
            """,
        )
    )
    listing.add_argument("group", nargs="?", metavar="GROUP")
    planning = duty.add(
        "plan",
        plan,
        "put somebody on duty, in somebody's place or besides; or plan a whole rota",
        """
        blockpost admin --home ./admin duty plan on-call dr.lee --from 20:00 --until 08:00
        blockpost admin --home ./admin duty plan on-call dr.kim --from "2026-05-01 20:00" --until 08:00 --instead dr.lee
        blockpost admin --home ./admin duty plan on-call --from 20:00 --until 08:00 --instead dr.lee      nobody in that place
        blockpost admin --home ./admin duty plan --file rota.csv      lines of: group,handle,from,until
        """,
    )
    planning.add_argument("group", nargs="?", metavar="GROUP")
    planning.add_argument("handle", nargs="?", metavar="HANDLE", help="who is on; a member of the group")
    planning.add_argument(
        "--file", type=Path, metavar="FILE", help="a rota; all of it is planned, or nothing"
    )
    planning.add_argument("--from", dest="begins", metavar="TIME")
    taking = duty.add(
        "take",
        take,
        "put yourself on duty",
        """
        blockpost admin --home ./admin duty take on-call --until 20:00                     from now on
        blockpost admin --home ./admin duty take on-call --until 20:00 --instead dr.lee
        """,
    )
    taking.add_argument("group", metavar="GROUP")
    taking.add_argument("--from", dest="begins", metavar="TIME", default="now", help="(%(default)s)")
    for parser in (planning, taking):
        parser.add_argument("--until", dest="ends", metavar="TIME", required=parser is taking)
        parser.add_argument("--instead", metavar="HANDLE", help="whose shifts are cut out for that time")
        parser.epilog = TIMES.lstrip() + "\n" + (parser.epilog or "")


class Seen(Struct, frozen=True):
    """A group at a glance: who is on `until` when (ms), and who is `next`. `planned` is whether anybody has a shift now."""

    group: str
    on: list[str]
    planned: bool
    until: int | None
    next: str | None


GLANCE: Columns[Seen] = {
    "GROUP": lambda seen: seen.group,
    "ON DUTY": lambda seen: (
        ", ".join(seen.on) if seen.planned else f"everybody ({len(seen.on)}): nobody has a shift"
    ),
    "UNTIL": lambda seen: when(seen.until),
    "NEXT": lambda seen: seen.next,
}

SHIFTS: Columns[ShiftLine] = {
    "FROM": lambda shift: when(shift.begins),
    "UNTIL": lambda shift: when(shift.ends),
}


def overview(args: argparse.Namespace, client: Client) -> None:
    groups, called = list(Requests(client.gateway).duty()), names(client)
    if args.group is not None:
        columns: Columns[ShiftLine] = {
            **SHIFTS,
            "WHO": lambda shift: called.get(shift.account, shift.account),
        }
        shifts = group_of(groups, args.group).shifts
        listed(shifts, columns, as_json=args.json, none=f"{args.group}: no shifts, so everybody is on")
        return
    now = client.gateway.now
    listed(
        [seen(group, called, now) for group in groups], GLANCE, as_json=args.json, none="there are no groups"
    )


def seen(group: DutyGroup, called: Mapping[str, str], now: int) -> Seen:
    """`called` are names by id; `now` is in ms."""
    mine = [shift for shift in group.shifts if shift.account in group.members]
    running = [shift for shift in mine if shift.begins <= now < shift.ends]
    coming = min(
        (shift for shift in mine if shift.begins > now), key=lambda shift: shift.begins, default=None
    )
    return Seen(
        group=group.name or group.id,
        on=sorted(called.get(account, account) for account in group.on),
        planned=bool(running),
        until=min((shift.ends for shift in running), default=None),
        next=None
        if coming is None
        else f"{called.get(coming.account, coming.account)} from {when(coming.begins)}",
    )


def plan(args: argparse.Namespace, client: Client) -> None:
    if args.file is not None:
        if any((args.group, args.begins, args.ends, args.instead)):
            raise DeviceError("--file has all of it: want nothing else beside it")
        _plan_file(args.file, client)
        return
    if args.group is None or args.begins is None or args.ends is None:
        raise DeviceError("want GROUP, HANDLE, --from and --until; or --file")
    if args.handle is None and args.instead is None:
        raise DeviceError("want a HANDLE, or --instead, or both")
    _plan(client, args.group, args.handle, args)


def take(args: argparse.Namespace, client: Client) -> None:
    _plan(client, args.group, client.account, args)


def _plan(client: Client, name: str, who: str | None, args: argparse.Namespace) -> None:
    """Plan one shift; `who` is a handle or an id."""
    begins, ends = rota.between(args.begins, args.ends, datetime.now())  # noqa: DTZ005 - the clock on the wall is meant
    groups, called = list(Requests(client.gateway).duty()), names(client)
    group = group_of(groups, name)
    account = None if who is None else member_of(group, who, called)
    instead = None if args.instead is None else member_of(group, args.instead, called)
    index = do(client, Shift, party=group.id, begins=begins, ends=ends, account=account, instead=instead)
    person = "nobody" if account is None else called.get(account, account)
    place = "" if instead is None else f" instead of {called.get(instead, instead)}"
    say(f"{name}: {person} is on from {when(begins)} until {when(ends)}{place}: entry {index}")


def _plan_file(path: Path, client: Client) -> None:
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise BadRota(f"{path}: want at most {MAX_BYTES} bytes")
    try:
        planned = rota.read(data.decode("utf-8-sig"), datetime.now())  # noqa: DTZ005 - the clock on the wall is meant
    except UnicodeDecodeError as error:
        raise BadRota(f"{path}: want UTF-8, got another encoding at byte {error.start}") from error
    shifts = _found(planned, client)
    for done, says in enumerate(shifts):
        try:
            do(client, Shift, **says)
        except (Refused, Unreachable) as error:
            raise DeviceError(
                f"{path}: {done} of {len(shifts)} shifts are planned; run it again, which changes nothing of"
                f" these. Line {planned[done].line}: {error}"
            ) from error
    say(f"{path}: {len(shifts)} shifts are planned")


def _found(planned: list[Planned], client: Client) -> list[dict[str, object]]:
    """What the entries say; raise `BadRota` with all that cannot be."""
    groups, called = list(Requests(client.gateway).duty()), names(client)
    wrong: list[str] = []
    says: list[dict[str, object]] = []
    for shift in planned:
        try:
            group = group_of(groups, shift.group)
            account = member_of(group, shift.handle, called)
        except NotFound as error:
            wrong.append(f"line {shift.line}: {error}")
            continue
        if shift.ends <= now_ms():
            wrong.append(f"line {shift.line}: it is over already")
        says.append({"party": group.id, "account": account, "begins": shift.begins, "ends": shift.ends})
    rota.refuse(wrong)
    return says


def group_of(groups: list[DutyGroup], name: str) -> DutyGroup:
    """The group with this name or id; raise `NotFound`."""
    for group in groups:
        if name in (group.name, group.id):
            return group
    raise NotFound(f"{name}: no group has this name or id")


def member_of(group: DutyGroup, who: str, called: Mapping[str, str]) -> str:
    """The id of a member by handle or id; raise `NotFound`."""
    for account in group.members:
        if who in (account, called.get(account)):
            return account
    raise NotFound(f"{who}: not a member of {group.name or group.id}")
