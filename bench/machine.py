"""The machine that a figure was measured on: without it, a figure says nothing."""

import os
import platform
import time
from pathlib import Path
from statistics import median
from typing import Self

from msgspec import Struct

FSYNCS = 20


class Machine(Struct, frozen=True):
    """`fsync_ms`: how long the disk takes to make one small write durable, here, now."""

    cpu: str
    cores: int
    python: str
    fsync_ms: float

    @classmethod
    def at(cls, directory: Path) -> Self:
        """Look at this machine, and at the disk that `directory` is on."""
        cores = len(os.sched_getaffinity(0))
        return cls(_cpu(), cores, platform.python_version(), round(_fsync_ms(directory), 2))

    def __str__(self) -> str:
        return f"{self.cpu}, {self.cores} cores, Python {self.python}, fsync {self.fsync_ms} ms"


def _cpu() -> str:
    """The model's name; on a Raspberry Pi, which leaves it out, the board's."""
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    said = {word.strip(): name.strip() for word, _, name in (line.partition(":") for line in lines)}
    return said.get("model name") or said.get("Model") or platform.machine()


def _fsync_ms(directory: Path) -> float:
    taken = []
    with (directory / "fsync").open("wb", buffering=0) as file:
        for _ in range(FSYNCS):
            file.write(bytes(4096))
            start = time.monotonic()
            os.fsync(file.fileno())
            taken.append((time.monotonic() - start) * 1000)
    return median(taken)
