"""The machine that a figure was measured on: without it, a figure says nothing."""

import os
import platform
from pathlib import Path
from typing import Self

from msgspec import Struct

from chain.machine import fsync_ms


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
        return cls(_cpu(), cores, platform.python_version(), round(fsync_ms(directory), 2))

    def __str__(self) -> str:
        return f"{self.cpu}, {self.cores} cores, Python {self.python}, fsync {self.fsync_ms} ms"


def _cpu() -> str:
    """The model's name; on a Raspberry Pi, which leaves it out, the board's."""
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    said = {word.strip(): name.strip() for word, _, name in (line.partition(":") for line in lines)}
    return said.get("model name") or said.get("Model") or platform.machine()
