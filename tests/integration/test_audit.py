"""The audit of whole chains: what passes, what does not, and which block it names."""

import multiprocessing
import os
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from chain import audit as audits
from chain import block as blocks
from chain import checkpoint, entry
from chain import survey as surveys
from chain.audit import audit
from chain.chain import Chain
from chain.checkpoint import Checkpoint
from chain.contracts import guard
from chain.contracts.guard import NoEngine
from chain.errors import Damaged
from chain.rulebook.context import Admitted
from chain.survey import Ground, Survey
from chain.wire import Submission
from tests.world import ORIGIN, World, ward

INDEX_LEAF = 10
"""The first byte of such a page (SQLite file format, section 1.6)."""

Sql = str | tuple[str, tuple[object, ...]]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A chain in which everything has happened, and bodies were erased."""
    with ward(tmp_path) as world:
        yield world


@pytest.fixture
def path(world: World) -> Path:
    """The file of a chain that nobody has open."""
    world.close()
    return world.path


def damage(path: Path, *statements: Sql) -> Damaged:
    """Do something to the file, and return what the audit says of it."""
    alter(path, *statements)
    with pytest.raises(Damaged) as found:
        audit(path)
    return found.value


def alter(path: Path, *statements: Sql) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for statement in statements:
            sql, values = (statement, ()) if isinstance(statement, str) else statement
            assert db.execute(sql, values).rowcount != 0


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_a_chain_that_nobody_touched_holds(world: World, workers: int) -> None:
    head = world.chain.head
    world.close()

    report = audit(world.path, workers=workers)

    assert (report.origin, report.height, report.size) == (ORIGIN, head.height, head.size)
    assert report.checkpoint == Checkpoint(ORIGIN, head.size, head.root)
    assert report.signed == head.height + 1


def test_an_audit_tells_how_far_it_is(path: Path) -> None:
    told: list[tuple[int, int]] = []

    report = audit(path, progress=lambda done, of: told.append((done, of)))

    assert told == sorted(told)
    assert len(told) == report.height + 1
    assert told[-1] == (report.size, report.size)


def test_an_audit_changes_nothing(path: Path) -> None:
    before = path.read_bytes()

    audit(path)

    assert path.read_bytes() == before


def test_a_chain_can_be_audited_while_it_is_written(world: World) -> None:
    def append(done: int, _of: int) -> None:
        if done < 20:
            world.commit(world.admin.introduces("admin"))

    size = world.chain.head.size

    assert audit(world.path, progress=append).size == size
    assert world.chain.head.size > size
    assert audit(world.path).size == world.chain.head.size


def test_a_tip_that_a_power_cut_left_unsigned_holds_and_is_counted(world: World) -> None:
    height = world.chain.head.height
    world.chain.store.db.execute("DELETE FROM signature WHERE height = ?", (height,))
    world.close()

    report = audit(world.path)

    assert (report.height, report.signed) == (height, height)


# Spans, and the processes that survey them


@pytest.mark.parametrize("workers", [1, 2])
def test_blocks_that_are_larger_than_others_are_surveyed_in_more_pieces(
    path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    monkeypatch.setattr(surveys, "LEAF_BYTES", 1)
    if workers > 1:  # they have the number that is in the module
        monkeypatch.setattr(audits, "survey_file", one_block)

    report = audit(path, workers=workers)

    assert report.signed == report.height + 1


def one_block(path: Path, ground: Ground, first: int, _end: int) -> Survey:
    return surveys.survey_file(path, ground, first, first + 1)


def test_a_body_that_is_erased_while_it_is_audited_was_there_when_that_began(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audits, "ENTRIES", 1)
    alice, bob = world.stranger("alice"), world.stranger("bob")
    alice.stream = entry.new_stream(world.source)
    message = alice.writes(bob.id, "soon gone")
    world.commit(message)
    size = world.chain.head.size

    def erase(done: int, _of: int) -> None:
        if done == 3:  # genesis: the last blocks are not handed to a worker yet
            world.commit(world.admin.redacts(message))

    assert audit(world.path, workers=2, progress=erase).size == size
    assert audit(world.path, workers=2).size == size + 1


def test_ctrl_c_is_for_the_one_that_asked(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audits, "ENTRIES", 2)

    def tell(_done: int, _of: int) -> None:
        for child in multiprocessing.active_children():
            assert child.pid
            os.kill(child.pid, signal.SIGINT)

    report = audit(path, workers=2, progress=tell)

    assert report.signed == report.height + 1


def test_an_audit_that_is_interrupted_leaves_no_process(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audits, "ENTRIES", 2)

    def interrupt(_done: int, _of: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        audit(path, workers=2, progress=interrupt)
    assert multiprocessing.active_children() == []


def test_a_worker_that_is_killed_is_no_damage(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audits, "ENTRIES", 2)

    def kill(_done: int, _of: int) -> None:
        for child in multiprocessing.active_children():
            child.kill()
            child.join()

    with pytest.raises(ChildProcessError, match="ended from outside"):
        audit(path, workers=2, progress=kill)


# The wrong file


def test_no_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        audit(tmp_path / "chain.db")
    with pytest.raises(FileNotFoundError):
        audit(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "data", [b"", b"x", b"not a database at all " * 1000, b"SQLite format 3\0", b"SQLite format 3\0" * 1000]
)
def test_what_is_no_database_is_damaged_at_height_0(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "chain.db"
    path.write_bytes(data)

    with pytest.raises(Damaged) as found:
        audit(path)
    assert found.value.height == 0


def test_a_database_of_something_else_is_damaged_at_height_0(tmp_path: Path) -> None:
    path = tmp_path / "chain.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE recipe (name TEXT)")

    with pytest.raises(Damaged, match="tables are not those of a chain") as found:
        audit(path)
    assert found.value.height == 0


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE hidden (content BLOB)",
        "CREATE TRIGGER helpful AFTER INSERT ON inbox BEGIN DELETE FROM inbox; END",
        "CREATE VIEW friendly AS SELECT * FROM account",
        "CREATE INDEX faster ON entry (leaf)",
        "DROP INDEX contact_other",
        "DROP TABLE talk",
        "ALTER TABLE account ADD COLUMN notes TEXT",
    ],
)
def test_tables_that_are_not_those_of_a_chain_are_found(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute(sql)

    with pytest.raises(Damaged, match="tables") as found:
        audit(path)
    assert found.value.height == 0


def test_a_chain_without_a_block_is_damaged(path: Path) -> None:
    tables = ("block", "entry", "body", "node", "signature")
    found = damage(path, *(f"DELETE FROM {table}" for table in tables))  # noqa: S608 - our own names

    assert (found.height, found.reason) == (0, "there is no genesis block")


def test_a_chain_whose_blocks_are_all_below_the_first_is_damaged(path: Path) -> None:
    found = damage(path, "UPDATE block SET height = -1 - height")

    assert (found.height, found.reason) == (0, "there is no genesis block")


def test_the_file_of_another_chain_says_so_itself(path: Path, tmp_path: Path) -> None:
    """An audit trusts nobody and knows nobody: who expects a certain chain compares the origin and the root."""
    (tmp_path / "other").mkdir()
    with World(tmp_path / "other", seed="ward 8", origin="ward8.example/abc123") as other:
        pass

    report, wanted = audit(other.path), audit(path)

    assert report.origin == "ward8.example/abc123"
    assert report.checkpoint != wanted.checkpoint


@pytest.mark.parametrize("height", [0, 1, 2])
def test_a_block_of_another_chain_is_found(path: Path, tmp_path: Path, height: int) -> None:
    """The same people, the same number of entries, another history."""
    (tmp_path / "other").mkdir()
    with World(tmp_path / "other", seed="ward 8") as other:
        other.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("ATTACH ? AS other", (str(other.path),))
        for table in ("block", "signature"):
            db.execute(f"DELETE FROM {table} WHERE height = ?", (height,))  # noqa: S608 - our own names
            db.execute(f"INSERT INTO {table} SELECT * FROM other.{table} WHERE height = ?", (height,))  # noqa: S608

    with pytest.raises(Damaged) as found:
        audit(path)
    assert found.value.height == height


# The log


def test_a_missing_block_is_named(path: Path) -> None:
    assert damage(path, "DELETE FROM block WHERE height = 7").height == 7


def test_a_missing_genesis_block_is_named(path: Path) -> None:
    assert damage(path, "DELETE FROM block WHERE height = 0").height == 0


def test_a_removed_tip_is_named(world: World) -> None:
    height = world.chain.head.height
    world.close()

    found = damage(world.path, ("DELETE FROM block WHERE height = ?", (height,)))

    assert found.height == height


def test_a_tip_removed_with_its_entries_is_missed_by_the_state(world: World) -> None:
    head = world.chain.head
    first = world.chain.store.block(head.height).header.first
    nodes = 2 * first - first.bit_count()
    world.close()

    found = damage(
        world.path,
        ("DELETE FROM block WHERE height = ?", (head.height,)),
        ("DELETE FROM signature WHERE height = ?", (head.height,)),
        ("DELETE FROM entry WHERE idx >= ?", (first,)),
        ("DELETE FROM body WHERE idx >= ?", (first,)),
        ("DELETE FROM node WHERE position >= ?", (nodes,)),
    )

    assert found.height == head.height - 1
    assert "the state" in found.reason


@pytest.mark.parametrize(
    ("table", "sql"),
    [
        ("entry", "INSERT INTO entry SELECT 1000, randomblob(16), leaf FROM entry WHERE idx = 5"),
        ("node", "INSERT INTO node SELECT 100000, hash FROM node WHERE position = 5"),
        ("block", "INSERT INTO block SELECT -5, header, hash, 1000, root FROM block WHERE height = 5"),
        ("body", "INSERT INTO body VALUES (1000, randomblob(32), x'00')"),
        ("signature", "INSERT INTO signature SELECT 1000, checkpoint, block FROM signature WHERE height = 5"),
    ],
)
def test_a_row_too_many_is_found(path: Path, table: str, sql: str) -> None:
    found = damage(path, sql)

    assert found.reason == f"the number of rows of {table} is not what it should be"


def test_a_missing_signature_is_named(path: Path) -> None:
    assert damage(path, "DELETE FROM signature WHERE height = 7").height == 7


def test_signatures_that_changed_places_are_found_at_the_first(path: Path) -> None:
    found = damage(
        path,
        "UPDATE signature SET height = -1 WHERE height = 7",
        "UPDATE signature SET height = 7 WHERE height = 9",
        "UPDATE signature SET height = 9 WHERE height = -1",
    )

    assert found.height == 7


@pytest.mark.parametrize("column", ["checkpoint", "block"])
def test_a_signature_of_another_key_is_found(world: World, column: str) -> None:
    stranger = world.stranger("mallory").keys
    block = world.chain.store.block(7)
    note = checkpoint.sign(
        Checkpoint(ORIGIN, block.header.size, block.root), key=stranger.public, signer=stranger.sign
    )
    forged = {"checkpoint": note.encode(), "block": stranger.sign(blocks.signed_bytes(block.hash))}
    world.close()

    found = damage(world.path, (f"UPDATE signature SET {column} = ? WHERE height = 7", (forged[column],)))  # noqa: S608 - our own names

    assert found.height == 7


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("stops", [False, True], ids=["to the end", "stopped by other damage"])
def test_of_many_bad_signatures_the_lowest_is_named_wherever_it_was_checked(
    path: Path, monkeypatch: pytest.MonkeyPatch, workers: int, *, stops: bool
) -> None:
    """Workers answer some blocks later, and other damage may be found before they do."""
    monkeypatch.setattr(audits, "ENTRIES", 2)
    for height in (20, 19, 4):
        alter(path, ("UPDATE signature SET block = zeroblob(64) WHERE height = ?", (height,)))
    if stops:
        alter(path, "DELETE FROM block WHERE height = 6")

    with pytest.raises(Damaged) as found:
        audit(path, workers=workers)
    assert (found.value.height, found.value.reason) == (4, "a signature does not hold")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_bad_signature_after_other_damage_is_not_named_first(
    path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    monkeypatch.setattr(audits, "ENTRIES", 2)
    alter(path, "UPDATE signature SET block = zeroblob(64) WHERE height = 12")

    assert damage(path, "UPDATE block SET hash = zeroblob(32) WHERE height = 11").height == 11


def test_a_key_that_the_state_has_lost_hides_no_bad_signature(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys are looked up in the state, which may be anybody's; what it does not have, the entries have."""
    with monkeypatch.context() as corrupt:
        corrupt.setattr("chain.rules.admit", lambda *_args, **_named: Admitted(frozenset()))
        world.commit(world.admin.introduces("admin", sign_with=world.gateway.keys.sign))
    height = world.chain.head.height
    world.commit(world.admin.introduces("admin"))
    world.close()

    found = damage(world.path, ("DELETE FROM keypair WHERE account = ?", (world.admin.id,)))

    assert (found.height, "signature" in found.reason) == (height, True)


def test_a_key_that_the_state_has_lost_is_missed_when_all_else_holds(world: World) -> None:
    height = world.chain.head.height
    world.close()

    found = damage(world.path, ("DELETE FROM keypair WHERE account = ?", (world.admin.id,)))

    assert (found.height, found.reason) == (height, "the state, table keypair is not what it should be")


def test_an_index_that_leads_nowhere_is_found_at_its_entry(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        ((entry_id, page_bytes),) = db.execute(
            "SELECT id, page_size FROM entry, pragma_page_size WHERE idx = 20"
        )
    data = bytearray(path.read_bytes())
    places = [at for at in range(len(data)) if data.startswith(entry_id, at)]
    (place,) = (at for at in places if data[at - at % page_bytes] == INDEX_LEAF)
    data[place + 15] ^= 1
    path.write_bytes(data)

    with pytest.raises(Damaged) as found:
        audit(path)
    assert (found.value.height, found.value.reason) == (
        height_of(path, 20),
        "the id of entry 20 is not what it should be",
    )


# Bodies


def body_of(path: Path, *, erased: bool) -> int:
    """An entry whose body is, or is not, erased."""
    with closing(sqlite3.connect(path)) as db:
        ((index,),) = db.execute("SELECT max(idx) FROM body WHERE (salt = zeroblob(32)) = ?", (erased,))
    return int(index)


def height_of(path: Path, index: int) -> int:
    with closing(sqlite3.connect(path)) as db:
        ((height,),) = db.execute("SELECT min(height) FROM block WHERE size > ?", (index,))
    return int(height)


@pytest.mark.parametrize("erased", [False, True])
def test_a_dropped_body_is_found_where_it_was(path: Path, *, erased: bool) -> None:
    index = body_of(path, erased=erased)

    assert damage(path, ("DELETE FROM body WHERE idx = ?", (index,))).height == height_of(path, index)


def test_a_body_erased_without_an_entry_that_says_so_is_found(path: Path) -> None:
    index = body_of(path, erased=False)
    erase = "UPDATE body SET salt = zeroblob(32), content = zeroblob(length(content)) WHERE idx = ?"

    assert damage(path, (erase, (index,))).height == height_of(path, index)


def test_an_erased_body_that_was_put_back_is_found(world: World) -> None:
    alice, bob = world.stranger("alice"), world.stranger("bob")
    alice.stream = entry.new_stream(world.source)
    message = alice.writes(bob.id, "never said")
    assert message.body is not None
    (index,) = world.commit(message)
    world.commit(world.admin.redacts(message))
    world.close()

    back = (message.body.salt, message.body.content.encode(), index)
    found = damage(world.path, ("UPDATE body SET salt = ?, content = ? WHERE idx = ?", back))

    assert found.height == height_of(world.path, index)


@pytest.mark.parametrize(
    "sql",
    ["content = zeroblob(length(content) + 1)", "content = x''", "content = randomblob(length(content))"],
)
def test_what_lies_in_the_place_of_an_erased_body_is_nothing(path: Path, sql: str) -> None:
    index = body_of(path, erased=True)

    found = damage(path, (f"UPDATE body SET {sql} WHERE idx = ?", (index,)))  # noqa: S608 - our own names

    assert found.height == height_of(path, index)


def test_a_body_beside_an_entry_that_binds_none_is_found(path: Path) -> None:
    found = damage(path, "INSERT INTO body VALUES (0, randomblob(32), x'00')")

    assert (found.height, found.reason) == (0, "entry 0 has a body that it does not bind")


# The state


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE account SET role = 'admin' WHERE role = 'member'",
        "UPDATE account SET live = 1 WHERE live = 0",
        "UPDATE keypair SET ended = NULL WHERE ended IS NOT NULL",
        "UPDATE profile SET handle = 'dr.lee' WHERE handle = 'alice'",
        "UPDATE invite SET used_by = NULL WHERE used_by IS NOT NULL",
        "UPDATE contact SET asked_by = NULL WHERE asked_by IS NOT NULL",
        "DELETE FROM inbox WHERE idx = (SELECT max(idx) FROM inbox)",
        "INSERT INTO inbox SELECT account, 0, 0 FROM inbox LIMIT 1",
        "INSERT INTO member SELECT party, (SELECT id FROM account WHERE role = 'admin') FROM member LIMIT 1",
        "DELETE FROM hole",
        "UPDATE stream SET seq = seq + 1",
        "UPDATE talk SET thread = thread || 'x'",
        "DELETE FROM erased",
        "INSERT INTO erased SELECT max(idx) FROM body WHERE salt <> zeroblob(32)",
        "UPDATE keypair SET sign = CAST(x'ff' AS TEXT)",
    ],
)
def test_a_state_that_the_entries_do_not_amount_to_is_found(path: Path, sql: str) -> None:
    report = audit(path)

    found = damage(path, sql)

    assert found.height == report.height
    assert found.reason.startswith("the state, table ")


# Rules


@pytest.mark.parametrize(
    "slip",
    [
        lambda world: world.stranger("mallory").writes(world.admin.id),
        lambda world: world.admin.introduces("admin", sign_with=world.gateway.keys.sign),
        lambda world: world.admin.writes(world.gateway.id),
    ],
    ids=["a stranger", "a false signature", "no contact"],
)
def test_what_a_gateway_should_have_refused_is_found(
    world: World, monkeypatch: pytest.MonkeyPatch, slip: Callable[[World], Submission]
) -> None:
    """A gateway that signs whatever it likes has the key, and still cannot make it hold."""
    with monkeypatch.context() as corrupt:
        corrupt.setattr("chain.rules.admit", lambda *_args, **_named: Admitted(frozenset()))
        world.commit(slip(world))
    height = world.chain.head.height
    world.close()

    with pytest.raises(Damaged) as found:
        audit(world.path)
    assert found.value.height == height


# Another contract engine


def test_another_engine_does_not_judge_the_contracts_of_a_chain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ward(tmp_path) as world:
        path = world.path
    monkeypatch.setattr(guard, "ENGINE", "cel-expr-python/0.2.0")

    with pytest.raises(NoEngine, match=r"want cel-expr-python/0\.1\.3"):
        audit(path)
    with pytest.raises(NoEngine, match=r"want cel-expr-python/0\.1\.3"):
        Chain.open(path, write=True)
    Chain.open(path).close()  # to read it takes no judging
