"""
SQLite's log beside the chain, moved into its file where a failure is seen.

By itself SQLite does that in the middle of a commit, and keeps to itself that an fsync failed. Here it is done after
the answers, and what fails is raised.
"""

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from gateway.halt import is_full

LONG_BYTES = 8_388_608
"""At which it is moved: a thousand pages, as SQLite does."""


class Journal:
    """Of the chain in `file`, which `db` has open for writing."""

    def __init__(self, db: sqlite3.Connection, file: Path) -> None:
        self._db = db
        self._file = beside(file)
        db.execute("PRAGMA wal_autocheckpoint = 0")
        # Begun anew, it is cut to what is in it: its size says how much there is to move.
        db.execute("PRAGMA journal_size_limit = 0")

    def tend(self) -> None:
        """Move it if it is long. Raises `sqlite3.Error` if the disk fails; where there is no room it waits longer."""
        try:
            if self._file.stat().st_size >= LONG_BYTES:
                self.move()
        except FileNotFoundError:
            pass
        except sqlite3.Error as error:
            if not is_full(error):
                raise

    def move(self) -> None:
        """Move what nobody reads any more. Raises `sqlite3.Error`."""
        self._db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()


def beside(file: Path) -> Path:
    """Where the log of a database is."""
    return file.with_name(f"{file.name}-wal")


def reread(path: Path) -> None:
    """
    Have the kernel forget what it remembers of a file: what is read next is what the disk has.

    That is what a restart has against pages that never came there. Raises `OSError` if the disk says that it has
    failed; a file that is not there is well.
    """
    with suppress(FileNotFoundError):
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            os.fsync(fd)
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(fd)
