"""Locks that end with the process that holds them, however it ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chain import durable
from gateway.errors import Busy


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold `path` alone while inside; raise `Busy` if another process does."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        durable.give_away(fd, path.parent)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Busy(f"{path}: another process is at work here") from error
        yield
    finally:
        os.close(fd)
