"""
One flipped bit anywhere in the stored chain, and the audit fails and names the height.

So does every entry that is removed, swapped or moved, even by somebody who recomputes every hash and lacks
only the gateway's key.
"""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Self

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from chain import block as blocks
from chain import checkpoint, entry, merkle, state
from chain.audit import audit
from chain.block import Block, read_header
from chain.checkpoint import Checkpoint
from chain.encoding import b64url, canonical, digest
from chain.errors import Damaged
from tests.world import ORIGIN, Keys, Source, ward

LOG = ("block", "entry", "body", "node", "signature")
TABLES = (*LOG, *state.TABLES)

bounded = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

Row = tuple[Any, ...]


class Original:
    """A chain in which everything has happened, and copies of it to damage."""

    def __init__(self, folder: Path) -> None:
        (folder / "original").mkdir()
        with ward(folder / "original") as world:
            self.head = world.chain.head
            self.heights = {index: world.chain.store.height_of(index) for index in range(self.head.size)}
        self.path = world.path
        self.data = world.path.read_bytes()
        self.rows = read_all(world.path)
        self._copy = folder / "copy.db"

    def copy(self, data: bytes | None = None) -> Path:
        for suffix in ("-wal", "-shm"):
            self._copy.with_name(self._copy.name + suffix).unlink(missing_ok=True)
        if data is None:
            shutil.copyfile(self.path, self._copy)
        else:
            self._copy.write_bytes(data)
        return self._copy

    def height_of(self, table: str, key: int) -> int:
        """The block that brought a row of the log."""
        if table in ("entry", "body"):
            return self.heights[key]
        if table == "node":
            return next(h for i, h in self.heights.items() if merkle.node_count(i + 1) > key)
        return key


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Original:
    return Original(tmp_path_factory.mktemp("audit"))


def connect(path: Path) -> sqlite3.Connection:
    """For damage that need not be durable."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA synchronous = OFF")
    return db


def read_all(path: Path) -> dict[str, list[Row]]:
    """Every row of every table; text as the bytes that are stored."""
    with closing(connect(path)) as db:
        db.text_factory = bytes
        query = "SELECT * FROM {}"
        return {table: db.execute(query.format(table)).fetchall() for table in TABLES}


def damage(path: Path) -> Damaged | None:
    try:
        audit(path)
    except Damaged as found:
        return found
    return None


def test_the_original_holds_and_no_table_of_it_is_empty(original: Original) -> None:
    assert audit(original.copy()).size == original.head.size
    assert [table for table, rows in original.rows.items() if not rows] == []


# Values


def columns(db: sqlite3.Connection, table: str) -> list[tuple[str, bool]]:
    """Names, and which of them are the key."""
    return [(name, pk > 0) for _, name, _, _, _, pk in db.execute(f"PRAGMA table_info({table})")]


def place(db: sqlite3.Connection, table: str, row: Row) -> tuple[str, list[Any]]:
    """The condition that finds the row by its key, and its values."""
    keys = [
        (f"CAST({name} AS BLOB) = CAST(? AS BLOB)", part)
        for (name, key), part in zip(columns(db, table), row, strict=True)
        if key
    ]
    return " AND ".join(condition for condition, _ in keys), [part for _, part in keys]


def flipped(value: bytes | int, bit: int) -> bytes | int:
    if isinstance(value, int):
        return int.from_bytes((value & (2**64 - 1) ^ 1 << bit % 64).to_bytes(8, "big"), "big", signed=True)
    changed = bytearray(value)
    changed[bit // 8 % len(changed)] ^= 1 << bit % 8
    return bytes(changed)


@st.composite
def places(draw: st.DrawFn, rows: dict[str, list[Row]], tables: tuple[str, ...]) -> tuple[str, Row, int]:
    """A row, and the column of a value in it that has bits."""
    table = draw(st.sampled_from(tables))
    row = draw(st.sampled_from(rows[table]))
    return table, row, draw(st.sampled_from([n for n, value in enumerate(row) if value not in (None, b"")]))


def change(path: Path, table: str, row: Row, column: int, value: bytes | int) -> None:
    """Write one value, as the type that its column has."""
    with closing(connect(path)) as db:
        name, _ = columns(db, table)[column]
        where, keys = place(db, table, row)
        ((kind,),) = db.execute(f"SELECT typeof({name}) FROM {table} WHERE {where}", keys)  # noqa: S608 - our own names
        new = "CAST(? AS TEXT)" if kind == "text" else "?"
        try:
            db.execute(f"UPDATE {table} SET {name} = {new} WHERE {where}", (value, *keys))  # noqa: S608 - our own names
        except sqlite3.IntegrityError:
            assume(False)  # the other row with that key is in the way
        assert db.execute("SELECT changes()").fetchone() == (1,)


@settings(bounded, max_examples=120)
@given(data=st.data(), bit=st.integers(0, 2**20))
def test_one_flipped_bit_of_any_value_of_the_log_is_found_at_its_height(
    original: Original, data: st.DataObject, bit: int
) -> None:
    table, row, column = data.draw(places(original.rows, LOG))
    path = original.copy()
    value = flipped(row[column], bit)
    change(path, table, row, column, value)

    found = damage(path)

    assert found is not None
    heights = {original.height_of(table, row[0])}
    if table == "body" and column == 0 and isinstance(value, int) and value in original.heights:
        heights.add(original.heights[value])  # it lies beside another entry now, and either may be named
    assert found.height in heights


@settings(bounded, max_examples=25)
@given(data=st.data(), bit=st.integers(0, 2**20))
def test_one_flipped_bit_of_any_value_of_the_state_is_found(
    original: Original, data: st.DataObject, bit: int
) -> None:
    table, row, column = data.draw(places(original.rows, state.TABLES))
    path = original.copy()
    change(path, table, row, column, flipped(row[column], bit))

    found = damage(path)

    assert found is not None
    assert found.height == original.head.height


@settings(bounded, max_examples=50)
@given(data=st.data())
def test_any_row_that_was_removed_is_missed(original: Original, data: st.DataObject) -> None:
    table, row, _ = data.draw(places(original.rows, TABLES))
    tip = table == "signature" and row[0] == original.head.height
    assume(not tip)  # a tip without its signature is what a power cut leaves
    path = original.copy()
    with closing(connect(path)) as db:
        where, keys = place(db, table, row)
        assert db.execute(f"DELETE FROM {table} WHERE {where}", keys).rowcount == 1  # noqa: S608 - our own names

    found = damage(path)

    assert found is not None
    assert found.height == (original.height_of(table, row[0]) if table in LOG else original.head.height)


# The file


def bits_of_the_file(size: int) -> st.SearchStrategy[int]:
    """Any bit; or one of the first page's header; or one of where the pages say what they hold."""
    pages = st.integers(0, size // 8192 - 1)
    return (
        st.integers(0, size * 8 - 1)
        | st.integers(0, 100 * 8 - 1)
        | st.builds(lambda page, bit: page * 8192 * 8 + bit, pages, st.integers(0, 200 * 8))
    )


@settings(bounded, max_examples=120)
@given(data=st.data())
def test_one_flipped_bit_of_the_file_is_found_or_changes_nothing(
    original: Original, data: st.DataObject
) -> None:
    bit = data.draw(bits_of_the_file(len(original.data)))
    damaged = bytearray(original.data)
    damaged[bit // 8] ^= 1 << bit % 8
    path = original.copy(bytes(damaged))

    found = damage(path)

    if found is None:
        assert read_all(path) == original.rows
    else:
        assert 0 <= found.height <= original.head.height


@settings(bounded, max_examples=15)
@given(data=st.data())
def test_a_file_that_was_cut_short_is_found(original: Original, data: st.DataObject) -> None:
    length = data.draw(st.integers(0, len(original.data) - 1))

    assert damage(original.copy(original.data[:length])) is not None


# Entries that were moved


class Attacker:
    """Has the file and no key."""

    def __init__(self, path: Path) -> None:
        self._db = connect(path)
        self._db.execute("BEGIN")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.execute("COMMIT")
        self._db.close()

    def entries(self) -> list[Row]:
        return self._db.execute("SELECT * FROM entry ORDER BY idx").fetchall()

    def write_entries(self, rows: list[Row]) -> None:
        """Entries, with their ids and bodies, in a new order."""
        bodies = {row[0]: row[1:] for row in self._db.execute("SELECT * FROM body")}
        self._db.execute("DELETE FROM entry")
        self._db.execute("DELETE FROM body")
        for index, row in enumerate(rows):
            self._db.execute("INSERT INTO entry VALUES (?, ?, ?)", (index, *row[1:]))
            if row[0] in bodies:
                self._db.execute("INSERT INTO body VALUES (?, ?, ?)", (index, *bodies[row[0]]))

    def rewrite(self, row: Row, at: int) -> Row:
        """Another text under the same id and signature."""
        header, _, signature = row[2].split(b".")
        payload = b64url(canonical(replace(entry.parse(row[2]).entry, at=at)))
        return (row[0], row[1], b".".join([header, payload.encode(), signature]))

    def recompute(self, *, without: int | None = None) -> None:
        """Make nodes, roots, headers, hashes and links fit the entries."""
        leaves = [row[2] for row in self.entries()]
        headers = [
            read_header(row[0]) for row in self._db.execute("SELECT header FROM block ORDER BY height")
        ]
        self._db.execute("DELETE FROM block")
        self._db.execute("DELETE FROM node")
        nodes: list[bytes] = []
        tree = merkle.Tree(0, nodes.__getitem__)
        previous, height = bytes(32), 0
        for header in headers:
            gone = without is not None and header.first <= without < header.first + header.count
            count, first = header.count - gone, tree.size
            if not count:
                continue
            for leaf in leaves[first : first + count]:
                nodes += tree.append(merkle.leaf_hash(leaf))
            made = replace(
                header,
                id=height,
                first=first,
                count=count,
                size=tree.size,
                root=b64url(tree.root()),
                previous_hash=b64url(previous),
            )
            previous, height = self._write_block(Block(made, ())), height + 1
        self._db.execute("DELETE FROM signature WHERE height >= ?", (height,))
        self._db.executemany("INSERT INTO node VALUES (?, ?)", enumerate(nodes))

    def _write_block(self, block: Block) -> bytes:
        self._db.execute(
            "INSERT INTO block VALUES (?, ?, ?, ?, ?)",
            (block.id, block.header_bytes, block.hash, block.header.size, block.root),
        )
        return block.hash

    def sign_with(self, keys: Keys) -> None:
        """Sign every block with a key that is not the gateway's."""
        rows = self._db.execute("SELECT height, hash, size, root FROM block").fetchall()
        for height, block_hash, size, root in rows:
            note = checkpoint.sign(Checkpoint(ORIGIN, size, root), key=keys.public, signer=keys.sign)
            self._db.execute(
                "UPDATE signature SET checkpoint = ?, block = ? WHERE height = ?",
                (note.encode(), keys.sign(blocks.signed_bytes(block_hash)), height),
            )


Move = Callable[[list[Row], int, int], list[Row]]


def swap(rows: list[Row], one: int, other: int) -> list[Row]:
    rows[one], rows[other] = rows[other], rows[one]
    return rows


def move(rows: list[Row], one: int, other: int) -> list[Row]:
    rows.insert(other, rows.pop(one))
    return rows


def turn(rows: list[Row], one: int, other: int) -> list[Row]:
    start, end = sorted((one, other))
    return rows[:start] + rows[start : end + 1][::-1] + rows[end + 1 :]


@settings(bounded, max_examples=50)
@given(
    data=st.data(), how=st.sampled_from([swap, move, turn]), recomputed=st.booleans(), signed=st.booleans()
)
def test_entries_in_another_order_are_found_where_it_begins(
    original: Original, data: st.DataObject, how: Move, *, recomputed: bool, signed: bool
) -> None:
    indices = st.integers(0, original.head.size - 1)
    one, other = data.draw(st.tuples(indices, indices).filter(lambda pair: pair[0] != pair[1]))
    path = original.copy()
    with Attacker(path) as attacker:
        attacker.write_entries(how(attacker.entries(), one, other))
        if recomputed:
            attacker.recompute()
        if signed:
            attacker.sign_with(Keys(Source("mallory")))

    found = damage(path)

    assert found is not None
    assert found.height == (0 if signed else original.heights[min(one, other)])


@settings(bounded, max_examples=50)
@given(data=st.data())
def test_two_texts_that_changed_places_are_found_at_the_first(
    original: Original, data: st.DataObject
) -> None:
    indices = st.integers(0, original.head.size - 1)
    one, other = data.draw(st.tuples(indices, indices).filter(lambda pair: pair[0] != pair[1]))
    path = original.copy()
    with closing(connect(path)) as db:
        leaves = dict(db.execute("SELECT idx, leaf FROM entry"))
        for index, leaf in ((one, leaves[other]), (other, leaves[one])):
            db.execute("UPDATE entry SET leaf = ? WHERE idx = ?", (leaf, index))

    found = damage(path)

    assert found is not None
    assert found.height == original.heights[min(one, other)]


@settings(bounded, max_examples=25)
@given(data=st.data(), recomputed=st.booleans())
def test_an_entry_that_was_taken_out_is_found_where_it_was(
    original: Original, data: st.DataObject, *, recomputed: bool
) -> None:
    index = data.draw(st.integers(0, original.head.size - 1))
    path = original.copy()
    with Attacker(path) as attacker:
        rows = attacker.entries()
        attacker.write_entries(rows[:index] + rows[index + 1 :])
        if recomputed:
            attacker.recompute(without=index)

    found = damage(path)

    assert found is not None
    assert found.height == original.heights[index]


@settings(bounded, max_examples=25)
@given(data=st.data(), recomputed=st.booleans())
def test_an_entry_that_says_something_else_is_found(
    original: Original, data: st.DataObject, *, recomputed: bool
) -> None:
    index = data.draw(st.integers(0, original.head.size - 1))
    path = original.copy()
    with Attacker(path) as attacker:
        rows = attacker.entries()
        rows[index] = attacker.rewrite(rows[index], at=1)
        attacker.write_entries(rows)
        if recomputed:
            attacker.recompute()

    found = damage(path)

    assert found is not None
    assert found.height == original.heights[index]


@settings(bounded, max_examples=25)
@given(height=st.integers(0, 32), change=st.sampled_from(["timestamp", "nonce", "contracts", "engine"]))
def test_a_header_that_says_something_else_is_found(original: Original, height: int, change: str) -> None:
    changes: dict[str, Any] = {
        "timestamp": original.head.timestamp,
        "nonce": b64url(digest(b"another")[:16]),
        "contracts": [blocks.ContractRun(id="quiet", hash=b64url(bytes(32)), effects=[])],
        "engine": "another",
    }
    path = original.copy()
    with closing(connect(path)) as db:
        ((header,),) = db.execute("SELECT header FROM block WHERE height = ?", (height,))
        made = replace(read_header(header), **{change: changes[change]})
        assume(canonical(made) != header)
        db.execute("UPDATE block SET header = ? WHERE height = ?", (canonical(made), height))
    with Attacker(path) as attacker:
        attacker.recompute()

    found = damage(path)

    assert found is not None
    assert found.height == height
