"""An account of one's own: joining, its password, its certificate, its keys."""

import argparse
import getpass
import sys
from contextlib import closing
from pathlib import Path

from chain.console import Console
from chain.joincode import JoinCode
from device import certificate, identity, joinfile, joining, login, renewal, rotation
from device.agent import Show
from device.client import Client, Home
from device.commands.printing import aside, say, takes_json
from device.commands.service import alone
from device.errors import BadConfig, DeviceError, Problem
from device.joinfile import JoinFile
from device.login import Chosen
from device.printing import printer, utc


def add(console: Console) -> None:
    command = console.command
    join = command("join", _join, "make this folder's account with a join code from an admin")
    join.add_argument(
        "code", nargs="?", metavar="CODE", help="HOST:PORT/PIN/SECRET; - reads it from standard input"
    )
    join.add_argument(
        "--file",
        type=Path,
        metavar="FILE",
        help="read the code from a join file, and destroy that afterwards",
    )
    join.add_argument("--name", help="the name that people see (the handle)")
    join.add_argument(
        "--password", action="store_true", help="also set a password for the web page; it is asked for"
    )
    password = command(
        "password", _password, "set the password for the web page, or change it; prints a new recovery code"
    )
    password.add_argument(
        "--stdin", action="store_true", help="read it from standard input, a line, rather than ask for it"
    )
    takes_json(password)
    command("renew", _renew, "get a new certificate now; a running agent does it in good time")
    command("rotate", _rotate, "get new keys, which the old ones sign for; no agent may run meanwhile")


def _join(args: argparse.Namespace, home: Home) -> int:
    if (args.code is None) == (args.file is None):
        raise BadConfig("want a join code, or --file FILE")
    if args.file is not None:
        wanted = JoinFile.load(args.file)
    else:
        wanted = JoinFile(JoinCode.from_text(sys.stdin.readline() if args.code == "-" else args.code), None)
    # Asked for and looked at before anything is done.
    chosen = login.choose(_asked_password()) if args.password else None
    membership = joining.join(home, wanted.code, name=args.name or wanted.name, tell=aside)
    if args.file is not None:
        joinfile.destroy(args.file)
    say(f"joined {membership.origin} as {membership.handle} ({membership.account})")
    if chosen is not None:
        _set_password(home, chosen, printer(as_json=False))
    return 0


def _password(args: argparse.Namespace, home: Home) -> int:
    home.book.membership()
    secret = sys.stdin.readline().rstrip("\r\n") if args.stdin else _asked_password()
    _set_password(home, login.choose(secret), printer(as_json=args.json))
    return 0


def _asked_password() -> str:
    secret = getpass.getpass("password for the web page: ")
    if getpass.getpass("once more: ") != secret:
        raise BadConfig("password: the two that were typed differ")
    return secret


def _set_password(home: Home, chosen: Chosen, show: Show) -> None:
    with closing(Client(home)) as client:
        show({"event": "password", "recovery": login.set_password(client, chosen)})


def _renew(_args: argparse.Namespace, home: Home) -> int:
    membership = home.book.membership()
    if not membership.is_lan:
        raise DeviceError(f"{membership.origin} is on this very machine, and has no certificates")
    with closing(Client(home)) as client:
        try:
            made = certificate.obtain(home, client.gateway, membership)
        except Problem as problem:
            if renewal.is_expired(problem):
                raise DeviceError(renewal.needed(membership.handle, str(problem))) from problem
            raise
    say(f"certificate until {utc(made.until)}")
    return 0


def _rotate(_args: argparse.Namespace, home: Home) -> int:
    with alone(home):
        if not identity.is_prepared(home.directory):
            aside(joining.SLOWLY)
        adopted = rotation.rotate(home)
    say(f"new keys: {adopted.signing.thumbprint}")
    with closing(Client(home)) as client:
        if login.own_card(client).login is not None:
            aside("the web page still has the old keys: set its password anew: blockpost device password")
    return 0
