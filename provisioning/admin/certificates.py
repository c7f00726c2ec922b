"""Certificates of devices: until when they are good, and a way back for one that was in a cupboard for too long."""

import argparse

from msgspec import Struct

from chain.lists import CertificateLine
from device.client import Client
from device.errors import Problem
from provisioning.admin.accounts import find_account
from provisioning.admin.commands import Commands
from provisioning.admin.printing import Columns, aside, listed, say, takes_json, when, yes
from provisioning.admin.requests import Requests

NOT_FOUND = 404

COLUMNS: Columns[CertificateLine] = {
    "HANDLE": lambda line: line.handle,
    "SINCE": lambda line: when(line.issued),
    "UNTIL": lambda line: when(line.until),
    "STATE": lambda line: state(line),  # noqa: PLW0108 - it stands below
    "SERIAL": lambda line: line.serial,
    "ACCOUNT": lambda line: line.account,
}


class Device(Struct, frozen=True, kw_only=True):
    """A device and its newest certificate: `until` when (ms) it is good, and its `state`, where there is one."""

    account: str
    handle: str | None
    name: str | None
    online: bool
    last_seen: int | None
    until: int | None
    state: str


DEVICES: Columns[Device] = {
    "HANDLE": lambda line: line.handle,
    "NAME": lambda line: line.name,
    "ONLINE": lambda line: yes(line.online),
    "LAST SEEN": lambda line: when(line.last_seen),
    "CERTIFICATE UNTIL": lambda line: when(line.until),
    "STATE": lambda line: line.state,
    "ACCOUNT": lambda line: line.account,
}


def add(commands: Commands) -> None:
    takes_json(
        commands.add(
            "devices",
            devices,
            "list devices: who is here, and until when their certificates are good",
            """
            blockpost admin --home ./admin devices
            """,
        )
    )
    listing = takes_json(
        commands.add(
            "certificates",
            certificates,
            "list the newest certificate of each account",
            """
            blockpost admin --home ./admin certificates --expired
            """,
        )
    )
    listing.add_argument("--expired", action="store_true", help="only those that ended unrenewed")
    letting = commands.add(
        "renew",
        renew,
        "let an account come back whose certificate has expired",
        """
        blockpost admin --home ./admin renew fridge-2     it was off for longer than 90 days
        """,
    )
    letting.add_argument("account", metavar="WHO", help="a handle or an id")


def devices(args: argparse.Namespace, client: Client) -> None:
    requests = Requests(client.gateway)
    newest = {line.account: line for line in known(requests)}
    found = [
        Device(
            account=line.account,
            handle=line.handle,
            name=line.name,
            online=line.online,
            last_seen=line.last_seen,
            until=newest[line.account].until if line.account in newest else None,
            state=state(newest[line.account]) if line.account in newest else "no certificate",
        )
        for line in requests.accounts()
        if line.live and line.kind == "device"
    ]
    listed(found, DEVICES, as_json=args.json, none="there are no devices")


def certificates(args: argparse.Namespace, client: Client) -> None:
    found = [line for line in Requests(client.gateway).certificates() if line.expired or not args.expired]
    listed(found, COLUMNS, as_json=args.json, none="there are no certificates of this kind")


def renew(args: argparse.Namespace, client: Client) -> None:
    until = Requests(client.gateway).renew(find_account(client, args.account))
    say(f"{args.account} may have a new certificate until {when(until)}")
    aside("it asks for one by itself as soon as it is on and finds the gateway")


def known(requests: Requests) -> list[CertificateLine]:
    """The newest certificate of each account; none where the gateway serves its own machine only."""
    try:
        return list(requests.certificates())
    except Problem as problem:
        if problem.status != NOT_FOUND:
            raise
        return []


def state(line: CertificateLine) -> str:
    """`revoked`, `expired`, `expired, may be renewed`, or `in force`."""
    if line.revoked:
        return "revoked"
    if not line.expired:
        return "in force"
    return "expired" if line.renewable is None else f"expired, may renew until {when(line.renewable)}"
