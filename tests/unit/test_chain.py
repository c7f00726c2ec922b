"""The chain on disk: blocks, the fold that is not replayed, erasure, and what a crash leaves."""

import multiprocessing
import shutil
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from chain import block as blocks
from chain import merkle, store
from chain.audit import audit
from chain.block import NO_BLOCK
from chain.chain import Chain, Committed, Writer
from chain.encoding import b64url, digest
from chain.errors import Malformed, Missing
from chain.wire import Parcel, Submission
from tests.world import ORIGIN, Actor, World, append_until_killed


class Broken(Exception):
    """What was used broke."""


def broken(*_arguments: object) -> NoReturn:
    raise Broken


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


@pytest.fixture
def pair(world: World) -> tuple[Actor, Actor]:
    """Two who may write to each other."""
    alice, bob = world.join("alice"), world.join("bob")
    world.link(alice, bob.id)
    return alice, bob


# Blocks


def test_blocks_are_linked_by_their_hashes(world: World) -> None:
    previous = NO_BLOCK
    for height in range(world.chain.head.height + 1):
        block = world.chain.store.block(height)

        assert block.id == height
        assert block.header.previous_hash == previous
        assert block.hash == digest(block.header_bytes)
        previous = b64url(block.hash)
    assert previous == b64url(world.chain.head.hash)


def test_a_block_says_which_entries_it_holds(world: World, pair: tuple[Actor, Actor]) -> None:
    alice, bob = pair
    messages = [alice.writes(bob.id) for _ in range(5)]
    indices = world.commit(*messages)

    block = world.chain.store.block(world.chain.head.height)

    assert block.entries == tuple(message.signed.leaf for message in messages)
    assert (block.header.first, block.header.count) == (indices[0], 5)
    assert (block.header.size, block.root) == (indices[-1] + 1, world.chain.head.root)
    assert block.header.gateway == world.gateway.keys.kid
    assert list(block.contracts) == []
    assert [world.chain.store.height_of(index) for index in indices] == [block.id] * 5


def test_the_genesis_block_alone_pins_the_contract_engine(world: World) -> None:
    engines = [world.chain.store.block(height).header.engine for height in range(3)]

    assert engines == ["cel-expr-python/0.1.3", None, None]


def test_no_two_blocks_have_one_nonce(world: World) -> None:
    nonces = [world.chain.store.block(height).nonce for height in range(3)]

    assert len(set(nonces)) == 3
    assert {len(nonce) for nonce in nonces} == {16}


def test_the_time_of_the_chain_does_not_go_back_with_the_clock(world: World) -> None:
    before = world.chain.head.timestamp
    world.now = before - 1_000_000

    world.commit(world.admin.introduces("admin"))

    assert world.chain.head.timestamp == before


def test_a_batch_that_is_refused_whole_makes_no_block(world: World) -> None:
    head = world.chain.head

    world.append()
    world.append(world.admin.ticks(), world.gateway.ticks())

    assert world.chain.head == head
    assert world.chain.store.head() == head


def test_what_is_not_there_is_missing(world: World) -> None:
    head = world.chain.head
    with pytest.raises(Missing):
        world.chain.store.block(head.height + 1)
    with pytest.raises(Missing):
        world.chain.store.leaf(head.size)
    with pytest.raises(Missing):
        world.chain.store.height_of(head.size)
    assert world.chain.store.body(head.size) is None
    assert world.chain.store.root_at(head.size + 1) is None


def test_every_checkpoint_continues_the_one_before(world: World, pair: tuple[Actor, Actor]) -> None:
    rows = world.chain.store.db.execute("SELECT checkpoint FROM signature ORDER BY height")
    heads = [world.chain.verified(note.decode()) for (note,) in rows]
    for old in heads:
        for new in heads:
            if old.size <= new.size:
                path = world.chain.consistency(old.size, new.size)
                merkle.verify_consistency(old.size, new.size, path, old.root, new.root)


@pytest.mark.parametrize("ahead", [1, 100])
def test_no_consistency_is_proved_with_a_size_that_the_chain_never_had(world: World, ahead: int) -> None:
    size = world.chain.head.size
    with pytest.raises(Malformed):
        world.chain.consistency(size, size + ahead)
    with pytest.raises(Malformed):
        world.chain.consistency(size + ahead, size)


def test_the_block_signature_is_over_its_hash_and_names_its_purpose(world: World) -> None:
    ((signature,),) = world.chain.store.db.execute(
        "SELECT block FROM signature WHERE height = ?", (world.chain.head.height,)
    )

    assert signature == world.gateway.keys.sign(b"blockpost/block/v1\n" + world.chain.head.hash)
    assert blocks.signed_bytes(b"hash") == b"blockpost/block/v1\nhash"


# Making and opening


def test_a_chain_is_never_made_over_another(world: World) -> None:
    with pytest.raises(FileExistsError):
        Chain.create(world.path, origin=ORIGIN, writer=world.writer, genesis=[], now=world.now)


def test_a_chain_that_is_opened_again_knows_its_name_its_key_and_its_head(world: World) -> None:
    before, state = world.chain.head, world.dump()

    again = world.reopen()

    assert (again.origin, again.key) == (ORIGIN, world.gateway.keys.public)
    assert (again.head, world.dump()) == (before, state)


def test_opening_a_chain_folds_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A start-up that replayed the entries would ask the rules."""
    monkeypatch.setattr("chain.rules.admit", broken)
    head = world.chain.head

    assert world.reopen().head == head


def test_a_chain_goes_on_where_it_was(world: World) -> None:
    size = world.chain.head.size
    world.reopen()

    assert world.commit(world.admin.introduces("admin")) == [size]
    world.close()
    assert audit(world.path).size == size + 1
    world.reopen()


def test_what_is_no_chain_does_not_open(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("not a database, although it is long enough to look like one" * 99)
    for write in (False, True):
        with pytest.raises(sqlite3.OperationalError):
            Chain.open(tmp_path / "nothing", write=write)
        with pytest.raises(sqlite3.DatabaseError):
            Chain.open(tmp_path / "text", write=write)
    assert not (tmp_path / "nothing").exists()


def test_a_reader_sees_what_the_writer_commits(world: World, pair: tuple[Actor, Actor]) -> None:
    alice, bob = pair
    reader = Chain.open(world.path)
    try:
        (index,) = world.commit(alice.writes(bob.id))
        (receipt,) = reader.receipts([index])

        leaf = reader.store.leaf(index)
        assert receipt.verify(leaf, origin=ORIGIN, key=reader.key).size == index + 1
        assert reader.state.received(bob.id, -1, 10)[-1] == index
    finally:
        reader.close()


def test_a_reader_cannot_write(world: World) -> None:
    reader = Chain.open(world.path)
    try:
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reader.append([world.admin.introduces("admin")], writer=world.writer, now=world.now)
    finally:
        reader.close()


# Who may have what


def test_a_reader_that_was_away_gets_everything_in_order(world: World, pair: tuple[Actor, Actor]) -> None:
    alice, bob = pair
    sent = [world.commit(alice.writes(bob.id))[0] for _ in range(5)]
    answered = world.commit(bob.writes(alice.id))[0]
    state = world.chain.state
    start = sent[0] - 1

    assert state.received(bob.id, start, 100) == sent
    assert state.received(bob.id, sent[1], 2) == sent[2:4]
    assert state.readable(bob.id, start, 100) == [*sent, answered]
    assert state.received(alice.id, start, 100) == [answered]
    assert state.received_before(bob.id, sent[2]) == sent[1]
    assert state.received_before(world.stranger("mallory").id, 10**9) == -1


# Erasure


def on_disk(path: Path) -> bytes:
    """Every byte of the chain's files."""
    return b"".join(file.read_bytes() for file in sorted(path.parent.glob(path.name + "*")))


def flush(world: World) -> None:
    world.chain.store.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()


def proofs_hold(chain: Chain) -> bool:
    """Whether every entry under the newest checkpoint has its proof."""
    for receipt in chain.receipts(range(chain.verified(chain.checkpoint()).size)):
        receipt.verify(chain.store.leaf(receipt.index), origin=chain.origin, key=chain.key)
    return True


def test_a_redacted_body_is_gone_from_the_file_and_its_proofs_hold(
    world: World, pair: tuple[Actor, Actor]
) -> None:
    alice, bob = pair
    content = "a secret that was a mistake " * 50
    message = alice.writes(bob.id, content)
    world.commit(message)
    flush(world)
    assert message.body is not None
    assert content[:28].encode() in on_disk(world.path)

    world.commit(alice.redacts(message))
    flush(world)

    left = on_disk(world.path)
    assert content[:28].encode() not in left
    assert message.body.salt not in left
    assert message.signed.leaf in left
    assert proofs_hold(world.chain)


def test_the_body_of_an_older_profile_is_gone_from_the_file(world: World) -> None:
    older = world.admin.introduces("admin", name="Maiden Name")
    (index,) = world.commit(older)
    flush(world)
    assert b"Maiden Name" in on_disk(world.path)

    world.commit(world.admin.introduces("admin", name="Married Name"))
    flush(world)

    left = on_disk(world.path)
    assert b"Maiden Name" not in left
    assert b"Married Name" in left
    assert world.chain.store.body(index) is None
    assert proofs_hold(world.chain)


def test_the_name_that_a_group_had_is_gone_from_the_file(world: World, pair: tuple[Actor, Actor]) -> None:
    group = world.new_group()
    members = [actor.id for actor in pair]
    world.commit(world.admin.groups(group, *members, name="The Former Name"))
    world.commit(world.admin.groups(group, *members, name="The Later Name"))
    flush(world)
    assert b"The Former Name" not in on_disk(world.path)

    world.commit(world.admin.groups(group, name=None))
    flush(world)

    assert b"The Later Name" not in on_disk(world.path)


def test_no_trace_of_any_erased_body_stays_whatever_its_size_and_neighbours(
    world: World, pair: tuple[Actor, Actor]
) -> None:
    """SQLite moves rows when pages empty; a copy that stayed behind would be a body that was not erased."""
    alice, bob = pair
    sizes = [17 * n * n % 9_000 + 40 for n in range(90)]
    marks = [f"<body {n:04}>" for n in range(90)]
    messages = [
        alice.writes(bob.id, mark * (size // len(mark) + 1)) for mark, size in zip(marks, sizes, strict=True)
    ]
    world.commit(*messages)
    flush(world)
    erased = sorted(range(90), key=lambda n: n * 37 % 90)[:80]

    for start in range(0, 80, 8):
        world.commit(*(alice.redacts(messages[n]) for n in erased[start : start + 8]))
        flush(world)

    left = on_disk(world.path)
    assert [n for n in erased if marks[n].encode() in left] == []
    assert all(marks[n].encode() in left for n in set(range(90)) - set(erased))


def test_no_body_may_look_erased_when_it_comes(world: World, pair: tuple[Actor, Actor]) -> None:
    alice, bob = pair
    message = alice.writes(bob.id)

    with pytest.raises(Malformed, match="zeros"):
        Parcel(message.signed.leaf.decode(), salt=b64url(bytes(32)), body="{}").load()


# Failures


@pytest.mark.parametrize(
    "where",
    [
        "state.State.set_seq",
        "state.State.add_readers",
        "state.State.erase",
        "store.Store.write_entry",
        "store.Store.erase",
        "store.Store.write_block",
        "merkle.Tree.root",
    ],
)
def test_an_append_that_breaks_leaves_nothing_and_the_next_one_works(
    world: World, pair: tuple[Actor, Actor], monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    alice, bob = pair
    batch = [alice.writes(bob.id), alice.introduces("alice"), bob.writes(alice.id)]
    before = everything(world)

    with monkeypatch.context() as fault:
        fault.setattr(f"chain.{where}", broken)
        with pytest.raises(Broken):
            world.append(*batch)

    assert everything(world) == before
    works_again(world, batch)


def test_an_append_without_randomness_leaves_nothing_and_the_next_one_works(
    world: World, pair: tuple[Actor, Actor]
) -> None:
    alice, bob = pair
    batch, before = [alice.writes(bob.id), bob.writes(alice.id)], everything(world)
    writer = Writer(world.writer.key, world.writer.sign, broken)

    with pytest.raises(Broken):
        world.chain.append(batch, writer=writer, now=world.now)

    assert everything(world) == before
    works_again(world, batch)


def works_again(world: World, batch: list[Submission]) -> None:
    world.commit(*batch)
    world.close()
    assert audit(world.path).size == world.chain.head.size
    world.reopen()


def everything(world: World) -> tuple[object, ...]:
    return world.dump(), world.chain.head, all_rows(world.chain)


def all_rows(chain: Chain) -> dict[str, int]:
    tables = ("block", "entry", "body", "node", "signature")
    query = "SELECT count(*) FROM {}"
    return {table: chain.store.db.execute(query.format(table)).fetchone()[0] for table in tables}


def test_a_full_disk_leaves_nothing_and_the_next_append_works(
    world: World, pair: tuple[Actor, Actor]
) -> None:
    alice, bob = pair
    head, db = world.chain.head, world.chain.store.db
    ((pages,),) = db.execute("PRAGMA page_count")
    batch = [alice.writes(bob.id, "x" * 50_000) for _ in range(9)]

    db.execute(f"PRAGMA max_page_count = {pages + 5}").fetchone()
    with pytest.raises(sqlite3.OperationalError, match="full"):
        world.append(*batch)

    assert world.chain.head == head
    db.execute("PRAGMA max_page_count = 1000000").fetchone()
    works_again(world, batch)


class FailingDisk(sqlite3.Connection):
    """A disk that fails once, at a commit."""

    failed = False

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        if sql == "COMMIT" and not self.failed:
            self.failed = True
            raise sqlite3.OperationalError("disk I/O error")
        return super().execute(sql, parameters)


def test_a_commit_that_fails_leaves_nothing_and_the_next_append_works(
    world: World, pair: tuple[Actor, Actor]
) -> None:
    alice, bob = pair
    batch, before = [alice.writes(bob.id), bob.writes(alice.id)], everything(world)
    world.close()
    disk = sqlite3.connect(world.path, isolation_level=None, factory=FailingDisk)
    world.chain = Chain(disk, origin=world.origin, key=world.writer.key)

    with pytest.raises(sqlite3.OperationalError, match="disk"):
        world.append(*batch)

    assert everything(world) == before
    works_again(world, batch)


def test_a_block_whose_signature_failed_is_signed_before_the_next(
    world: World, pair: tuple[Actor, Actor]
) -> None:
    alice, bob = pair
    message, writer = alice.writes(bob.id), world.writer
    with pytest.raises(Broken):
        world.chain.append([message], writer=Writer(writer.key, broken, writer.random), now=world.now)
    assert not world.chain.store.has_signature(world.chain.head.height)

    (again, fresh) = world.append(message, bob.writes(alice.id))

    assert isinstance(again, Committed)
    assert isinstance(fresh, Committed)
    assert (again.fresh, fresh.fresh) == (False, True)
    world.close()
    report = audit(world.path)
    assert report.signed == report.height + 1
    world.reopen()


def test_after_a_failed_signature_the_next_block_is_as_durable_as_any(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    db = world.chain.store.db
    height = world.chain.head.height
    with pytest.raises(sqlite3.IntegrityError):
        world.chain.store.write_signature(height, "twice", b"twice")

    ((synchronous,),) = db.execute("PRAGMA synchronous")

    assert synchronous == 2  # FULL


def test_the_file_is_kept_as_durable_as_promised(world: World) -> None:
    db = world.chain.store.db
    settings = ("journal_mode", "synchronous", "secure_delete", "page_size")

    found = [db.execute(f"PRAGMA {name}").fetchone()[0] for name in settings]

    assert found == ["wal", 2, 1, store.PAGE_BYTES]


def test_nothing_is_signed_before_it_is_on_disk(world: World) -> None:
    seen: list[int] = []

    def watch(message: bytes) -> bytes:
        beside = Chain.open(world.path)
        try:
            seen.append(beside.head.size)
        finally:
            beside.close()
        return world.writer.sign(message)

    (outcome,) = world.chain.append(
        [world.admin.introduces("admin")],
        writer=Writer(world.writer.key, watch, world.writer.random),
        now=world.now,
    )

    assert isinstance(outcome, Committed)
    assert seen == [outcome.index + 1] * 2


def test_a_crash_before_the_signature_gives_the_same_signature_at_the_next_start(world: World) -> None:
    db = world.chain.store.db
    query = "SELECT * FROM signature ORDER BY height"
    before = db.execute(query).fetchall()
    db.execute("DELETE FROM signature WHERE height = ?", (world.chain.head.height,))

    world.reopen().sign_head(world.writer)

    assert world.chain.store.db.execute(query).fetchall() == before


def test_signing_the_head_twice_is_harmless(world: World) -> None:
    note = world.chain.checkpoint()

    world.chain.sign_head(world.writer)

    assert world.chain.checkpoint() == note


def test_until_the_tip_is_signed_proofs_are_made_under_the_checkpoint_before(
    world: World, pair: tuple[Actor, Actor]
) -> None:
    alice, bob = pair
    old = world.chain.verified(world.chain.checkpoint())
    writer = Writer(world.writer.key, broken, world.writer.random)
    with pytest.raises(Broken):
        world.chain.append([alice.writes(bob.id)], writer=writer, now=world.now)

    assert world.chain.verified(world.chain.checkpoint()) == old
    assert proofs_hold(world.chain)
    with pytest.raises(Malformed):
        world.chain.receipts([old.size])


def test_a_chain_without_a_signature_has_no_checkpoint_to_show(world: World) -> None:
    world.chain.store.db.execute("DELETE FROM signature")

    with pytest.raises(Malformed, match="signed"):
        world.chain.checkpoint()


# Power cuts


@pytest.mark.parametrize("turn", range(10))
def test_what_was_reported_as_committed_survives_a_power_cut(tmp_path: Path, turn: int) -> None:
    with World(tmp_path) as world:
        alice, bob = world.join("alice"), world.join("bob")
        world.link(alice, bob.id)
    reported = killed_after(tmp_path, seconds=0.001 + 0.013 * turn)

    copied = tmp_path / "copied"
    copied.mkdir()
    for file in tmp_path.glob("chain.db*"):
        if not file.name.endswith("-shm"):
            shutil.copy(file, copied)
    with World(copied, fresh=False) as world:
        world.chain.sign_head(world.writer)
        found = [world.chain.store.find(name) for name in reported]
        proofs = proofs_hold(world.chain)

    report = audit(copied / "chain.db")
    assert None not in found
    assert proofs
    assert report.signed == report.height + 1


def killed_after(folder: Path, *, seconds: float) -> list[str]:
    """Let a process append; kill it that long after its first block; return the ids that it reported."""
    spawn = multiprocessing.get_context("spawn")
    reader, writer = spawn.Pipe(duplex=False)
    child = spawn.Process(target=append_until_killed, args=(folder, writer))
    child.start()
    writer.close()
    reported: list[str] = list(reader.recv())
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        if reader.poll(left):
            reported += reader.recv()
    child.kill()
    child.join()
    try:
        while True:
            reported += reader.recv()
    except (EOFError, OSError):
        reader.close()
    child.close()
    return reported
