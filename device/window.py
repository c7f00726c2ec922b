"""
The window: which waiting entries to send now.

Entries of one stream are committed in the order of their numbers or not at all, so what was lost is sent
again together with all that came after it (go-back-N). No socket, no clock: `now` is handed in, in
monotonic seconds.
"""

from collections.abc import Sequence

from device.outbox import Queued, preceding

SIZE = 56
"""Entries of the lane `message` under way at one time."""

ALERTS = 8
"""Entries of the lane `alert` under way beside them: a full window of readings leaves it free."""

PATIENCE = 5.0
"""Seconds without a receipt after which all of the window is sent again."""

PAUSE = 0.5
"""Seconds between two starts over, so that late answers to the first do not cause a third."""


class Window:
    def __init__(self, *, size: int = SIZE, patience: float = PATIENCE) -> None:
        self.size = size
        self._patience = patience
        self._sent: dict[int, float] = {}
        self._restarted = float("-inf")

    def due(self, pending: Sequence[Queued], now: float) -> list[tuple[Queued, int | None]]:
        """
        What to send now, each with its `after`; it counts as sent.

        `pending` are the oldest waiting entries in order: what is no longer among them was receipted.
        """
        waiting = {queued.seq for queued in pending}
        self._sent = {seq: at for seq, at in self._sent.items() if seq in waiting}
        if self._sent and now - min(self._sent.values()) >= self._patience:
            self._sent.clear()
        due = [
            (queued, after)
            for queued, after in preceding(pending[: self.size])
            if queued.seq not in self._sent
        ]
        self._sent.update((queued.seq, now) for queued, _ in due)
        return due

    def restart(self, now: float) -> None:
        """An entry is missing at the gateway: begin again with the oldest."""
        if now - self._restarted >= PAUSE:
            self._restarted = now
            self._sent.clear()

    def reconnected(self) -> None:
        """Whatever was under way may be lost."""
        self._sent.clear()
