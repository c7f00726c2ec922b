"""`blockpost authority`: make, renew and revoke the certificates of a gateway that serves a LAN."""

import argparse
import logging
import sqlite3
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from cryptography.x509 import load_pem_x509_certificate

from chain.console import LOG_FORMAT, Console, until_signalled
from chain.errors import ChainError, Malformed
from device.errors import DeviceError
from gateway import expiry, passphrase, tls
from gateway.errors import BadConfig, GatewayError
from gateway.site import Site
from provisioning.authority import inventory, root, serve
from provisioning.authority.office import line
from provisioning.authority.reissue import reissue

CLOSING = """
`blockpost gateway run` runs the authority, too: it issues, renews and revokes by itself. What is left for a person:

  blockpost authority status ./site                                   what is issued, and what ends when
  blockpost authority sheet ./site --root site-root.key               print the recovery sheet once more
  blockpost authority reissue ./site --root site-root.key             a new authority, near the end of the old one
  blockpost authority reissue ./site --sheet letters --compromised    the same after somebody broke in

Stop the gateway before you reissue, and start it afterwards.
"""


def main(argv: Sequence[str]) -> int:
    """Run one subcommand; return the exit code."""
    console = _console()
    args = console.parser.parse_args(argv)
    logging.basicConfig(format=LOG_FORMAT, level=logging.INFO, stream=sys.stderr)
    return console.run(args, (GatewayError, ChainError, DeviceError, OSError, sqlite3.Error))


def _console() -> Console:
    console = Console("authority", __doc__, CLOSING)
    part = console.command("run", _run, "run the authority only")
    part.add_argument("directory", type=Path, metavar="DIR")
    look = console.command("status", _status, "say what is issued, and what ends when")
    look.add_argument("directory", type=Path, metavar="DIR")
    look.add_argument("--json", action="store_true", help="print one JSON object")
    again = console.command(
        "reissue",
        _reissue,
        "a new issuing authority, and new certificates for the gateway, under the same root",
    )
    again.add_argument("directory", type=Path, metavar="DIR")
    source = again.add_mutually_exclusive_group(required=True)
    source.add_argument("--root", type=Path, metavar="FILE", help="the root's key; asks for its passphrase")
    source.add_argument("--sheet", type=Path, metavar="FILE", help="the letters of the recovery sheet, typed")
    again.add_argument(
        "--compromised",
        action="store_true",
        help="what the authority before signed holds no more, at once: running agents ask anew within some minutes",
    )
    again.add_argument("--stdin", action="store_true", help="read the passphrase from standard input, a line")
    paper = console.command("sheet", _sheet, "print the recovery sheet once more")
    paper.add_argument("directory", type=Path, metavar="DIR")
    paper.add_argument(
        "--root", type=Path, metavar="FILE", required=True, help="the root's key; asks for its passphrase"
    )
    paper.add_argument("--stdin", action="store_true", help="read the passphrase from standard input, a line")
    return console


def _run(args: argparse.Namespace) -> None:
    serve.run(_site(args), until_signalled())


def _reissue(args: argparse.Namespace) -> None:
    site = _site(args)
    if args.sheet:
        try:
            seed = root.read_sheet(args.sheet.read_text("utf-8"))
        except UnicodeDecodeError as error:
            raise Malformed(f"{args.sheet}: not a text") from error
    else:
        seed = _seed(args)
    reissue(site, root.derive(seed), datetime.now(UTC), trust_old=not args.compromised)
    print(f"new authority in {site.certificates.directory}; the root, and the join codes' pin, are the same")
    if args.compromised:
        print(
            "the broker refuses what devices have: running agents ask anew within some minutes, and people with"
            " `blockpost device renew`"
        )
    if args.sheet:
        print(f"delete {args.sheet} now: whoever has the letters can pretend to be this gateway")


def _sheet(args: argparse.Namespace) -> None:
    site = _site(args)
    seed = _seed(args)
    with closing(site.read_chain()) as chain:
        name, _, _ = chain.origin.rpartition("/")
    known = load_pem_x509_certificate(site.certificates.root.read_bytes())
    if tls.pin(known) != root.pin(root.derive(seed)):
        raise BadConfig(f"{args.root}: the key of another root than {site.certificates.root}")
    print(root.sheet(seed, name, datetime.now(UTC), tls.fingerprint(known)), end="")


def _seed(args: argparse.Namespace) -> bytes:
    return root.read_seed(args.root, passphrase.typed("the root's key", stdin=args.stdin))


def _status(args: argparse.Namespace) -> None:
    files = _site(args).certificates
    now = datetime.now(UTC)
    ends = [
        expiry.crl_end(files) if what == "crl" else expiry.certificate_end(files, what)
        for what in expiry.SHORT
    ]
    now_ms = int(now.timestamp() * 1000)
    lines = [
        line(holder, now_ms)
        for holder in sorted(inventory.read(files.inventory), key=lambda each: each.account)
        if holder.leaves
    ]
    if args.json:
        when = {end.what: int(end.at.timestamp() * 1000) for end in ends}
        print(msgspec.json.encode({"ends": when, "certificates": lines}).decode())
        return
    for end in ends:
        print(f"{end.what:10} until {end.at:%Y-%m-%d}{'   soon' if end.is_near(now) else ''}")
    for each in lines:
        until = time.strftime("%Y-%m-%d", time.localtime(each.until / 1000))
        state = "revoked" if each.revoked else "in force" if now_ms < each.until else "expired"
        print(f"account {each.account} until {until} {state}{' may be renewed' if each.renewable else ''}")


def _site(args: argparse.Namespace) -> Site:
    site = Site.load(args.directory)
    if not site.settings.is_lan:
        raise BadConfig(f"{args.directory}: serves this machine only, and has no certificates")
    return site
