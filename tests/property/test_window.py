"""
Must hold: whatever the network loses, every entry is committed once, in order, and nobody is flooded.

The window is played against a model of the gateway: it takes an entry only if the one that its author sent
before it is there already, and every message, in either direction, may be lost.
"""

from collections import Counter, deque

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from chain.wire import Parcel
from device.outbox import Queued
from device.window import PATIENCE, PAUSE, Window

SIZE = 4
ROUNDS = 100


class Gateway:
    """Commits in order or not at all; what it has already, it receipts again."""

    def __init__(self) -> None:
        self.log: list[int] = []

    def takes(self, seq: int, after: int | None) -> str:
        last = self.log[-1] if self.log else 0
        if seq in self.log:
            return "receipt"
        assert seq > last, f"{seq} can never be committed: {last} was before it"
        if after is not None and after > last:
            return "gap"
        self.log.append(seq)
        return "receipt"


class Network(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.queued = 0
        self.waiting: list[Queued] = []
        self.window = Window(size=SIZE)
        self.gateway = Gateway()
        self.up: deque[tuple[int, int | None]] = deque()
        self.down: deque[tuple[str, int]] = deque()
        self.began = 0.0
        self.sends: Counter[int] = Counter()

    @rule(count=st.integers(1, 6))
    def something_is_queued(self, count: int) -> None:
        for _ in range(count):
            self.queued += 1
            self.waiting.append(Queued(str(self.queued), self.queued, Parcel(""), "message"))

    @rule(seconds=st.sampled_from([0.0, 0.1, PAUSE, 1.0, PATIENCE]))
    def the_device_takes_a_turn(self, seconds: float) -> None:
        self.now += seconds
        due = self.window.due(self.waiting, self.now)
        self.up += [(queued.seq, after) for queued, after in due]
        self.sends.update(queued.seq for queued, _ in due)
        assert self.window.due(self.waiting, self.now) == [], "sent twice in one moment"

    @rule(count=st.integers(1, 8))
    def entries_arrive(self, count: int) -> None:
        for _ in range(min(count, len(self.up))):
            seq, after = self.up.popleft()
            self.down.append((self.gateway.takes(seq, after), seq))

    @rule(count=st.integers(1, 8))
    def answers_arrive(self, count: int) -> None:
        for _ in range(min(count, len(self.down))):
            answer, seq = self.down.popleft()
            if answer == "gap":
                self.window.restart(self.now)
            else:
                self.waiting = [queued for queued in self.waiting if queued.seq != seq]

    @rule(data=st.data())
    def an_entry_is_lost(self, data: st.DataObject) -> None:
        if self.up:
            del self.up[data.draw(st.integers(0, len(self.up) - 1))]

    @rule(data=st.data())
    def an_answer_is_lost(self, data: st.DataObject) -> None:
        if self.down:
            del self.down[data.draw(st.integers(0, len(self.down) - 1))]

    @rule()
    def the_broker_restarts(self) -> None:
        self.up.clear()
        self.down.clear()
        self.window.reconnected()
        self.began, self.sends = self.now, Counter()

    @rule(data=st.data())
    def an_entry_is_refused_for_good(self, data: st.DataObject) -> None:
        """Its author sets it apart; those that were sent after it come again without it."""
        under_way = [queued for queued in self.waiting if queued.seq not in self.gateway.log]
        if under_way:
            gone = data.draw(st.sampled_from(under_way))
            self.waiting.remove(gone)
            self.up = deque(each for each in self.up if each[0] != gone.seq)

    @invariant()
    def committed_in_order_and_once(self) -> None:
        assert self.gateway.log == sorted(set(self.gateway.log))

    @invariant()
    def no_more_than_its_size_is_under_way(self) -> None:
        assert len(self.window._sent) <= SIZE

    @invariant()
    def nobody_is_flooded(self) -> None:
        """On one connection, an entry is sent again at most as often as there were pauses."""
        most = 2 + (self.now - self.began) / PAUSE
        assert all(count <= most for count in self.sends.values())

    def teardown(self) -> None:
        """Once nothing is lost any more, all of it comes through."""
        for _ in range(ROUNDS):
            if not self.waiting:
                break
            self.the_device_takes_a_turn(PAUSE)
            self.entries_arrive(len(self.up) + 1)
            self.answers_arrive(len(self.down) + 1)
        assert not self.waiting, "something is never committed"


TestNetwork = Network.TestCase
TestNetwork.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
