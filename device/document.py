"""TinyDB documents that survive a power cut, and two processes at once."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from tinydb import TinyDB
from tinydb.storages import Storage

from chain import durable
from chain.encoding import read
from chain.errors import Malformed
from device.errors import BadDocument

Number = Annotated[str, Meta(pattern=r"\A[1-9][0-9]{0,17}\Z")]
Tables = dict[str, dict[Number, dict[str, Any]]]
"""What TinyDB writes: tables of numbered rows."""

Version = tuple[int, ...]
"""What tells a file from the one that was there before under its name."""

_decoder = msgspec.json.Decoder(Tables)


class DurableStorage(Storage):
    """
    TinyDB's JSON file, replaced whole at each write: the stock one was corrupted by 3 of 60 SIGKILLs.

    TinyDB reads all of it for each question. Here it is read once: whoever has a storage has the lock, too.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held: Tables | None = None

    def read(self) -> Tables | None:
        if self._held is None:
            self._held = self._read()
        return self._held

    def write(self, data: dict[str, dict[str, Any]]) -> None:
        # TinyDB has changed what it was handed: should this fail, the file still says what is true.
        self._held = None
        durable.write(self._path, msgspec.json.format(msgspec.json.encode(data), indent=1))
        self._held = data

    def _read(self) -> Tables | None:
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return None
        try:
            return read(_decoder, data, what="document")
        except Malformed as error:
            raise BadDocument(f"{self._path}: not what was written here: {error}") from error


def version(path: Path) -> Version:
    """Another one after each replacement; empty if there is no such file."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return ()
    return (status.st_ino, status.st_mtime_ns, status.st_size)


@contextmanager
def opened(path: Path) -> Iterator[TinyDB]:
    """The document, to itself: another process that wants it waits until this one is done."""
    with locked(path.with_name(f".{path.name}.lock")), TinyDB(path, storage=DurableStorage) as document:
        yield document


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[bool]:
    """
    Hold a lock that ends with its process, however that ends.

    Without `wait`, yields at once whether it is held.
    """
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(fd)
