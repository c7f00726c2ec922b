"""The QoS 1 messages that a client has been sent and has not acknowledged: ids and sizes, never the messages."""

from gateway.broker.packets import PACKET_IDS


class Window:
    """
    Full at `messages` or `size` bytes, and then not open again before it is half empty.

    Nothing expires: a client may acknowledge as late as it likes, in any order.
    """

    def __init__(self, messages: int, size: int) -> None:
        if not 0 < messages < PACKET_IDS:
            raise ValueError(f"window: want 1 to {PACKET_IDS - 1} messages, got {messages}")
        self._messages = messages
        self._size = size
        self._sizes: dict[int, int] = {}
        self._bytes = 0
        self._last = 0
        self.full = False

    def __len__(self) -> int:
        return len(self._sizes)

    @property
    def crowded(self) -> bool:
        """Whether it would not be open again, had it been full."""
        return len(self._sizes) > self._messages // 2 or self._bytes > self._size // 2

    def take(self, size: int) -> int:
        """Count a message in and return the packet id it goes by. Not to be called while full."""
        if self.full:
            raise ValueError("window: full")
        self._last = self._last % PACKET_IDS + 1
        while self._last in self._sizes:
            self._last = self._last % PACKET_IDS + 1
        self._sizes[self._last] = size
        self._bytes += size
        self.full = len(self._sizes) >= self._messages or self._bytes >= self._size
        return self._last

    def release(self, packet_id: int) -> bool:
        """Acknowledge; false for an id that is not out, which is harmless."""
        size = self._sizes.pop(packet_id, None)
        if size is None:
            return False
        self._bytes -= size
        if not self.crowded:
            self.full = False
        return True
