"""
`blockpost gateway`: run a gateway or one of its processes, back it up, restore or recover it, examine it.

`provisioning.gateway` adds how one is made: that takes an authority, and the gateway knows none. Each command imports
what it runs when it runs: with the libraries of all the others, each process would be twice as large, and start later.
"""

# ruff: noqa: PLC0415

import argparse
import logging
import os
import sqlite3
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from chain.console import LOG_FORMAT, Console, Progress, end_as_interrupted, report, until_signalled
from chain.errors import ChainError, Malformed
from chain.identity import account_id
from gateway.errors import BackupError, CannotListen, GatewayError
from gateway.lock import exclusive
from gateway.site import Site

CLOSING = """
examples:
  blockpost gateway init ./site --name ward-3.example     make a gateway; prints the first admin's join code
  blockpost gateway init ./site --lan                     the same for a building, with certificates
  blockpost gateway run ./site                            run it: broker, committer and web server
  blockpost gateway backup ./site ./site.backup           all of it in one file, while it runs; asks for a passphrase
  blockpost gateway restore ./site.backup ./site --newest held   and back; `held` is a device's newest checkpoint
"""


def main(argv: Sequence[str]) -> int:
    """Run one subcommand; return the exit code."""
    return run(console(__doc__), argv)


def run(console: Console, argv: Sequence[str]) -> int:
    """Run the subcommand of `console` that `argv` names; return the exit code."""
    args = console.parser.parse_args(argv)
    logging.basicConfig(format=LOG_FORMAT, level=logging.INFO, stream=sys.stderr)
    return console.run(args, (GatewayError, BackupError, ChainError, CannotListen, OSError, sqlite3.Error))


def console(about: str | None) -> Console:
    """The command with all that this package brings."""
    made = Console("gateway", about, CLOSING)
    for name, action, text in (
        ("run", _run, "run all of its processes, and keep them running"),
        ("broker", _broker, "run the MQTT broker only: the embedded one, or in a LAN Mosquitto"),
        ("commit", _commit, "run the committer only"),
        ("web", _web, "run the web server only"),
        (
            "welcome",
            _welcome,
            "run the plain page with the root's certificate only, and announce the gateway",
        ),
    ):
        part = made.command(name, action, text)
        part.add_argument("directory", type=Path, metavar="DIR")
    examine = made.command(
        "doctor", _doctor, "say what may be wrong, and what to do; exit 1 if there is a problem"
    )
    examine.add_argument("directory", type=Path, metavar="DIR")
    examine.add_argument("--json", action="store_true", help="print JSON, a finding a line")
    _backup_commands(made)
    return made


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
    _recover_command(console)
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


def _recover_command(console: Console) -> None:
    command = console.command(
        "recover", _recover, "after its disk failed: put a verified copy in the place of the chain"
    )
    command.add_argument("directory", type=Path, metavar="DIR")
    command.add_argument(
        "--newest",
        type=Path,
        action="append",
        metavar="CHECKPOINT",
        help="a file with the newest checkpoint that a device holds (`device status --checkpoint`); the chain must not"
        " be older. May be given again",
    )


def _doctor(args: argparse.Namespace) -> int:
    from gateway import doctor

    return report(doctor.examine(args.directory), as_json=args.json)


def _backup(args: argparse.Namespace) -> None:
    from gateway import backup, passphrase

    end_as_interrupted()
    site = Site.load(args.directory)
    secret = None
    if not args.no_passphrase:
        secret = passphrase.chosen("the backup", least=backup.LEAST_PASSPHRASE, stdin=args.stdin)
    done = backup.make(site, args.file, secret, Progress)
    print(f"backed up {args.directory} with {done.size} entries to {args.file}")


def _restore(args: argparse.Namespace) -> None:
    from gateway import backup, passphrase

    end_as_interrupted()
    report = backup.restore(
        args.file,
        args.directory,
        passphrase=lambda: passphrase.typed("the backup", stdin=args.stdin),
        newest=[_note(path) for path in args.newest or ()],
        stages=Progress,
        workers=os.cpu_count() or 1,
    )
    print(f"restored {report.size} entries in {report.height + 1} blocks, all verified, to {args.directory}")
    print(f"the old gateway must not run any more; run this one with: blockpost gateway run {args.directory}")


def _recover(args: argparse.Namespace) -> None:
    from gateway import recovery

    end_as_interrupted()
    site = Site.load(args.directory)
    with exclusive(args.directory / "commit.lock"):
        report, kept = recovery.recover(
            site,
            newest=[_note(path) for path in args.newest or ()],
            stages=Progress,
            clock=lambda: time.time_ns() // 1_000_000,
            workers=os.cpu_count() or 1,
        )
    print(
        f"{report.size} entries in {report.height + 1} blocks, all verified, are in a file of their own now"
    )
    print(f"the old one is kept in {kept}; start the gateway again")


def _note(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed(f"{path}: not a checkpoint: {error}") from error


def _run(args: argparse.Namespace) -> None:
    from gateway import supervisor

    site = Site.load(args.directory)
    with exclusive(args.directory / "run.lock"):
        supervisor.run(site, until_signalled())


def _broker(args: argparse.Namespace) -> None:
    from gateway import halt

    site = Site.load(args.directory)
    chain = halt.opened(site.chain_file)
    settings, gateway = site.settings, account_id(chain.key)
    if settings.is_lan:
        from gateway.broker import keeper

        chain.close()
        keeper.run(site, gateway, until_signalled())
    else:
        from gateway.broker import serve
        from gateway.doorkeeper import Doorkeeper

        serve.run(settings.mqtt_host, settings.mqtt_port, Doorkeeper(chain), gateway=gateway)


def _commit(args: argparse.Namespace) -> None:
    from gateway import committer

    site = Site.load(args.directory)
    with exclusive(args.directory / "commit.lock"):
        committer.run(site, until_signalled())


def _web(args: argparse.Namespace) -> None:
    from gateway import server

    server.serve(Site.load(args.directory))


def _welcome(args: argparse.Namespace) -> None:
    from gateway import welcome

    welcome.run(Site.load(args.directory))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
