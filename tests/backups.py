"""Gateways that are backed up: made small, grown, and processes that are killed while they copy one."""

import os
import secrets
import signal
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from msgspec import structs

from chain import body, entry
from chain.audit import Progress
from chain.author import Author
from chain.body import Card
from chain.chain import Chain, Committed
from chain.entry import Profile
from gateway import backup, genesis
from gateway.site import Settings, Site
from provisioning.authority import certificates
from provisioning.authority.stock import Owner, Stock

PASSPHRASE = "correct horse battery"

Moment = Literal["first", "last"]
"""The first word of a stage, or the one that says that all of it is done."""


def quiet(_things: str) -> Progress:
    """Tells nobody."""
    return lambda _done, _all: None


def made(directory: Path, *, blocks: int = 3) -> Site:
    """A gateway whose chain has some blocks."""
    genesis.init(directory, Settings(), name="ward7.example", admin="admin")
    site = Site.load(directory)
    grow(site, blocks)
    return site


def with_certificates(site: Site) -> Site:
    """The same, as it would serve a LAN."""
    settings = structs.replace(site.settings, hosts=("gateway.local",))
    (site.directory / "gateway.toml").write_text(settings.to_toml(), "utf-8")
    site = Site.load(site.directory)
    now = datetime.now(UTC)
    root = certificates.make_root(certificates.new_key(), "ward7.example", now)
    Stock(site.certificates, Owner(site.key().account, site.settings.hosts)).begin(root, now)
    site.certificates.inventory.write_bytes(b"{}")
    site.certificates.inventory.chmod(0o600)
    return site


def grow(site: Site, blocks: int, name: str = "Ward 7") -> None:
    """The gateway presents itself anew, a block each time."""
    key = site.key()
    stream = entry.new_stream(secrets.token_bytes)
    with closing(Chain.open(site.chain_file, write=True)) as chain:
        author = Author(origin=chain.origin, account=key.account, stream=stream, kid=key.kid, sign=key.sign)
        for seq in range(1, blocks + 1):
            now = time.time_ns() // 1_000_000
            card = body.document(Card(handle="gateway", name=f"{name} {seq}"), secrets.token_bytes)
            seen = chain.verified(chain.checkpoint()).seen
            parcel = author.parcel(Profile, seq=seq, at=now, seen=seen, beside=card)
            (outcome,) = chain.append([parcel.load()], writer=key.writer, now=now)
            assert isinstance(outcome, Committed), outcome


def newest(site: Site) -> str:
    with closing(site.read_chain()) as chain:
        return chain.checkpoint()


class Death:
    """Kills this process as a power cut would, at a moment of one stage."""

    def __init__(self, stage: str, moment: Moment) -> None:
        self._stage = stage
        self._moment = moment

    def __call__(self, things: str) -> Progress:
        def told(done: int, total: int) -> None:
            if things == self._stage and (done == total or self._moment == "first"):
                os.kill(os.getpid(), signal.SIGKILL)

        return told


def back_up_and_die(directory: Path, file: Path, stage: str, moment: Moment) -> None:
    backup.PAGES = 4
    backup.make(Site.load(directory), file, None, Death(stage, moment))


def restore_and_die(file: Path, directory: Path, stage: str, moment: Moment) -> None:
    restored(file, directory, stages=Death(stage, moment))


def restored(
    file: Path,
    directory: Path,
    *,
    passphrase: str = PASSPHRASE,
    notes: Sequence[str] = (),
    stages: backup.Stages = quiet,
) -> Site:
    backup.restore(file, directory, passphrase=lambda: passphrase, newest=notes, stages=stages)
    return Site.load(directory)
