"""Making a gateway: its directory, its key, its chain; and for a building its root, and the sheet on which that is kept."""

import argparse
import secrets
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from chain import durable
from gateway import genesis, passphrase, tls
from gateway.addresses import addresses
from gateway.backup import LEAST_PASSPHRASE
from gateway.errors import BadConfig
from gateway.site import Settings
from gateway.tls import Files
from provisioning.authority import certificates, root
from provisioning.authority.stock import Owner, Stock
from provisioning.gateway import ANYWHERE, LAN_PORTS

ONLY_LAN = ("host", "listen", "welcome_port", "root", "sheet", "stdin")


def make(args: argparse.Namespace) -> None:
    """What `blockpost gateway init` was asked for."""
    settings = _settings(args)
    if settings.is_lan:
        _init_lan(args, settings)
        return
    code = genesis.init(args.directory, settings, name=args.name, admin=args.admin)
    print(f"gateway made in {args.directory}; run it with: blockpost gateway run {args.directory}")
    _tell_code(code.to_text())


def _init_lan(args: argparse.Namespace, settings: Settings) -> None:
    directory = args.directory.absolute()
    key_file = args.root or directory.with_name(f"{directory.name}-root.key")
    files = [file for file in (key_file, args.sheet) if file]
    for file in files:
        _check_apart(file, directory)
    if len({file.absolute() for file in files}) < len(files):
        raise BadConfig(f"{key_file}: want a file each for the root's key and the sheet")
    secret = passphrase.chosen("the root's key", least=LEAST_PASSPHRASE, stdin=args.stdin)
    seed, now = secrets.token_bytes(root.SEED_BYTES), datetime.now(UTC)
    made = certificates.make_root(root.derive(seed), args.name, now)
    sheet = root.sheet(seed, args.name, now, tls.fingerprint(made.certificate))

    def certify(account: str) -> str:
        root.write_seed(key_file, seed, secret)
        if args.sheet:
            durable.create(args.sheet, sheet.encode())
        stock = Stock(Files(directory / "tls"), Owner.of(settings, account))
        stock.begin(made, now)
        return tls.pin(made.certificate)

    code = genesis.init(directory, settings, name=args.name, admin=args.admin, certify=certify)
    print(f"gateway made in {args.directory}; run it with: blockpost gateway run {args.directory}")
    print(f"the building finds it as: {', '.join(settings.hosts)}")
    print(f"key of its root: {key_file}\n  Move this file to a memory stick, and keep that somewhere else.")
    print("  It is needed again in a few years, or when somebody broke in; never from day to day.")
    if args.sheet:
        print(f"recovery sheet: {args.sheet}\n  Print it, keep the paper safe, and delete the file.\n")
    else:
        print(f"recovery sheet: print what is between the two lines, and keep the paper safe.\n\n{'-' * 72}")
        print(f"{sheet}{'-' * 72}\n")
    _tell_code(code.to_text())


def _tell_code(code: str) -> None:
    print(f"join code of the first admin, good once and for {genesis.INVITE_HOURS} hours:")
    print(code)


def _settings(args: argparse.Namespace) -> Settings:
    """Raise `BadConfig` for what no gateway could be run with."""
    given: dict[str, Any] = {name: getattr(args, name) for name in ("http_port", "mqtt_port", "welcome_port")}
    if args.lan:
        listen = args.listen or ANYWHERE
        given = {"http_host": listen, "mqtt_host": listen, **LAN_PORTS} | _said(given)
        given["hosts"] = args.host or own_hosts()
    elif alone := [name for name in ONLY_LAN if getattr(args, name)]:
        raise BadConfig(f"--{alone[0].replace('_', '-')}: goes with --lan")
    try:
        return msgspec.convert(_said(given), Settings)
    except msgspec.ValidationError as error:
        raise BadConfig(str(error)) from error


def _said(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}


def own_hosts() -> list[str]:
    """
    By what a LAN may find this machine: its names, then its addresses.

    The name that needs no other machine comes first: `.local` is answered by this one (RFC 6762), while a bare name is
    known only where a router tells it.
    """
    name = socket.gethostname().rstrip(".").lower()
    names = [name] if "." in name else [f"{name}.local", name]
    return names + addresses()


def _check_apart(file: Path, directory: Path) -> None:
    """Refuse what would fail half-way, or keep root and gateway together."""
    if file.absolute().resolve().is_relative_to(directory.resolve()):
        raise BadConfig(f"{file}: in the gateway's own directory; it is to be kept apart from that")
    if file.exists():
        raise BadConfig(f"{file}: there is a file already; it may be the key of another gateway")
    if not file.absolute().parent.is_dir():
        raise BadConfig(f"{file}: no such folder")
