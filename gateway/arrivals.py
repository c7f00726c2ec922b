"""
What has come for the committer and waits to be decided on: bounded, and fair among accounts.

Mosquitto has one queue for the committer, in which whoever sends most has the most places, and none to let an author
wait. So the committer reads everything at once, and decides here who is next, and who has sent too much: accounts take
turns, one that was silent comes before those that have a lot waiting (as the flows of fq_codel do, RFC 8290 section 4),
and when there is no more room, the account with the most waiting loses its newest. Whoever sends what does not even parse
is not read for a while. Nothing is lost by that: an author has an entry in its outbox until the receipt, and sends it again.
"""

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable

from msgspec import Struct

from chain.chain import MAX_BLOCK_ENTRIES

log = logging.getLogger(__name__)

BLOCK_SECONDS = 0.020
"""How long the first entry of a block waits for others."""

MAX_BYTES = 24 * 1024 * 1024
"""All that waits, together. A device has at most 64 entries under way; but any client may send more."""

LEAST_BYTES = 4_096
"""What a message counts for at least: a short one takes up room, too."""

MOST_OF_ONE = 256
"""Messages of one account that wait: four times what a device has under way."""

MUCH_JUNK = 8
"""Messages of one batch, from one account, that did not parse: what it sends is then dropped unread."""

HUSH_SECONDS = 2.0
"""For how long: to refuse each would take the time that the others have."""

CROWDED = 512
"""Messages that wait, from which on authors are told to send less: the next two blocks are full without more."""

TURN = 4
"""Messages of one account in one turn."""

RELAYED_TURN = 64
"""The same for the gateway's own account: behind it are all the people, each waiting for an answer."""

MUCH = 64
"""Messages that are worth a block of their own, while another is made."""

CALM_SECONDS = 10.0
"""Without a message dropped until it is said that there is room again."""


class Incoming(Struct, frozen=True):
    """A message from the broker, what acknowledges it, and when it came (monotonic seconds)."""

    topic: str
    payload: bytes
    mid: int
    connection: int
    at: float = 0.0

    @property
    def size(self) -> int:
        return max(LEAST_BYTES, len(self.payload))


NOTHING = Incoming("", b"", 0, 0)
"""No message of the broker's: whoever waits for one is to look up."""


class _Flow:
    """What waits of one topic, and so of one account; its order is kept."""

    def __init__(self) -> None:
        self.waiting: deque[Incoming] = deque()
        self.size = 0

    def add(self, message: Incoming) -> None:
        self.waiting.append(message)
        self.size += message.size

    def first(self) -> Incoming:
        message = self.waiting.popleft()
        self.size -= message.size
        return message

    def newest(self) -> Incoming:
        message = self.waiting.pop()
        self.size -= message.size
        return message


class Arrivals:
    """`put` by the network's thread, `take` by the committer's. `relayed` is the topic of the gateway's own account."""

    def __init__(
        self, relayed: str = "", *, max_bytes: int = MAX_BYTES, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._relayed = relayed
        self._max_bytes = max_bytes
        self._clock = clock
        self._changed = threading.Condition(threading.Lock())
        self._flows: dict[str, _Flow] = {}
        self._new: deque[str] = deque()
        self._old: deque[str] = deque()
        self._count = self._size = 0
        self._since = 0.0
        self._wanted = 0
        """How many the committer waits for; 0 while it does not wait."""
        self._woken = False
        self._hushed: dict[str, float] = {}
        """Until when what comes of a topic is dropped."""
        self._dropped = 0
        self._in_all = 0
        self._last_drop: float | None = None

    def put(self, message: Incoming) -> list[Incoming]:
        """Let it wait; return what was dropped because it is too much: to be acknowledged."""
        with self._changed:
            if self._is_hushed(message.topic):
                self._dropped += 1
                return [message]
            flow = self._flows.get(message.topic)
            if flow is None:
                flow = self._flows[message.topic] = _Flow()
                self._new.append(message.topic)
            elif len(flow.waiting) >= MOST_OF_ONE and message.topic != self._relayed:
                self._dropped += 1
                return [message]
            if not self._count:
                self._since = message.at
            flow.add(message)
            self._count += 1
            self._size += message.size
            dropped = []
            while self._size > self._max_bytes:
                dropped.append(self._drop(flow))
            if 0 < self._wanted <= self._count:
                self._changed.notify()
            return dropped

    def hush(self, topics: Iterable[str]) -> list[Incoming]:
        """
        `topics` are those of messages in a batch that did not parse; return what was dropped because of them.

        Not the gateway's own: behind it are many, and one of them must not silence the others.
        """
        dropped: list[Incoming] = []
        with self._changed:
            for topic, count in Counter(topics).items():
                if count >= MUCH_JUNK and topic != self._relayed:
                    self._hushed[topic] = self._clock() + HUSH_SECONDS
                    while (flow := self._flows.get(topic)) and flow.waiting:
                        dropped.append(self._taken(flow.newest()))
            self._dropped += len(dropped)
        return dropped

    def _is_hushed(self, topic: str) -> bool:
        until = self._hushed.get(topic)
        if until is None:
            return False
        if self._clock() >= until:
            del self._hushed[topic]
            return False
        return True

    def wake(self) -> None:
        """Have `take` return, with what there is."""
        with self._changed:
            self._woken = True
            self._changed.notify()

    def take(self, patience: float) -> list[Incoming]:
        """The next block's worth of messages; none if none came within `patience` seconds. `NOTHING` is the last after `wake`."""
        with self._changed:
            if not self._count and not self._woken:
                self._wait(1, patience)
            # What waited while the block before was made has waited enough.
            while self._count and not self._woken and self._count < MAX_BLOCK_ENTRIES:
                left = self._since + BLOCK_SECONDS - self._clock()
                if left <= 0:
                    break
                self._wait(MAX_BLOCK_ENTRIES, left)
            batch = self._next()
            if self._woken:
                self._woken = False
                batch.append(NOTHING)
            dropped, self._dropped = self._dropped, 0
        self._report(dropped)
        return batch

    def has_block(self) -> bool:
        """Whether so much waits that `take` would not."""
        with self._changed:
            waited = self._clock() - self._since
            return self._count >= MAX_BLOCK_ENTRIES or (self._count >= MUCH and waited >= BLOCK_SECONDS)

    def is_crowded(self) -> bool:
        """Whether more waits than is good for anybody."""
        return self._count >= CROWDED

    def _wait(self, wanted: int, seconds: float) -> None:
        self._wanted = wanted
        self._changed.wait(seconds)
        self._wanted = 0

    def _next(self) -> list[Incoming]:
        batch: list[Incoming] = []
        while len(batch) < MAX_BLOCK_ENTRIES and self._count:
            fresh = bool(self._new)
            topic = (self._new if fresh else self._old).popleft()
            flow = self._flows[topic]
            if not flow.waiting:
                del self._flows[topic]  # it was silent for a whole round: it will be new again
                continue
            turn = RELAYED_TURN if topic == self._relayed else TURN
            count = min(turn, len(flow.waiting), MAX_BLOCK_ENTRIES - len(batch))
            batch += [self._taken(flow.first()) for _ in range(count)]
            self._old.append(topic)
        if self._count:
            self._since = 0.0
        else:
            self._flows.clear()
            self._old.clear()
            self._new.clear()
        return batch

    def _drop(self, flow: _Flow) -> Incoming:
        """Of the one that just sent, if it has more than an equal share, or else of whoever has most."""
        if flow.size * len(self._flows) <= self._size:
            flow = max(self._flows.values(), key=lambda each: each.size)
        self._dropped += 1
        return self._taken(flow.newest())

    def _taken(self, message: Incoming) -> Incoming:
        self._count -= 1
        self._size -= message.size
        return message

    def _report(self, dropped: int) -> None:
        """Once when it begins, and once when it is over."""
        now = self._clock()
        if dropped:
            if self._last_drop is None:
                log.warning("messages dropped reason=more come than are let wait")
                self._in_all = 0
            self._in_all += dropped
            self._last_drop = now
        elif self._last_drop is not None and now - self._last_drop >= CALM_SECONDS:
            log.info("no more messages dropped count=%d", self._in_all)
            self._last_drop = None
