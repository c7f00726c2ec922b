"""`blockpost gateway`: make a gateway, run it or one of its three processes, back it up, restore it, examine it."""

import argparse
import getpass
import logging
import os
import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from chain.console import LOG_FORMAT, Console, Progress, end_as_interrupted, report, until_signalled
from chain.errors import ChainError, Malformed
from chain.identity import account_id
from gateway import backup, committer, doctor, genesis, server, supervisor
from gateway.broker import serve as broker
from gateway.broker.serve import CannotListen
from gateway.doorkeeper import Doorkeeper
from gateway.errors import BackupError, BadConfig, GatewayError
from gateway.lock import exclusive
from gateway.site import Settings, Site

CLOSING = """
examples:
  blockpost gateway init ./site --name ward-3.example     make a gateway; prints the first admin's join code
  blockpost gateway run ./site                            run it: broker, committer and web server
  blockpost gateway backup ./site ./site.backup           all of it in one file, while it runs; asks for a passphrase
  blockpost gateway restore ./site.backup ./site --newest held   and back; `held` is a device's newest checkpoint
"""


def main(argv: Sequence[str]) -> int:
    """Run one subcommand; return the exit code."""
    console = _console()
    args = console.parser.parse_args(argv)
    logging.basicConfig(format=LOG_FORMAT, level=logging.INFO, stream=sys.stderr)
    return console.run(args, (GatewayError, BackupError, ChainError, CannotListen, OSError, sqlite3.Error))


def _console() -> Console:
    console = Console("gateway", __doc__, CLOSING)
    make = console.command("init", _init, "make a gateway in an empty directory")
    make.add_argument("directory", type=Path, metavar="DIR")
    make.add_argument(
        "--name", default="blockpost.local", help="the site's name, part of the chain's origin (%(default)s)"
    )
    make.add_argument(
        "--admin", default="admin", metavar="HANDLE", help="the first admin's handle (%(default)s)"
    )
    defaults = Settings()
    for what, port in (("http", defaults.http_port), ("mqtt", defaults.mqtt_port)):
        make.add_argument(
            f"--{what}-port",
            type=int,
            default=port,
            metavar="PORT",
            help=f"port of the {what} listener on loopback (%(default)s)",
        )
    for name, action, text in (
        ("run", _run, "run all of it, and keep it running"),
        ("broker", _broker, "run the embedded MQTT broker only"),
        ("commit", _commit, "run the committer only"),
        ("web", _web, "run the web server only"),
    ):
        part = console.command(name, action, text)
        part.add_argument("directory", type=Path, metavar="DIR")
    examine = console.command(
        "doctor", _doctor, "say what may be wrong, and what to do; exit 1 if there is a problem"
    )
    examine.add_argument("directory", type=Path, metavar="DIR")
    examine.add_argument("--json", action="store_true", help="print JSON, a finding a line")
    _backup_commands(console)
    return console


def _backup_commands(console: Console) -> None:
    save = console.command(
        "backup", _backup, "put chain, key and settings into one new file; it may run meanwhile"
    )
    save.add_argument("directory", type=Path, metavar="DIR")
    save.add_argument("file", type=Path, metavar="FILE")
    how = save.add_mutually_exclusive_group()
    how.add_argument("--stdin", action="store_true", help="read the passphrase from standard input, a line")
    how.add_argument(
        "--no-passphrase",
        action="store_true",
        help="do not seal it: whoever has the file can then pretend to be this gateway",
    )
    back = console.command(
        "restore", _restore, "make the gateway of a backup again, in a new or empty directory"
    )
    back.add_argument("file", type=Path, metavar="FILE")
    back.add_argument("directory", type=Path, metavar="DIR")
    back.add_argument("--stdin", action="store_true", help="read the passphrase from standard input, a line")
    known = back.add_mutually_exclusive_group(required=True)
    known.add_argument(
        "--newest",
        type=Path,
        action="append",
        metavar="CHECKPOINT",
        help="a file with the newest checkpoint that a device holds (`device status --checkpoint`); the backup must"
        " not be older. May be given again",
    )
    known.add_argument(
        "--accept-loss",
        action="store_true",
        help="restore it however old it is: what was committed later is lost, and devices that know of it refuse"
        " this gateway for good",
    )


def _init(args: argparse.Namespace) -> None:
    try:
        settings = Settings(http_port=args.http_port, mqtt_port=args.mqtt_port)
        code = genesis.init(args.directory, settings, name=args.name, admin=args.admin)
    except (ValueError, msgspec.ValidationError) as error:
        raise BadConfig(str(error)) from error
    print(f"gateway made in {args.directory}; run it with: blockpost gateway run {args.directory}")
    print(f"join code of the first admin, good once and for {genesis.INVITE_HOURS} hours:")
    print(code.to_text())


def _doctor(args: argparse.Namespace) -> int:
    return report(doctor.examine(args.directory), as_json=args.json)


def _backup(args: argparse.Namespace) -> None:
    end_as_interrupted()
    site = Site.load(args.directory)
    done = backup.make(site, args.file, _new_passphrase(args), Progress)
    print(f"backed up {args.directory} with {done.size} entries to {args.file}")


def _new_passphrase(args: argparse.Namespace) -> str | None:
    if args.no_passphrase:
        return None
    passphrase = _passphrase(args)
    if not args.stdin and getpass.getpass("once more: ") != passphrase:
        raise BadConfig("passphrase: the two that were typed differ")
    if len(passphrase) < backup.LEAST_PASSPHRASE:
        raise BadConfig(
            f"passphrase: want {backup.LEAST_PASSPHRASE} characters or more, got {len(passphrase)}"
        )
    return passphrase


def _passphrase(args: argparse.Namespace) -> str:
    return (
        sys.stdin.readline().rstrip("\r\n") if args.stdin else getpass.getpass("passphrase of the backup: ")
    )


def _restore(args: argparse.Namespace) -> None:
    end_as_interrupted()
    report = backup.restore(
        args.file,
        args.directory,
        passphrase=lambda: _passphrase(args),
        newest=[_note(path) for path in args.newest or ()],
        stages=Progress,
        workers=os.cpu_count() or 1,
    )
    print(f"restored {report.size} entries in {report.height + 1} blocks, all verified, to {args.directory}")
    print(f"the old gateway must not run any more; run this one with: blockpost gateway run {args.directory}")


def _note(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed(f"{path}: not a checkpoint: {error}") from error


def _run(args: argparse.Namespace) -> None:
    Site.load(args.directory)
    with exclusive(args.directory / "run.lock"):
        supervisor.run(args.directory, until_signalled())


def _broker(args: argparse.Namespace) -> None:
    site = Site.load(args.directory)
    chain = site.read_chain()
    settings = site.settings
    broker.run(settings.mqtt_host, settings.mqtt_port, Doorkeeper(chain), gateway=account_id(chain.key))


def _commit(args: argparse.Namespace) -> None:
    site = Site.load(args.directory)
    with exclusive(args.directory / "commit.lock"):
        committer.run(site, until_signalled())


def _web(args: argparse.Namespace) -> None:
    server.serve(Site.load(args.directory))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
