"""
A halt: nothing is committed any more, because the disk of the chain failed or is full.

Over a full disk the committer waits, and goes on. Over any other failure it ends for good with this file: once an
fsync has failed, Linux may count pages as written that are not, and the next fsync says that all is well (fsync(2);
"fsyncgate", 2018). So what is read from this file may be gone after the next power cut, and nothing more must be
promised on its word. A mark beside the chain keeps it so over a restart; `gateway.recovery` is the way back.
"""

import errno
import logging
import os
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from chain.chain import Chain
from chain.encoding import canonical, read
from chain.errors import ChainError, Damaged, Malformed
from gateway.errors import Halted

log = logging.getLogger(__name__)

PRIMARY = 0xFF
"""What of an extended result code of SQLite is the kind of error (sqlite.org/rescode.html)."""

FAILURES = frozenset({sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN})
DAMAGES = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})

FULL = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE})
"""The index beside the log could not grow: it is memory of SQLite's in a file, and its loss costs nothing."""

FULL_REASON = "the disk of the chain is full: nothing is committed until there is room"

WAY_BACK = "nothing is committed until somebody restores it: see docs/operations.md, The disk failed"

HELP = "blockpost chain verify says where; see docs/operations.md, The disk failed"

MAX_REASON = 400
LOST_MARK = "its mark cannot be read"


class Halt(Struct, frozen=True, forbid_unknown_fields=True):
    """What the mark holds: `at` is in ms since 1970."""

    at: int
    reason: str


_halts = msgspec.json.Decoder(Halt)


def is_full(error: Exception) -> bool:
    """Whether there was no room: nothing was written then, and the same may be tried again."""
    return _code(error) in FULL


def failure(error: Exception, file: Path) -> str | None:
    """Why nothing may be written to `file` any more, in words; None if `error` is of another kind."""
    # Python cannot even read what SQLite says of some damaged tables.
    if isinstance(error, Damaged | UnicodeDecodeError) or _code(error) & PRIMARY in DAMAGES:
        return f"{file.name} is damaged: {error}; blockpost chain verify says where"[:MAX_REASON]
    if _code(error) & PRIMARY in FAILURES and not is_full(error):
        return f"the disk of {file.name} failed: {error} ({getattr(error, 'sqlite_errorname', '')})"[
            :MAX_REASON
        ]
    if isinstance(error, OSError) and error.errno == errno.EIO:
        return f"the disk of {file.name} failed: {error}"[:MAX_REASON]
    return None


def _code(error: Exception) -> int:
    return getattr(error, "sqlite_errorcode", 0)


def opened(file: Path) -> Chain:
    """The chain, for reading, for whoever can do nothing without it. Raises `Halted` that says what to do."""
    try:
        return Chain.open(file)
    except (sqlite3.Error, ChainError, UnicodeDecodeError) as error:
        reason = FULL_REASON if is_full(error) else f"{error}; {HELP}"
        raise Halted(f"{file}: cannot be read: {reason}") from error


def begin(mark: Path, reason: str, clock: Callable[[], int]) -> Halt:
    """Halt, and leave the mark, as far as the disk still lets us. `clock` gives ms since 1970."""
    halt = Halt(clock(), reason)
    try:
        set_mark(mark, halt)
    except OSError as error:
        log.critical("halted reason=%s; the mark cannot be left: %s; %s", reason, error, WAY_BACK)
    else:
        log.critical("halted reason=%s; %s", reason, WAY_BACK)
    return halt


def set_mark(mark: Path, halt: Halt) -> None:
    """
    Raise `OSError` if it cannot be made; one that is there stays.

    That its bytes are on the disk is not asked for: a disk that fails may say no to that, too. The kernel remembers
    the mark for as long as it remembers the pages that it stands for, until the machine starts anew.
    """
    with suppress(FileExistsError):
        fd = os.open(mark, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "wb", buffering=0) as file, suppress(OSError):
            file.write(canonical(halt))
            os.fsync(file.fileno())


def marked(mark: Path) -> Halt | None:
    """The halt that was marked. A mark that cannot be read is one all the same."""
    try:
        return read(_halts, mark.read_bytes(), what="mark")
    except FileNotFoundError:
        return None
    except (OSError, Malformed) as error:
        # The time tells it from others; a name that is there has one.
        return Halt(mark.stat().st_mtime_ns // 1_000_000, f"{LOST_MARK}: {error}"[:MAX_REASON])
