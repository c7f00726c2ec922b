"""`blockpost gateway`: make a gateway, and run it or one of its three processes."""

import argparse
import logging
import signal
import sqlite3
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import msgspec

from chain.errors import ChainError
from gateway import committer, genesis, server, supervisor
from gateway.broker import serve as broker
from gateway.broker.serve import CannotListen
from gateway.doorkeeper import Doorkeeper
from gateway.errors import BadConfig, GatewayError
from gateway.lock import exclusive
from gateway.site import Settings, Site

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"

EPILOG = """
examples:
  blockpost gateway init ./site --name ward-3.example     make a gateway; prints the first admin's join code
  blockpost gateway run ./site                            run it: broker, committer and web server
"""


def main(argv: Sequence[str]) -> int:
    """Run one subcommand; return the exit code."""
    args = _parser().parse_args(argv)
    logging.basicConfig(format=LOG_FORMAT, level=logging.INFO, stream=sys.stderr)
    try:
        args.action(args)
    except (GatewayError, ChainError, CannotListen, OSError, sqlite3.Error) as error:
        print(f"blockpost gateway {args.command}: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="blockpost gateway",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    make = commands.add_parser("init", help="make a gateway in an empty directory")
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
    make.set_defaults(action=_init)
    for name, action, text in (
        ("run", _run, "run all of it, and keep it running"),
        ("broker", _broker, "run the embedded MQTT broker only"),
        ("commit", _commit, "run the committer only"),
        ("web", _web, "run the web server only"),
    ):
        part = commands.add_parser(name, help=text)
        part.add_argument("directory", type=Path, metavar="DIR")
        part.set_defaults(action=action)
    return parser


def _init(args: argparse.Namespace) -> None:
    try:
        settings = Settings(http_port=args.http_port, mqtt_port=args.mqtt_port)
        code = genesis.init(args.directory, settings, name=args.name, admin=args.admin)
    except (ValueError, msgspec.ValidationError) as error:
        raise BadConfig(str(error)) from error
    print(f"gateway made in {args.directory}; run it with: blockpost gateway run {args.directory}")
    print(f"join code of the first admin, good once and for {genesis.INVITE_HOURS} hours:")
    print(code.to_text())


def _run(args: argparse.Namespace) -> None:
    Site.load(args.directory)
    with exclusive(args.directory / "run.lock"):
        supervisor.run(args.directory, _until_signalled())


def _broker(args: argparse.Namespace) -> None:
    site = Site.load(args.directory)
    chain = site.read_chain()
    broker.run(
        site.settings.mqtt_host, site.settings.mqtt_port, Doorkeeper(chain), gateway=site.key().account
    )


def _commit(args: argparse.Namespace) -> None:
    site = Site.load(args.directory)
    with exclusive(args.directory / "commit.lock"):
        committer.run(site, _until_signalled())


def _web(args: argparse.Namespace) -> None:
    server.serve(Site.load(args.directory))


def _until_signalled() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    return stop


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
