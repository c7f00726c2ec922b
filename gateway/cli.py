"""`blockpost gateway`: make a gateway, and run it or one of its three processes."""

import argparse
import logging
import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from chain.console import LOG_FORMAT, Console, until_signalled
from chain.errors import ChainError
from chain.identity import account_id
from gateway import committer, genesis, server, supervisor
from gateway.broker import serve as broker
from gateway.broker.serve import CannotListen
from gateway.doorkeeper import Doorkeeper
from gateway.errors import BadConfig, GatewayError
from gateway.lock import exclusive
from gateway.site import Settings, Site

CLOSING = """
examples:
  blockpost gateway init ./site --name ward-3.example     make a gateway; prints the first admin's join code
  blockpost gateway run ./site                            run it: broker, committer and web server
"""


def main(argv: Sequence[str]) -> int:
    """Run one subcommand; return the exit code."""
    console = _console()
    args = console.parser.parse_args(argv)
    logging.basicConfig(format=LOG_FORMAT, level=logging.INFO, stream=sys.stderr)
    return console.run(args, (GatewayError, ChainError, CannotListen, OSError, sqlite3.Error))


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
    return console


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
