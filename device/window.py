"""
The window: which waiting entries to send now.

Entries of one stream are committed in the order of their numbers or not at all, so what was lost is sent
again together with all that came after it (go-back-N). How many are under way at one time follows from what the gateway
says with its receipts: where more waits than it can decide on, it is sent less, and what waits does so in the outbox, on
disk. One more for each round of receipts, half as many when it is busy or does not answer (RFC 5681; that somebody says
so before anything is lost, RFC 3168). No socket, no clock: `now` is handed in, in monotonic seconds.
"""

from collections.abc import Sequence

from device.outbox import Queued, preceding

SIZE = 56
"""Entries of the lane `message` under way at one time, at most."""

ALERTS = 8
"""Entries of the lane `alert` under way beside them: a full window of readings leaves it free."""

FIRST = 4
"""Entries under way on a new connection: after an outage everybody comes back at once, each with all that waits."""

PATIENCE = 5.0
"""Seconds without a receipt after which all of the window is sent again."""

LONGEST_PATIENCE = 10.0
"""The same, after it was in vain: a gateway that is behind is not told everything over and over."""

PAUSE = 0.5
"""Seconds between two starts over, so that late answers to the first do not cause a third."""


class Window:
    def __init__(self, *, size: int = SIZE, patience: float = PATIENCE) -> None:
        self.size = size
        self._shortest = patience
        self._patience = patience
        self._room = float(min(FIRST, size))
        self._eager = True
        """It doubles with every round of receipts, until the gateway is busy for the first time."""
        self._busy = False
        self._sent: dict[int, float] = {}
        self._again: set[int] = set()
        self._shrunk = float("-inf")
        self._restarted = float("-inf")

    @property
    def room(self) -> int:
        """How many may be under way now."""
        return int(self._room)

    def due(self, pending: Sequence[Queued], now: float) -> list[tuple[Queued, int | None]]:
        """
        What to send now, each with its `after`; it counts as sent.

        `pending` are the oldest waiting entries in order: what is no longer among them was receipted.
        """
        waiting = {queued.seq for queued in pending}
        self._learn({seq: at for seq, at in self._sent.items() if seq not in waiting}, now)
        self._sent = {seq: at for seq, at in self._sent.items() if seq in waiting}
        self._busy = False
        self._again &= waiting
        if self._sent and now - min(self._sent.values()) >= self._patience:
            self._patience = max(self._shortest, min(2 * self._patience, LONGEST_PATIENCE))
            self._shrink(now)
            self._start_over()
        due = [
            (queued, after)
            for queued, after in preceding(pending[: self.room])
            if queued.seq not in self._sent
        ]
        self._sent.update((queued.seq, now) for queued, _ in due)
        return due

    def slow_down(self) -> None:
        """The gateway said, with receipts, that it is busy: half as much, from the next `due` on."""
        self._busy = True

    def restart(self, now: float) -> None:
        """An entry is missing at the gateway: begin again with the oldest."""
        if now - self._restarted >= PAUSE:
            self._restarted = now
            self._start_over()

    def reconnected(self) -> None:
        """Whatever was under way may be lost, and nobody knows how much the gateway has to do now."""
        self._start_over()
        self._patience = self._shortest
        self._room = float(min(FIRST, self.size))
        self._eager = True

    def _learn(self, receipted: dict[int, float], now: float) -> None:
        for seq, at in receipted.items():
            if seq in self._again:
                continue  # the answer may be to either sending: it says nothing about the delay (Karn)
            self._patience = self._shortest
            if not self._busy:
                self._room = min(self.size, self._room + (1.0 if self._eager else 1.0 / self._room))
            elif at >= self._shrunk:
                self._shrink(now)

    def _shrink(self, now: float) -> None:
        """Half as much; not again for what was already under way."""
        self._shrunk = now
        self._eager = False
        self._room = max(1.0, self._room / 2)

    def _start_over(self) -> None:
        self._again |= self._sent.keys()
        self._sent.clear()
