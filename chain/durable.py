"""Files that a power cut cannot halve, and key files that are made only once."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


def write(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Replace `path` whole: after a crash it holds the old bytes or the new."""
    _scratch(path, data, mode).replace(path)
    # The rename itself is lost in a power cut until the directory is synced.
    sync_directory(path.parent)


def create(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """
    Write a file that must not exist yet; raise `FileExistsError` if it does.

    After a crash it is there whole, or not at all.
    """
    scratch = _scratch(path, data, mode)
    try:
        # Unlike a rename, a link never replaces what is there.
        os.link(scratch, path)
    finally:
        scratch.unlink()
    sync_directory(path.parent)


@contextmanager
def creating(path: Path, *, mode: int = 0o600) -> Iterator[BinaryIO]:
    """
    Write a file piece by piece that must not exist yet; raise `FileExistsError` if it does.

    It takes its name when all of it is on disk: until then, and if what is inside raises, there is nothing; a power
    cut in the moment between may leave an empty file. It does without hard links, which a memory stick has not.
    """
    scratch = _scratch_of(path)
    try:
        with synced(scratch, mode=mode) as file:
            yield file
        # The name is taken first, so that the rename never replaces what is there.
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode))
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)
    sync_directory(path.parent)


@contextmanager
def synced(path: Path, *, mode: int = 0o600) -> Iterator[BinaryIO]:
    """
    Write a new file whose bytes are on disk at the end; raise `FileExistsError` if it is there. Its name is not synced.

    The mode is set before the first byte, so a secret is never readable by others, not even for a moment. What root
    writes into the directory of somebody else is that user's, as SQLite has it with its files: a service that is no
    root could not read it otherwise.
    """
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(fd, "wb") as file:
        give_away(fd, path.parent)
        yield file
        file.flush()
        os.fsync(file.fileno())


def give_away(fd: int, directory: Path) -> None:
    """Let a file that root opened be the one's whose directory it is in; for anybody else it is theirs already."""
    if os.geteuid() != 0:
        return
    owner = directory.stat()
    # Not every file system knows of owners.
    with suppress(PermissionError):
        os.fchown(fd, owner.st_uid, owner.st_gid)


def _scratch(path: Path, data: bytes, mode: int) -> Path:
    """The bytes, on disk under a name of their own beside `path`."""
    scratch = _scratch_of(path)
    with synced(scratch, mode=mode) as file:
        file.write(data)
    return scratch


def _scratch_of(path: Path) -> Path:
    """A free name beside `path`: what a crash left there is gone."""
    scratch = path.with_name(f".{path.name}.new")
    scratch.unlink(missing_ok=True)
    return scratch


def make_directory(path: Path, *, mode: int = 0o700) -> None:
    """Make it, and what is missing above it, if it is not there: what will be synced in it does not get lost with it."""
    if path.is_dir():
        return
    if not path.parent.is_dir():
        make_directory(path.parent, mode=0o777)
    path.mkdir(mode, exist_ok=True)
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make the names in `path` survive a power cut."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
