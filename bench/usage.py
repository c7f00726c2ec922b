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
    # The second field is the command in parentheses, which may hold anything: count from behind it.
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    utime, stime = fields[11:13]
    return (int(utime) + int(stime)) / os.sysconf("SC_CLK_TCK")
