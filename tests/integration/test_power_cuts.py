"""
The power fails: right after any operation on the disk, what was promised before is there, and nothing is half made.

Each job is done once, in a process of its own, on a disk that writes down what it is told; then the disk is looked at
as it would be after a cut at each moment.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from msgspec import structs

from chain import entry, wire
from chain.audit import audit
from chain.chain import Chain
from chain.errors import ChainError, Damaged
from chain.receipt import Receipt
from device import identity
from device.addressbook import AddressBook
from device.errors import TwoHistories
from device.outbox import Outbox
from device.trust import Trust
from gateway import backup, halt, refusals
from gateway.joins import Joins
from gateway.refusals import Refusal, Refusals
from gateway.sessions import HOUR_MS, Sessions
from gateway.site import Site
from provisioning.authority import root
from provisioning.authority.inventory import Inventory
from provisioning.authority.stock import Owner, Stock
from tests.authority import a_lan
from tests.backups import PASSPHRASE, made, quiet, restored, with_certificates
from tests.faults.disk import Disk
from tests.faults.jobs import Ticking, committer_of, incoming, rows_of
from tests.faults.survival import Survival, done, survivals, told
from tests.homes import NearGateway, membership
from tests.world import START, World

PUBLIC = ("root.crt", "crl.pem")
SMALL = ("sessions", "joins", "refusals", "outbox", "book", "keys")

REFUSED = Refusal(at=1, account="a", rule="gap", reason="why", entry=None)

Shown = Callable[[Path], str]
"""What a store holds that is opened in a folder, in the words in which its job told it."""


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder in memory, where there is one: what goes on with what is left syncs in no time."""
    shared = Path("/dev/shm")  # noqa: S108 - the folder in it has a name of its own
    with TemporaryDirectory(dir=shared if shared.is_dir() else None) as folder:
        yield Path(folder)


def keeps_secrets(survival: Survival) -> None:
    """Nobody else may read what is left."""
    for path, (mode, _) in survival.image.files.items():
        # The same under the name that it has until it is whole.
        assert not mode & 0o077 or Path(path).name.strip(".").removesuffix(".new") in PUBLIC, path


# The chain


def test_nothing_that_was_receipted_is_lost_or_doubled(tmp_path: Path, memory: Path) -> None:
    folder = tmp_path / "disk" / "commit"
    folder.mkdir(parents=True)
    before = prepared(folder)
    with done(tmp_path, "commit") as disk:
        blocks = told(disk, "commit", "block")
        for survival in survivals(disk, "commit"):
            with survival.laid_out(memory) as after, World(after, fresh=False) as world:
                committer = committer_of(world)
                holds_receipts(survival, world)
                for block in blocks:
                    answers = committer.commit(list(map(incoming, block)), world.now)
                    assert not [each for each in answers if each.topic.endswith("refusal")]
                assert world.chain.head.size == before + len({each for block in blocks for each in block})
                audit(world.path)


def prepared(folder: Path) -> int:
    """A chain for the job; how long it is."""
    with World(folder) as world:
        alice, bob = world.join("alice"), world.join("bob")
        world.link(alice, bob.id)
        return world.chain.head.size


def holds_receipts(survival: Survival, world: World) -> None:
    """Every receipt that was given out proves an entry of this chain."""
    for topic, payload in survival.told("answer"):
        if not topic.endswith("receipt"):
            continue
        for given in wire.read_receipts(payload.encode()).receipts:
            receipt, found = Receipt.from_text(given.receipt), world.chain.store.find(given.id)
            assert found is not None
            assert found[0] == receipt.index
            signed = receipt.verify(found[1], origin=world.origin, key=world.gateway.keys.public)
            assert world.chain.store.root_at(signed.size) == signed.root


def test_what_a_lying_disk_takes_back_is_noticed(tmp_path: Path, memory: Path) -> None:
    folder = tmp_path / "disk" / "commit"
    folder.mkdir(parents=True)
    prepared(folder)
    found: Counter[str] = Counter()
    with done(tmp_path, "commit", lying=True) as disk:
        for survival in survivals(disk, "commit"):
            with survival.laid_out(memory) as after:
                found[comes_to_light(survival, after)] += 1
    # All that befalls a gateway whose disk lies. Whole it is before anything was said, and when it was lucky.
    assert set(found) == {"whole", "cannot be opened", "damaged", "shorter"}


def comes_to_light(survival: Survival, folder: Path) -> str:
    """What has become of the chain, once it is known that somebody notices."""
    file = folder / "chain.db"
    try:
        Chain.open(file, write=True).close()
    except ChainError:
        return "cannot be opened"
    except sqlite3.Error as error:
        # It is what the committer halts at, and says why.
        return "cannot be opened" if halt.failure(error, file) else repr(error)
    try:
        size = audit(file).size
    except Damaged:
        return "damaged"
    notes = [json for topic, json in survival.told("answer") if topic == wire.HEAD_TOPIC]
    with World(folder, fresh=False) as world:
        if not notes or world.chain.verified(notes[-1]).size <= size:
            return "whole"
        is_refused(world, notes[-1], folder / "addressbook.json")
    return "shorter"


def is_refused(world: World, note: str, file: Path) -> None:
    """Whoever holds the newer checkpoint does not believe this chain, and this gateway takes nothing from them."""
    newer = world.chain.verified(note)
    book = AddressBook(file)
    book.set_membership(membership(world, world.admin.id))
    trust = Trust(book, book.membership(), NearGateway(world, world.admin.id).consistency, lambda: START)
    trust.accept(note)
    with pytest.raises(TwoHistories):
        trust.accept_head(world.chain.checkpoint)
    assert book.evidence()
    world.admin.stream = entry.new_stream(world.source)
    refusal = world.refusal(world.admin.introduces("admin", seen=newer.seen))
    assert refusal.rule == "history"


# Stores of which every change is promised


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Disk]:
    with done(tmp_path_factory.mktemp("small"), *SMALL) as disk:
        yield disk


def of_sessions(folder: Path) -> str:
    with closing(Sessions.open(folder / "sessions.db", clock=Ticking(), idle_ms=12 * HOUR_MS)) as opened:
        return rows_of(opened._db)


def of_joins(folder: Path) -> str:
    with closing(Joins.open(folder / "joins.db", clock=Ticking())) as opened:
        return rows_of(opened._db)


def of_the_outbox(folder: Path) -> str:
    with closing(Outbox(folder / "outbox.db")) as opened:
        return rows_of(opened._db)


def of_the_address_book(folder: Path) -> str:
    return str(AddressBook(folder / "addressbook.json").checkpoint())


@pytest.mark.parametrize(
    ("job", "shown"),
    [
        ("sessions", of_sessions),
        ("joins", of_joins),
        ("outbox", of_the_outbox),
        ("book", of_the_address_book),
    ],
)
def test_a_store_is_as_it_was_told_last_or_one_step_further(
    small: Disk, tmp_path: Path, job: str, shown: Shown
) -> None:
    states = [state for (state,) in told(small, job, "state")]

    for survival in survivals(small, job):
        with survival.laid_out(tmp_path / "after") as after:
            keeps_secrets(survival)
            found, count = shown(after), len(survival.told("state"))
            assert count == 0 or found in states[count - 1 : count + 1]


def test_the_notebook_of_refusals_can_be_read_and_written(small: Disk, tmp_path: Path) -> None:
    for survival in survivals(small, "refusals", seeds=3):
        with survival.laid_out(tmp_path / "after") as after:
            keeps_secrets(survival)
            file = after / "refusals.db"
            # As the committer does when it starts.
            notebook = Refusals(file)
            before = refusals.read(file, before=1 << 62, limit=100)
            notebook.keep([structs.replace(REFUSED, at=len(before) + 1)])
            notebook.close()
            kept = refusals.read(file, before=1 << 62, limit=100)
            assert kept[1:] == before
            assert [each.refusal.at for each in kept] == list(range(len(kept), 0, -1))


def test_keys_are_whole_or_not_there_and_never_fewer(small: Disk, tmp_path: Path) -> None:
    for survival in survivals(small, "keys", seeds=3):
        with survival.laid_out(tmp_path / "after") as after:
            keeps_secrets(survival)
            current, prepared = survival.told("current"), survival.told("prepared")
            if current or identity.exists(after):
                held = identity.load(after).signing.thumbprint
                assert held in [kid for (kid,) in (*current, *prepared)] or not current
                assert len(current) < 2 or held == current[-1][0]
            for (kid,) in prepared:
                # The chain may say so by now: then they are the only ones that count.
                assert identity.adopt(after, kid).signing.thumbprint == kid


# A gateway as a whole


def test_a_gateway_is_made_whole_or_not_at_all(tmp_path: Path) -> None:
    with done(tmp_path, "init") as disk:
        for survival in survivals(disk, "init"):
            with survival.laid_out(tmp_path / "after") as after:
                keeps_secrets(survival)
                ward, is_told = after / "sites/ward", bool(survival.told("made"))
                if is_told or (ward / "gateway.toml").exists():
                    site = Site.load(ward)
                    assert audit(site.chain_file).key == site.key().public
                if is_told:
                    seed = root.read_sheet((after / "sheet.txt").read_text("utf-8"))
                    assert site.pin() == root.pin(root.derive(seed))
                    assert root.read_seed(after / "root.key", PASSPHRASE) == seed


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Disk, Site]]:
    """A gateway that was backed up, and restored from another backup."""
    place = tmp_path_factory.mktemp("copied")
    site = with_certificates(made(place / "site"))
    backup.make(site, place / "backup", None, quiet)
    with done(place, "back_up", "restore") as disk:
        yield disk, site


def test_a_backup_is_whole_or_is_none(copied: tuple[Disk, Site], tmp_path: Path) -> None:
    disk, site = copied

    @cache
    def holds(data: bytes) -> bool:
        file = tmp_path / "file"
        file.write_bytes(data)
        return audit(restored(file, tmp_path / f"again-{len(data)}").chain_file).key == site.key().public

    for survival in survivals(disk, "back_up"):
        keeps_secrets(survival)
        _, data = survival.image.files.get("backup", (0, b""))
        assert holds(data) if data else not survival.told("made")


def test_a_gateway_is_restored_whole_or_not_at_all(copied: tuple[Disk, Site], tmp_path: Path) -> None:
    disk, site = copied
    for survival in survivals(disk, "restore"):
        with survival.laid_out(tmp_path / "after") as after:
            keeps_secrets(survival)
            if not survival.told("made") and not (after / "again").exists():
                continue
            again = Site.load(after / "again")
            assert audit(again.chain_file).key == again.key().public == site.key().public
            assert again.pin() == site.pin()


def test_who_has_a_certificate_and_who_has_none_any_more_is_known(tmp_path: Path) -> None:
    folder = tmp_path / "disk" / "authority"
    folder.parent.mkdir()
    with a_lan(folder) as lan:
        lan.world.join("alice")
        lan.world.join("bob")
    (folder / "gateway.toml").chmod(0o600)
    with done(tmp_path, "authority") as disk:
        for survival in survivals(disk, "authority"):
            with survival.laid_out(tmp_path / "after") as after:
                keeps_secrets(survival)
                site = Site.load(after)
                inventory = Inventory(site.certificates.inventory)
                stock = Stock(site.certificates, Owner.of(site.settings, site.key().account))
                stock.signer()
                for account, serial in survival.told("issued"):
                    assert serial in [leaf.serial for leaf in inventory.of(account).leaves]
                ended = {each.serial_number for crl in stock.crls() for each in crl}
                for (account,) in survival.told("revoked"):
                    assert {int(leaf.serial, 16) for leaf in inventory.of(account).leaves} <= ended
    assert survival.told("revoked")
