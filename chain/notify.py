"""What the service manager is told (sd_notify(3)): that this process is ready, and that it goes on making progress."""

import os
import socket
import time
from contextlib import suppress

EVERY_SECONDS = 5.0
"""Between two words that it goes on; `provision systemd` has the process started again after six that are missing."""


def is_asked() -> bool:
    """Whether there is a service manager that wants to know."""
    return "NOTIFY_SOCKET" in os.environ


def ready() -> None:
    _tell("READY=1")


class Heart:
    """Beats from the loop whose progress it stands for: what keeps the loop from going round stops it."""

    def __init__(self) -> None:
        self._next = time.monotonic()

    def beat(self) -> None:
        """Say that another round is done, now and then."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + EVERY_SECONDS
            _tell("WATCHDOG=1")


def _tell(state: str) -> None:
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    # An abstract socket's name begins with a zero byte, which no environment can hold.
    address = f"\0{address[1:]}" if address.startswith("@") else address
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager, suppress(OSError):
        manager.sendto(state.encode(), address)
