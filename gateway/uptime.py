"""How long this machine has been up: the clock that contracts count by, which nobody sets."""

import logging
import secrets
import time
from functools import lru_cache
from pathlib import Path

from chain.store import Uptime

log = logging.getLogger(__name__)

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
"""A UUID that Linux makes at each boot (random(4))."""


def now() -> Uptime:
    """Time since the boot, also that in which the machine slept (CLOCK_BOOTTIME, clock_gettime(2))."""
    return Uptime(_boot(), time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000)


@lru_cache(maxsize=1)
def _boot() -> str:
    try:
        return BOOT_ID.read_text("ascii").strip()
    except OSError as error:
        # Then each start of a process counts as a boot: over it, the wall clock has to be believed.
        log.warning("boot not known reason=%s", error)
        return secrets.token_hex(16)
