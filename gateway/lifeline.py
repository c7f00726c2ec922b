"""A process that does not outlive the one that started it: a killed supervisor leaves nothing that holds a lock or a port."""

import ctypes
import signal

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def end_with_parent(number: signal.Signals = signal.SIGTERM) -> None:
    """In the new process: have the kernel send it `number` once its parent's thread has ended (prctl(2))."""
    _libc.prctl(PR_SET_PDEATHSIG, number)
