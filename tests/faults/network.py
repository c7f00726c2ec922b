"""What goes wrong between the broker and its clients, packet by packet or all at once."""

import random
from collections import defaultdict, deque
from collections.abc import Iterable

from gateway.broker.packets import Frame, Kind
from tests.faults.fault import Fault
from tests.faults.proxy import Disturbance, Passing, Proxy, Way

DUP = 0x08
QOS_1 = 0x02
FOREIGN_IDS = range(60_000, 65_536)
"""Packet ids that nobody here has come to yet."""

REMEMBERED = 16

Who = frozenset[str] | None


def is_message(frame: Frame) -> bool:
    return frame.kind == Kind.PUBLISH


class WireFault(Fault, Disturbance):
    """Is in force on the proxy from its beginning to its end."""

    def __init__(self, proxy: Proxy, chance: random.Random, who: Who = None) -> None:
        self.proxy, self.chance, self.who = proxy, chance, who
        self._hits = 0

    @property
    def hits(self) -> int:
        return self._hits

    @property
    def name(self) -> str:  # type: ignore[override]
        return f"{type(self).__name__.lower()}({'all' if self.who is None else len(self.who)})"

    def begin(self) -> None:
        self.proxy.add(self)

    def end(self) -> None:
        self.proxy.remove(self)


class Dropped(WireFault):
    """Every third message is lost, and every third acknowledgement: a broker whose queue is full does the first."""

    def passes(self, _client: str, _way: Way, frame: Frame) -> Iterable[Passing]:
        if frame.kind in (Kind.PUBLISH, Kind.PUBACK) and self.chance.random() < 1 / 3:
            self._hits += 1
        else:
            yield Passing(frame)


class Doubled(WireFault):
    """Every other message comes twice: as the same with DUP, or as another one with a packet id of its own."""

    def passes(self, _client: str, _way: Way, frame: Frame) -> Iterable[Passing]:
        yield Passing(frame)
        if is_message(frame) and self.chance.random() < 1 / 2:
            self._hits += 1
            yield Passing(self.chance.choice((again, anew))(frame, self.chance))


class Redelivered(WireFault):
    """Now and then, all that was said lately on a connection's way is said once more, in whole."""

    def __init__(self, proxy: Proxy, chance: random.Random, who: Who = None) -> None:
        super().__init__(proxy, chance, who)
        self._said: defaultdict[tuple[str, Way], deque[Frame]] = defaultdict(lambda: deque(maxlen=REMEMBERED))

    def passes(self, client: str, way: Way, frame: Frame) -> Iterable[Passing]:
        yield Passing(frame)
        if not is_message(frame):
            return
        said = self._said[client, way]
        said.append(frame)
        if self.chance.random() < 1 / 8:
            self._hits += 1
            yield from (Passing(anew(each, self.chance)) for each in said)


class Reordered(WireFault):
    """Messages overtake each other."""

    def passes(self, _client: str, _way: Way, frame: Frame) -> Iterable[Passing]:
        late = self.chance.choice((0.0, 0.1, 0.4)) if is_message(frame) else 0.0
        self._hits += bool(late)
        yield Passing(frame, late, ordered=not late)


class Delayed(WireFault):
    """Everything takes half a second, or one and a half."""

    def passes(self, _client: str, _way: Way, frame: Frame) -> Iterable[Passing]:
        self._hits += 1
        yield Passing(frame, self.chance.choice((0.5, 1.5)))


class Trickled(WireFault):
    """A slow line: packets come in small pieces."""

    def trickles(self) -> int:
        self._hits += 1
        return self.chance.randint(20, 80)


class Cut(WireFault):
    """Connections end, and whoever connects is let in again."""

    def begin(self) -> None:
        self._hits = self.proxy.cut(self, reset=False)

    def end(self) -> None:
        pass


class Reset(WireFault):
    """Connections end in the middle, without a goodbye (RST), and for a while new ones do, too."""

    def begin(self) -> None:
        super().begin()
        self._hits = self.proxy.cut(self, reset=True)

    def refuses(self) -> bool:
        return self.who is None


class HalfOpen(WireFault):
    """
    Connections look alive, and nothing goes one way, or neither. Whoever connects meanwhile is not answered.

    In the end they are reset, unless they are `abandoned`: then both ends have to find out by themselves.
    """

    def __init__(
        self,
        proxy: Proxy,
        chance: random.Random,
        who: Who = None,
        *,
        ways: frozenset[Way] = frozenset(Way),
        abandoned: bool = False,
    ) -> None:
        super().__init__(proxy, chance, who)
        self._ways = ways
        self._abandoned = abandoned

    @property
    def name(self) -> str:  # type: ignore[override]
        return f"{super().name}{'+'.join(sorted(way.value for way in self._ways))}"

    def swallows(self, way: Way) -> bool:
        self._hits += way in self._ways
        return way in self._ways

    def end(self) -> None:
        super().end()
        if not self._abandoned:
            self.proxy.cut(self, reset=True)


def again(frame: Frame, _chance: random.Random) -> Frame:
    """The same message as its sender says it again."""
    qos_1 = frame.flags & QOS_1
    return Frame(bytes([frame.raw[0] | DUP if qos_1 else frame.raw[0]]) + frame.raw[1:], frame.body_at)


def anew(frame: Frame, chance: random.Random) -> Frame:
    """The same message as if it were another one."""
    if not frame.flags & QOS_1:
        return frame
    topic = int.from_bytes(frame.raw[frame.body_at : frame.body_at + 2], "big")
    at = frame.body_at + 2 + topic
    packet_id = chance.choice(FOREIGN_IDS).to_bytes(2, "big")
    first = bytes([frame.raw[0] & ~DUP])
    return Frame(first + frame.raw[1:at] + packet_id + frame.raw[at + 2 :], frame.body_at)
