"""What a running process takes up, as /proc says."""

import os
from pathlib import Path
from typing import Self

from msgspec import Struct

KIB_PER_MB = 1000 / 1.024
"""/proc counts in KiB; a MB is a million bytes."""


class Memory(Struct, frozen=True):
    """`rss_mb` counts a page that several processes share in full for each; `pss_mb` shares it out among them."""

    rss_mb: float
    pss_mb: float

    @classmethod
    def of(cls, pid: int) -> Self:
        return cls(_mb(pid, "status", "VmRSS"), _mb(pid, "smaps_rollup", "Pss"))


def _mb(pid: int, file: str, name: str) -> float:
    for line in Path(f"/proc/{pid}/{file}").read_text("utf-8").splitlines():
        word, _, value = line.partition(":")
        if word == name:
            return round(int(value.split()[0]) / KIB_PER_MB, 1)
    raise LookupError(f"/proc/{pid}/{file}: no {name}")


def cpu_seconds(pid: int) -> float:
    """How long it has been computing so far, for itself and in the kernel."""
    utime, stime = _stat(pid)[11:13]
    return (int(utime) + int(stime)) / os.sysconf("SC_CLK_TCK")


def has_ended(pid: int) -> bool:
    """Whether it runs no more, be it that nobody has asked how it ended."""
    try:
        return _stat(pid)[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def _stat(pid: int) -> list[str]:
    """What /proc/<pid>/stat says from the third field, the state, on: see proc(5)."""
    # The second field is the command in parentheses, which may hold anything: count from behind it.
    return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()


class Child(Struct, frozen=True):
    parent: int
    words: list[str]
    """Its command line."""


def descendants(pid: int) -> dict[int, Child]:
    """The processes that `pid` has started, and those that they have: parents first."""
    found: dict[int, Child] = {}
    waiting = [pid]
    while waiting:
        parent = waiting.pop()
        for child in _children(parent):
            try:
                line = Path(f"/proc/{child}/cmdline").read_bytes()
            except (FileNotFoundError, ProcessLookupError):  # it has just ended
                continue
            found[child] = Child(parent, line.decode(errors="replace").split("\0")[:-1])
            waiting.append(child)
    return found


def _children(pid: int) -> list[int]:
    # Of each thread its own: whoever starts a process is a thread.
    try:
        lists = [each.read_text("ascii") for each in Path(f"/proc/{pid}/task").glob("*/children")]
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [int(word) for words in lists for word in words.split()]
