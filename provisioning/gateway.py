"""`blockpost gateway`: make a gateway, run it or one of its processes, back it up, restore it, examine it."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import cryptography  # noqa: F401 - without it there is no gateway here: said before anything is parsed

from chain.console import Console
from gateway import cli
from gateway.site import Settings

LAN_PORTS = {"http_port": 8443, "mqtt_port": 8883}
ANYWHERE = "0.0.0.0"  # noqa: S104 - what a LAN is served on, unless --listen says otherwise


def main(argv: Sequence[str]) -> int:
    """Run one subcommand; return the exit code."""
    console = cli.console(__doc__)
    _add_init(console)
    return cli.run(console, argv)


def _add_init(console: Console) -> None:
    make = console.command("init", _init, "make a gateway in an empty directory")
    make.add_argument("directory", type=Path, metavar="DIR")
    make.add_argument(
        "--name", default="blockpost.local", help="the site's name, part of the chain's origin (%(default)s)"
    )
    make.add_argument(
        "--admin", default="admin", metavar="HANDLE", help="the first admin's handle (%(default)s)"
    )
    defaults = Settings()
    for what in ("http", "mqtt"):
        own = f"{what}_port"
        make.add_argument(
            f"--{what}-port",
            type=int,
            metavar="PORT",
            help=f"port of the {what} listener ({getattr(defaults, own)}; in a LAN {LAN_PORTS[own]})",
        )
    make.add_argument(
        "--lan", action="store_true", help="serve the building, over TLS; without, this machine only"
    )
    lan = make.add_argument_group("with --lan")
    lan.add_argument(
        "--host",
        action="append",
        metavar="NAME",
        help="a name or an address by which the building finds this machine; the first goes into join codes. May be"
        " given again (this machine's names, and the addresses that it has now)",
    )
    lan.add_argument("--listen", metavar="ADDRESS", help=f"where it listens ({ANYWHERE})")
    lan.add_argument(
        "--welcome-port",
        type=int,
        metavar="PORT",
        help=f"port of the plain page that offers the root certificate ({defaults.welcome_port})",
    )
    lan.add_argument(
        "--root",
        type=Path,
        metavar="FILE",
        help="where the root's key goes, sealed (DIR-root.key, beside DIR)",
    )
    lan.add_argument(
        "--sheet", type=Path, metavar="FILE", help="write the recovery sheet there, rather than print it"
    )
    lan.add_argument("--stdin", action="store_true", help="read the passphrase from standard input, a line")


def _init(args: argparse.Namespace) -> None:
    # The authority and its libraries are not for the process that runs all others for years.
    from provisioning.making import make  # noqa: PLC0415

    make(args)
