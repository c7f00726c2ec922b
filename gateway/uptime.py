"""How long this machine has been up: the clock that contracts count by, which nobody sets."""

import time
from functools import lru_cache
from pathlib import Path

from chain.store import Uptime

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
"""A UUID that Linux makes at each boot (random(4))."""


def now() -> Uptime:
    """Time since the boot, also that in which the machine slept (CLOCK_BOOTTIME, clock_gettime(2))."""
    return Uptime(_boot(), time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000)


@lru_cache(maxsize=1)
def _boot() -> str:
    return BOOT_ID.read_text("ascii").strip()
