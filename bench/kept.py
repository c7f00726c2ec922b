"""A filled site that is kept between runs: a chain of a million entries takes minutes to make."""

import argparse
from contextlib import closing
from pathlib import Path

import msgspec
from msgspec import Struct

from bench.errors import BenchError
from bench.site import Progress, Sender, Ward
from chain import durable
from gateway.site import Site

SITE, ACCOUNTS = "site", "accounts.json"


class _Accounts(Struct, frozen=True):
    """The private keys of accounts that exist to be measured with, and nowhere else."""

    admin: Sender
    senders: list[Sender]
    recipient: Sender


def ward(directory: Path, *, clients: int, progress: Progress) -> Ward:
    """
    The site that is kept in `directory`, made if there is none.

    Raise `BenchError` if it has other than `clients` accounts that write.
    """
    accounts, site = directory / ACCOUNTS, directory / SITE
    if accounts.is_file():
        kept = msgspec.json.decode(accounts.read_bytes(), type=_Accounts)
        if len(kept.senders) != clients:
            raise BenchError(f"{directory}: want a site with {clients} clients, it has {len(kept.senders)}")
        return Ward(Site.load(site), kept.admin, kept.senders, kept.recipient)
    progress(f"making a site in {directory}")
    directory.mkdir(parents=True, exist_ok=True)
    made = Ward.make(site, clients=clients)
    durable.create(accounts, msgspec.json.encode(_Accounts(made.admin, made.senders, made.recipient)))
    return made


def size_of(kept: Ward) -> int:
    with closing(kept.site.read_chain()) as chain:
        return chain.head.size


def filled(chain: Path | None, scratch: Path, *, size: int, clients: int, progress: Progress) -> Ward:
    """A site of at least `size` entries: the one kept in `chain`, or one in `scratch`."""
    made = ward(chain or scratch / "chain", clients=clients, progress=progress)
    made.fill(size, progress)
    return made


def add_chain(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--chain",
        type=Path,
        metavar="DIR",
        help="keep the filled chain here, or use the one that was kept; without it, it is made anew",
    )
