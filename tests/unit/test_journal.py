"""SQLite's log is moved into the chain's file in time, and what fails then is seen."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from chain import store
from gateway import journal
from gateway.journal import Journal

MEGABYTE = 1_048_576


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "chain.db"


@pytest.fixture
def db(file: Path) -> Iterator[sqlite3.Connection]:
    with closing(store.connect_writer(file, create=True)) as db:
        db.execute("CREATE TABLE thing (body BLOB)")
        yield db


def fill(db: sqlite3.Connection, megabytes: int) -> None:
    for _ in range(megabytes):
        db.execute("INSERT INTO thing VALUES (randomblob(?))", (MEGABYTE,))


def test_a_long_log_is_moved_and_begins_anew(db: sqlite3.Connection, file: Path) -> None:
    kept = Journal(db, file)
    fill(db, 9)
    assert file.stat().st_size < MEGABYTE

    kept.tend()
    assert file.stat().st_size > 9 * MEGABYTE
    fill(db, 1)

    assert journal.beside(file).stat().st_size < 2 * MEGABYTE


def test_a_short_log_is_left_alone(db: sqlite3.Connection, file: Path) -> None:
    kept = Journal(db, file)
    fill(db, 2)

    kept.tend()

    assert file.stat().st_size < MEGABYTE


def test_nothing_is_lost_by_reading_the_log_anew(db: sqlite3.Connection, file: Path) -> None:
    Journal(db, file)
    fill(db, 1)

    journal.reread(journal.beside(file))

    assert db.execute("SELECT count(*) FROM thing").fetchone() == (1,)


def test_a_log_that_is_not_there_is_well(file: Path) -> None:
    journal.reread(journal.beside(file))
