"""
Renewal: while an agent runs, its certificate is made new in good time, and the list of revoked ones daily.

A thread of its own does it, so that nothing that is sent waits for it.
"""

import logging
import random
import threading
import time
from collections.abc import Callable

from chain.errors import ChainError
from device import certificate, root
from device.client import Client
from device.errors import DeviceError, Problem

log = logging.getLogger(__name__)

EXPIRED = "urn:blockpost:problem:expired"
"""The gateway's answer where a certificate has expired, until an admin lets it be renewed."""

TURN_SECONDS = 60.0
"""Between two looks; so, too, between two tries of what did not succeed."""

CUT_OFF_SECONDS = 60.0
"""Without the broker, until it is seen whether the gateway's authority is another than this certificate's."""

CLOCK_SECONDS = 3600.0
LIST_SECONDS = 86_400.0


class Renewal:
    """`is_up` says whether the broker is connected. `renewed` is called, on this thread, when there is a new certificate."""

    def __init__(self, client: Client, is_up: Callable[[], bool], renewed: Callable[[], None]) -> None:
        self._home = client.home
        self._membership = client.membership
        self._gateway = client.open_gateway()
        self._is_up = is_up
        self._renewed = renewed
        self._down_since: float | None = None
        self._told: str | None = None
        self._next_clock = 0.0
        self._next_list = 0.0

    def run(self, stop: threading.Event) -> None:
        """Look now, and again each minute, until stopped."""
        while not stop.is_set():
            self.turn(time.monotonic())
            # A whole building that was away asks at once when it is back: spread it.
            stop.wait(TURN_SECONDS * random.uniform(0.75, 1.25))  # noqa: S311 - jitter, not a secret

    def turn(self, now: float) -> None:
        """Do what is due; `now` is in seconds that only go on. What fails is told once, and is due the next time."""
        if self._is_up():
            self._down_since = None
        elif self._down_since is None:
            self._down_since = now
        try:
            self._look(now)
        except (DeviceError, ChainError, OSError) as error:
            self._tell(error)
        else:
            self._told = None

    def _look(self, now: float) -> None:
        if now >= self._next_clock:
            # By a clock that stood still in a cupboard nothing would ever be due.
            self._gateway.set_clock()
            self._next_clock = now + CLOCK_SECONDS
        held = self._home.book.certificate()
        due = self._gateway.now >= certificate.due(held, self._membership.account)
        if due or self._has_another_authority(now):
            certificate.obtain(self._home, self._gateway, self._membership)
            log.info("certificate renewed")
            self._renewed()
            self._next_list = now + LIST_SECONDS
        if now >= self._next_list:
            certificate.refresh_list(self._home, self._gateway)
            self._next_list = now + LIST_SECONDS

    def _has_another_authority(self, now: float) -> bool:
        """
        Whether the broker is away, and the gateway's certificate is from another authority than this account's.

        So it is after somebody broke into the gateway: what the authority before it signed is believed no more.
        """
        if self._down_since is None or now - self._down_since < CUT_OFF_SECONDS:
            return False
        shown = root.shown(self._membership.http_host, self._membership.http_port)
        return certificate.authority(self._home) not in shown

    def _tell(self, error: Exception) -> None:
        reason = needed(self._membership.handle, str(error)) if is_expired(error) else str(error)
        if reason != self._told:
            log.warning("certificate not renewed reason=%s", reason)
            self._told = reason


def is_expired(error: Exception) -> bool:
    return isinstance(error, Problem) and error.type == EXPIRED


def needed(handle: str, reason: str) -> str:
    """What brings a device back whose certificate expired while it was away."""
    return f"{reason} (blockpost admin renew {handle}); a running agent then comes back by itself"
