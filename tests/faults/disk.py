"""A disk that fails on purpose, for real processes, below one directory."""

import atexit
import copy
import ctypes
import errno
import mmap
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from ctypes import c_char, c_int32, c_uint32, c_uint64
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Literal, NamedTuple, Self

from tests.faults import trace
from tests.faults.fault import Fault
from tests.faults.platter import Platter
from tests.faults.trace import Event, Record

SOURCE = Path(__file__).with_name("disk.c")

Kind = Literal["open", "read", "write", "truncate", "sync", "rename", "link", "unlink", "mkdir", "chmod"]
KINDS: tuple[Kind, ...] = (
    "open",
    "read",
    "write",
    "truncate",
    "sync",
    "rename",
    "link",
    "unlink",
    "mkdir",
    "chmod",
)
"""Operations. `open` of a file or a directory; `sync` is fsync and fdatasync, of a directory, too; `unlink` rmdir, too."""

CHANGES: tuple[Kind, ...] = ("write", "truncate", "sync", "rename", "link", "unlink", "mkdir", "chmod")
"""Those of them that change something, or have it last."""

_ANY, _GROWING, _FOR_WRITING = range(3)
_RULES, _PART, _RECORDS = 16, 64, 4096


class _Rule(ctypes.Structure):
    """`struct rule`."""

    _fields_ = (
        ("armed", c_int32),
        ("kinds", c_uint32),
        ("error", c_int32),
        ("skip", c_int32),
        ("times", c_int32),
        ("delay", c_int32),
        ("lies", c_int32),
        ("only", c_int32),
        ("hits", c_int32),
        ("part", c_char * _PART),
    )


class _Control(ctypes.Structure):
    """`struct control`, as far as it is ours."""

    _fields_ = (
        ("ready", c_uint32),
        ("recording", c_int32),
        ("sent", c_int32),
        ("dead", c_int32),
        ("kill_armed", c_int32),
        ("kill_kinds", c_uint32),
        ("kill_left", c_int32),
        ("kill_after", c_int32),
        ("kill_part", c_char * _PART),
        ("counts", c_uint64 * len(KINDS)),
        ("capacity", c_uint64),
        ("cursor", c_uint64),
        ("overflow", c_int32),
        ("unused", c_int32),
        ("rules", _Rule * _RULES),
    )


class Cut(NamedTuple):
    """A moment after a record (None: before the first). It is valid until the next one is asked for."""

    after: Record | None
    platter: Platter
    told: list[bytes]
    """What had been sent until then."""


@cache
def library() -> Path:
    """The shim, compiled once for this process and the tests in it."""
    folder = Path(tempfile.mkdtemp(prefix="blockpost-disk-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    made = folder / "disk.so"
    flags = ("-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-pthread")
    subprocess.run(("gcc", *flags, "-o", made, SOURCE), check=True)
    return made


class DiskFault(Fault):
    """
    Something that a disk does, from `begin` to `end`. Make it with a method of `Disk`.

    It is switched while the processes run: the next operation that it is for is hit.
    """

    def __init__(
        self,
        disk: "Disk",
        name: str,
        kinds: Iterable[Kind],
        *,
        error: int = 0,
        skip: int = 0,
        times: int | None = None,
        delay: float = 0,
        lies: bool = False,
        only: int = _ANY,
        path: str = "",
    ) -> None:
        self.name = name
        self._disk = disk
        self._wanted = {
            "kinds": _bits(kinds),
            "error": error,
            "skip": skip,
            "times": -1 if times is None else times,
            "delay": round(delay * 1000),
            "lies": int(lies),
            "only": only,
            "hits": 0,
            "part": path.encode(),
        }
        self._rule: _Rule | None = None
        self._hits = 0

    def begin(self) -> None:
        self._rule = rule = self._disk._free_rule()
        for field, value in self._wanted.items():
            setattr(rule, field, value)
        rule.armed = 1

    def end(self) -> None:
        """Twice is harmless."""
        if self._rule is not None:
            self._hits = self.hits
            self._rule.armed = 0
            self._rule = None

    @property
    def hits(self) -> int:
        """How many operations it has hit."""
        return self._hits if self._rule is None else self._rule.hits

    def __repr__(self) -> str:
        return f"<{self.name}: {self.hits} hit>"


class Disk:
    """
    What the disk below `directory` does to the processes that are started with `env`.

    Other processes, this one too, see the directory as it is. The directory has to be there, and stays when this ends.

    With `record`, all changes are written down, `capacity` bytes at most, so that a power cut can be seen from then on;
    nobody else may change anything in the directory then. What these processes send with send(2) is written down, too.
    """

    def __init__(self, directory: Path, *, record: bool = False, capacity: int = 1 << 28) -> None:
        self.directory = directory.resolve(strict=True)
        self._folder = Path(tempfile.mkdtemp(prefix="blockpost-disk-"))
        self._file = self._folder / "control"
        with self._file.open("wb") as file:
            # What is not written takes no room.
            file.truncate(_RECORDS + (capacity if record else 0))
        with self._file.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 0)
        self._control = _Control.from_buffer(self._memory)
        self._control.capacity = capacity if record else 0
        self._control.recording = self._control.sent = int(record)
        self._base: Platter | None = Platter(self.directory) if record else None

    @property
    def env(self) -> dict[str, str]:
        """This process's environment, with what loads the shim into others."""
        loaded = " ".join(filter(None, (str(library()), os.environ.get("LD_PRELOAD"))))
        return os.environ | {
            "LD_PRELOAD": loaded,
            "BLOCKPOST_DISK": str(self.directory),
            "BLOCKPOST_DISK_CONTROL": str(self._file),
        }

    def close(self) -> None:
        """The faults are over; processes that still run go on as on any disk."""
        for rule in self._control.rules:
            rule.armed = 0
        self._control.kill_armed = 0
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    # Faults. `path` is a part of the paths below the directory that are meant; "" means all.

    def fail(
        self,
        kinds: Kind | Iterable[Kind],
        error: int = errno.EIO,
        *,
        path: str = "",
        skip: int = 0,
        times: int | None = None,
    ) -> DiskFault:
        """Operations fail with an errno; the first `skip` are let go, and then `times` of them are hit (None: all)."""
        meant = (kinds,) if isinstance(kinds, str) else tuple(kinds)
        name = f"{'/'.join(meant)} fails with {errno.errorcode[error]}"
        return DiskFault(self, name, meant, error=error, path=path, skip=skip, times=times)

    def full(self, *, path: str = "") -> DiskFault:
        """No room: what makes a file longer fails with ENOSPC. What is there can be written over, read and removed."""
        return DiskFault(self, "disk full", ("write",), error=errno.ENOSPC, only=_GROWING, path=path)

    def read_only(self, *, path: str = "") -> DiskFault:
        """Mounted read-only, as after an error of the file system: reading goes on."""
        return DiskFault(
            self, "read-only", ("open", *CHANGES), error=errno.EROFS, only=_FOR_WRITING, path=path
        )

    def lie(self, *, path: str = "") -> DiskFault:
        """A sync is answered with success and does nothing: what it was to keep is gone after a cut."""
        return DiskFault(self, "lying sync", ("sync",), lies=True, path=path)

    def slow(self, seconds: float, kinds: Iterable[Kind] = ("sync",), *, path: str = "") -> DiskFault:
        """Each takes so much longer."""
        return DiskFault(self, f"slow by {seconds} s", kinds, delay=seconds, path=path)

    # The power

    def kill(
        self, kinds: Kind | Iterable[Kind] = CHANGES, *, skip: int = 0, after: bool = False, path: str = ""
    ) -> None:
        """
        Cut the power at the next operation of these kinds but `skip`: right before it is done, or right `after`.

        SIGKILL ends the process that comes to it, and every other process of this disk as soon as it comes to any
        operation, or sends anything over a socket.
        """
        control = self._control
        control.kill_armed = 0
        control.kill_kinds = _bits((kinds,) if isinstance(kinds, str) else kinds)
        control.kill_left, control.kill_after, control.kill_part = skip, int(after), path.encode()
        control.kill_armed = 1

    def power_off(self) -> None:
        """Cut it now: every process ends with its next operation."""
        self._control.dead = 1

    def power_on(self) -> None:
        """Whoever is started from now on is not killed any more."""
        self._control.kill_armed = 0
        self._control.dead = 0

    @property
    def is_off(self) -> bool:
        return bool(self._control.dead)

    @property
    def counts(self) -> dict[Kind, int]:
        """How many operations of each kind there were."""
        return dict(zip(KINDS, self._control.counts, strict=True))

    # What was recorded

    def records(self) -> list[Record]:
        """All that was done and sent, in order."""
        control = self._control
        if control.overflow:
            raise RuntimeError(f"disk: more than {control.capacity} bytes of records; give it more")
        return list(trace.read(self._memory[_RECORDS : _RECORDS + control.cursor]))

    def cuts(self) -> Iterator[Cut]:
        """Every moment at which the power may fail, from the first to the last: before any record, and after each."""
        platter, told = self._platter(), list[bytes]()
        yield Cut(None, platter, told)
        for record in self.records():
            if record.event is Event.SENT:
                told.append(record.data)
            else:
                platter.apply(record)
            yield Cut(record, platter, told)

    def cut(self, seed: int | None = None) -> None:
        """
        Put the directory into the state that the cut left, and switch the power on again.

        All processes must have ended. With a seed, some of what was not synced survives, too.
        """
        platter = self._platter()
        for record in self.records():
            platter.apply(record)
        empty(self.directory)
        platter.image(seed).write(self.directory)
        self.rebase()
        self.power_on()

    def rebase(self) -> None:
        """From now on, all that is in the directory is durable. Nothing may be writing to it."""
        self._control.cursor = self._control.overflow = 0
        self._base = Platter(self.directory)

    def _platter(self) -> Platter:
        if self._base is None:
            raise RuntimeError("disk: nothing was recorded; make it with record=True")
        return copy.deepcopy(self._base)

    def _free_rule(self) -> _Rule:
        for rule in self._control.rules:
            if not rule.armed:
                return rule  # type: ignore[no-any-return]
        raise RuntimeError(f"disk: {_RULES} faults at once, and no more")


def empty(folder: Path) -> None:
    """Remove all that is in it."""
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _bits(kinds: Iterable[Kind]) -> int:
    return sum(1 << KINDS.index(kind) for kind in set(kinds))
