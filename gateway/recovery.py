"""
The way back after the disk of the chain failed: a verified copy, in a file of its own, takes the chain's place.

Nothing is destroyed: the old file and its log stay in a folder beside it. It may be cut short anywhere, and done again:
the mark (`gateway.halt`) keeps the committer away until the end, and what is copied is always what lies in that folder.
"""

import fcntl
import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from chain import audit, durable, store
from chain.audit import Report
from chain.chain import Chain
from chain.errors import ChainError
from gateway import halt, journal
from gateway.backup import Stages, continues
from gateway.errors import BadConfig, Busy, Unrecovered
from gateway.halt import Halt
from gateway.site import Site

PAGES = 1_024
"""Of the chain that are copied between two tellings."""

SHARED_FIRST, SHARED_SIZE = 0x40000002, 510
"""The bytes on which SQLite's readers and writers hold a lock for as long as they have the file open (its os.h)."""

RESTORE = "restore a backup: see docs/operations.md, Restore"


def recover(
    site: Site, *, newest: Sequence[str], stages: Stages, clock: Callable[[], int], workers: int = 1
) -> tuple[Report, Path]:
    """
    Put a verified copy in the chain's place; return what it holds, and where the old file lies.

    `newest` are signed checkpoints that others hold: the chain has to be as long as each, and of the same history.
    Raises `Busy` while the gateway runs, `Unrecovered` or `RolledBack` if the chain cannot be gone on with, and
    `OSError` if the disk does not let itself be written to.
    """
    _check_idle(site.chain_file)
    halted = halt.marked(site.mark)
    if halted is None:
        halted = Halt(clock(), "a recovery was begun")
        halt.set_mark(site.mark, halted)
    kept = site.directory / f"chain.failed-{halted.at}"
    _keep(site.chain_file, kept)
    copy = site.directory / ".chain.db.recovering"
    for left in _files(copy):
        left.unlink(missing_ok=True)
    try:
        report = _copied(kept / site.chain_file.name, copy, newest, stages, workers)
        if report.key != site.key().public:
            raise BadConfig(f"{site.directory}: gateway.key is not the key that the chain is signed with")
    except (ChainError, sqlite3.Error, UnicodeDecodeError) as error:
        if halt.is_full(error):
            raise Unrecovered(
                f"{site.directory}: no room for a second copy of the chain; make some"
            ) from error
        raise Unrecovered(f"{site.chain_file}: {error}; nothing was changed; {RESTORE}") from error
    # From here on the chain's place has a whole file, whatever happens; the old log must not be read into the new one.
    _, old_log, old_index = _files(site.chain_file)
    old_log.unlink(missing_ok=True)
    old_index.unlink(missing_ok=True)
    copy.replace(site.chain_file)
    durable.sync_directory(site.directory)
    site.mark.unlink()
    durable.sync_directory(site.directory)
    return report, kept


def _check_idle(file: Path) -> None:
    """Raise `Busy` if a process has the chain open: it would go on with the old file."""
    if not file.exists():
        return
    with file.open("rb+") as probe:
        try:
            fcntl.lockf(probe, fcntl.LOCK_EX | fcntl.LOCK_NB, SHARED_SIZE, SHARED_FIRST)
        except BlockingIOError as error:
            raise Busy(f"{file}: a process has it open; stop the gateway first") from error


def _keep(file: Path, kept: Path) -> None:
    """Have the old file and its log in the folder `kept`, too: the chain last, so that with it all of it is there."""
    if (kept / file.name).exists():
        return
    kept.mkdir(mode=0o700, exist_ok=True)
    main, log, _ = _files(file)
    for each in (log, main):
        place = kept / each.name
        place.unlink(missing_ok=True)
        if each.exists() or each == main:
            os.link(each, place)
    durable.sync_directory(kept)
    durable.sync_directory(kept.parent)


def _copied(old: Path, copy: Path, newest: Sequence[str], stages: Stages, workers: int) -> Report:
    """Copy the chain into a new file, have it on the disk, and check all of what the disk then has."""
    progress = stages("pages copied")
    with (
        closing(store.connect_reader(old)) as db,
        durable.synced(copy),
        closing(sqlite3.connect(copy, isolation_level=None)) as made,
    ):
        made.execute("PRAGMA synchronous = OFF")
        db.backup(made, pages=PAGES, progress=lambda _, left, total: progress(total - left, total))
    journal.reread(copy)
    with closing(Chain.open(copy)) as chain:
        for note in newest:
            continues(chain, note)
    report = audit.audit(copy, workers=workers, progress=stages("entries checked"))
    for left in _files(copy)[1:]:
        left.unlink(missing_ok=True)
    return report


def _files(file: Path) -> tuple[Path, Path, Path]:
    """A database, its log, and the index beside it."""
    return file, journal.beside(file), file.with_name(f"{file.name}-shm")
