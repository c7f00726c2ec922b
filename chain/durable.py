"""Files that a power cut cannot halve, and key files that are made only once."""

import os
from pathlib import Path


def write(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Replace `path` whole: after a crash it holds the old bytes or the new."""
    scratch = path.with_name(f".{path.name}.new")
    scratch.unlink(missing_ok=True)
    create(scratch, data, mode=mode)
    scratch.replace(path)
    # The rename itself is lost in a power cut until the directory is synced.
    sync_directory(path.parent)


def create(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """
    Write a file that must not exist yet; raise `FileExistsError` if it does.

    The mode is set before the first byte, so a secret is never readable by others, not even for a moment.
    """
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(fd, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make the names in `path` survive a power cut."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
