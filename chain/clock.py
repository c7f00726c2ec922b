"""Whether this machine's clock can be believed: a Raspberry Pi has no battery to keep it over a power cut."""

import ctypes
from functools import lru_cache
from typing import Literal

TIME_ERROR = 5
TIMEX_BYTES = 512
"""More than `struct timex` takes on any Linux; with `modes` 0 the call only reads."""


@lru_cache(maxsize=1)
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None)


def clock() -> Literal["synced", "free"]:
    """What the kernel says (adjtimex(2)): synchronised by NTP or the like, or running free."""
    state = _libc().adjtimex(ctypes.create_string_buffer(TIMEX_BYTES))
    return "free" if state in (-1, TIME_ERROR) else "synced"
