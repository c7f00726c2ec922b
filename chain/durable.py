"""Files that a power cut cannot halve, and key files that are made only once."""

import os
from pathlib import Path


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


def _scratch(path: Path, data: bytes, mode: int) -> Path:
    """
    The bytes, on disk under a name of their own beside `path`.

    The mode is set before the first byte, so a secret is never readable by others, not even for a moment.
    """
    scratch = path.with_name(f".{path.name}.new")
    scratch.unlink(missing_ok=True)
    fd = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(fd, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return scratch


def sync_directory(path: Path) -> None:
    """Make the names in `path` survive a power cut."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
