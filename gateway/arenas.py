"""Memory: how many heaps the C library keeps for the threads of a process."""

import ctypes

M_ARENA_MAX = -8
ENOUGH = 2
"""Python lets one thread run at a time, so they seldom wait for each other's heap; by itself it makes 8 for each core."""


def keep_few() -> None:
    """Call it before there are threads. Each heap keeps what was once needed in it at the same time (mallopt(3))."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):  # musl has no such heaps
        libc.mallopt(M_ARENA_MAX, ENOUGH)
