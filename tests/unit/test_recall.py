"""What a block remembers of its questions, and what it writes together: never another answer than the tables give."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from chain.recall import KEPT, Recall
from chain.waiting import Waiting


class Table:
    """One table of one connection, with both."""

    def __init__(self, path: Path) -> None:
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.execute("CREATE TABLE IF NOT EXISTS row (key TEXT PRIMARY KEY, value INTEGER)")
        self.recall, self.waiting = Recall(self.db), Waiting(self.db)
        self.asked: list[str] = []

    def get(self, key: str) -> int | None:
        return self.recall.of("value", self._get, key)

    def _get(self, key: str) -> int | None:
        self.asked.append(key)
        self.waiting.write()
        row = self.db.execute("SELECT value FROM row WHERE key = ?", (key,)).fetchone()
        return None if row is None else int(row[0])

    def put(self, key: str, value: int) -> None:
        self.waiting.put("INSERT OR REPLACE INTO row VALUES (?, ?)", 1, key, value)
        self.recall.put(("value", key), value)

    @contextmanager
    def block(self) -> Iterator[None]:
        self.db.execute("BEGIN IMMEDIATE")
        try:
            with self.recall.in_use(), self.waiting.together():
                yield
            self.db.execute("COMMIT")
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.recall.keep()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rows.db"


@pytest.fixture
def table(path: Path) -> Iterator[Table]:
    table = Table(path)
    with closing(table.db):
        yield table


def test_a_question_is_asked_once_for_many_blocks(table: Table) -> None:
    for _ in range(3):
        with table.block():
            assert (table.get("a"), table.get("a")) == (None, None)

    assert table.asked == ["a"]


def test_outside_of_blocks_the_tables_are_asked(table: Table) -> None:
    with table.block():
        table.get("a")

    table.get("a")

    assert table.asked == ["a", "a"]


def test_a_block_knows_what_it_has_not_written_yet(table: Table) -> None:
    with table.block():
        assert table.get("a") is None
        table.put("a", 1)
        table.put("a", 2)
        assert table.get("a") == 2
        table.recall.forget()
        assert table.get("a") == 2

    assert table.db.execute("SELECT * FROM row").fetchall() == [("a", 2)]


def test_what_a_block_that_failed_wrote_and_knew_is_forgotten(table: Table) -> None:
    with table.block():
        table.put("a", 1)

    def fails() -> None:
        with table.block():
            table.put("a", 2)
            table.put("b", 3)
            raise OSError("the disk failed")

    with pytest.raises(OSError, match="failed"):
        fails()

    with table.block():
        assert (table.get("a"), table.get("b")) == (1, None)


def test_a_commit_that_fails_is_not_remembered(table: Table) -> None:
    with table.block():
        table.put("a", 1)
    table.db.execute("BEGIN")
    with table.recall.in_use(), table.waiting.together():
        table.put("a", 2)
    table.db.execute("ROLLBACK")

    with table.block():
        assert table.get("a") == 1


@pytest.mark.parametrize("is_own", [True, False], ids=["this connection", "another"])
def test_what_is_written_beside_the_blocks_is_seen(path: Path, table: Table, *, is_own: bool) -> None:
    with table.block():
        table.put("a", 1)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        (table.db if is_own else other).execute("UPDATE row SET value = 7")

    with table.block():
        assert table.get("a") == 7


def test_memory_is_bounded(table: Table) -> None:
    with table.block():
        for number in range(KEPT + 2):
            table.recall.put(number, number)

        assert len(table.recall._known) <= KEPT


def test_rows_of_one_kind_are_written_in_their_order(table: Table) -> None:
    with table.block():
        for number in range(3):
            table.waiting.add("INSERT INTO row VALUES (?, ?)", f"k{number}", number)
        assert table.db.execute("SELECT count(*) FROM row").fetchall() == [(0,)]

    assert table.db.execute("SELECT value FROM row ORDER BY rowid").fetchall() == [(0,), (1,), (2,)]
