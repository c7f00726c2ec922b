"""What a disk was told to do, in order: the records that `disk.c` leaves."""

from collections.abc import Iterator
from enum import IntEnum
from struct import Struct
from typing import NamedTuple

_HEAD = Struct("=IIQqIIII")
"""`struct record`."""


class Event(IntEnum):
    """`enum event`."""

    CREATED = 1
    WROTE = 2
    TRUNCATED = 3
    SYNCED = 4
    SYNC_FAILED = 5
    SYNC_LIED = 6
    RENAMED = 7
    LINKED = 8
    UNLINKED = 9
    MADE_DIRECTORY = 10
    REMOVED_DIRECTORY = 11
    CHANGED_MODE = 12
    SENT = 13


class Record(NamedTuple):
    """
    One operation that was done. What there is of it depends on its event.

    `inode` is the file that was created, written, truncated (to `offset` bytes), synced or given another `mode`;
    `data` what was written at `offset`, or sent; `path` and `new` are below the disk's directory.
    """

    event: Event
    pid: int
    inode: int
    offset: int
    mode: int
    data: bytes
    second: bytes

    @property
    def path(self) -> str:
        return self.data.decode()

    @property
    def new(self) -> str:
        return self.second.decode()


def read(memory: bytes) -> Iterator[Record]:
    at = 0
    while at < len(memory):
        event, pid, inode, offset, mode, first, second, _ = _HEAD.unpack_from(memory, at)
        data = at + _HEAD.size
        yield Record(
            Event(event),
            pid,
            inode,
            offset,
            mode,
            memory[data : data + first],
            memory[data + first : data + first + second],
        )
        at = (data + first + second + 7) & ~7
