"""What ends all commits, what only halts them, and the mark that is left."""

import errno
import logging
import os
import sqlite3
from pathlib import Path

import pytest

from chain.errors import Damaged, Refused
from gateway import halt
from gateway.errors import Halted
from gateway.halt import Halt

CHAIN = Path("chain.db")


def sqlite_error(code: int, name: str) -> sqlite3.Error:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode, error.sqlite_errorname = code, name
    return error


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (sqlite3.SQLITE_IOERR_FSYNC, "SQLITE_IOERR_FSYNC"),
        (sqlite3.SQLITE_IOERR_DIR_FSYNC, "SQLITE_IOERR_DIR_FSYNC"),
        (sqlite3.SQLITE_IOERR_WRITE, "SQLITE_IOERR_WRITE"),
        (sqlite3.SQLITE_IOERR_READ, "SQLITE_IOERR_READ"),
        (sqlite3.SQLITE_READONLY, "SQLITE_READONLY"),
        (sqlite3.SQLITE_READONLY_DBMOVED, "SQLITE_READONLY_DBMOVED"),
        (sqlite3.SQLITE_CANTOPEN, "SQLITE_CANTOPEN"),
    ],
)
def test_a_disk_that_fails_ends_commits(code: int, name: str) -> None:
    error = sqlite_error(code, name)

    assert not halt.is_full(error)
    assert halt.failure(error, CHAIN) == f"the disk of chain.db failed: disk I/O error ({name})"


@pytest.mark.parametrize("code", [sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE])
def test_a_full_disk_ends_nothing(code: int) -> None:
    error = sqlite_error(code, "")

    assert halt.is_full(error)
    assert halt.failure(error, CHAIN) is None


@pytest.mark.parametrize(
    "error",
    [
        sqlite_error(sqlite3.SQLITE_CORRUPT, ""),
        sqlite_error(sqlite3.SQLITE_CORRUPT_INDEX, ""),
        sqlite_error(sqlite3.SQLITE_NOTADB, ""),
        Damaged(7, "tree node 3 is missing"),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
    ],
)
def test_a_damaged_chain_ends_commits_and_names_what_says_more(error: Exception) -> None:
    reason = halt.failure(error, CHAIN)

    assert reason is not None
    assert reason.startswith("chain.db is damaged: ")
    assert "blockpost chain verify" in reason


@pytest.mark.parametrize(
    "error",
    [
        sqlite_error(sqlite3.SQLITE_BUSY, ""),
        sqlite3.ProgrammingError("Cannot operate on a closed database."),
        Refused("gap", "not yet"),
        OSError(errno.EACCES, "Permission denied"),
    ],
)
def test_whatever_else_goes_wrong_is_no_fault_of_the_disk(error: Exception) -> None:
    assert halt.failure(error, CHAIN) is None


def test_the_mark_is_its_owners_alone_and_keeps_the_first_reason(tmp_path: Path) -> None:
    mark = tmp_path / "chain.halted"

    first = halt.begin(mark, "the first", lambda: 7)
    halt.begin(mark, "the second", lambda: 8)

    assert halt.marked(mark) == first == Halt(7, "the first")
    assert mark.stat().st_mode & 0o777 == 0o600


def test_where_there_is_no_mark_nothing_is_halted(tmp_path: Path) -> None:
    assert halt.marked(tmp_path / "chain.halted") is None


@pytest.mark.parametrize("left", [b"", b"{", b'{"at":1}'])
def test_a_mark_that_cannot_be_read_is_one(tmp_path: Path, left: bytes) -> None:
    mark = tmp_path / "chain.halted"
    mark.write_bytes(left)
    os.utime(mark, ns=(0, 5_000_000_000))

    halted = halt.marked(mark)

    assert halted is not None
    assert halted.at == 5000
    assert halted.reason.startswith("its mark cannot be read: ")


def test_that_no_mark_could_be_left_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    halted = halt.begin(tmp_path / "gone" / "chain.halted", "the disk failed", lambda: 7)

    assert halted.reason == "the disk failed"
    ((_, level, said),) = caplog.record_tuples
    assert level == logging.CRITICAL
    assert "the mark cannot be left" in said
    assert "docs/operations.md" in said


@pytest.mark.parametrize("holds", [b"", b"\xff" * 8192, None])
def test_who_cannot_read_the_chain_says_which_file_it_is(tmp_path: Path, holds: bytes | None) -> None:
    file = tmp_path / "chain.db"
    if holds is not None:
        file.write_bytes(holds)

    with pytest.raises(Halted, match=r"chain\.db: cannot be read: .*docs/operations\.md"):
        halt.opened(file)
