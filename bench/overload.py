"""
Ten times the load that the gateway can take, for minutes: what it commits meanwhile, what waits where, and how soon it is
over.

Devices behave as agents do: what they measure goes into their outboxes, and out as fast as it is receipted. What waits
there is only counted here, and signed when its turn comes. A few quiet devices, and alerts of those that have too much
to say, tell what the overload means to everybody else; junk publishers obey no window at all.
"""

import argparse
import gc
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from msgspec import Struct, structs

from bench import part, process
from bench.commit import wait_for_committer
from bench.connection import Connection, Loop
from bench.load import TURN_SECONDS, Device, Plan
from bench.machine import Machine
from bench.part import Part
from bench.process import Broker
from bench.site import Progress, Sender, Ward
from bench.usage import Memory
from bench.worker import Begin, Worker, run_together
from chain import wire
from chain.receipt import Receipt
from device.outbox import Queued
from device.window import ALERTS, Window
from gateway.broker.mosquitto import Listener, configuration

FULL = 10
"""Devices that together take all that the gateway can do: what it does alone."""

ALONE_SECONDS = 20.0
WARM_SECONDS = 5.0
"""After a load has begun, until its rate is counted: windows grow, or shrink."""

QUIET = 4
QUIET_SECONDS = 0.5
"""Devices with an entry now and then, before, during and after; and how often."""

ALERT_SECONDS = 5.0
BEFORE_SECONDS = 10.0
AFTER_SECONDS = 30.0

NEAR = 2.0
NEAR_ENTRIES = 16
"""Latency is as before once the median of so many entries is below so many times that of before."""

JUNK_UNDER_WAY = 2_000
PROCESSES = 2
WEIGH_SECONDS = 0.5


class Options(Struct, frozen=True, kw_only=True):
    """`times` of the rate alone are offered, for `seconds`, by `clients` devices; `junk` publishers send beside them."""

    broker: Broker
    clients: int
    seconds: int
    times: int
    junk: int
    directory: Path | None


class Latency(Struct, frozen=True):
    """From when an entry was due to its verified receipt."""

    count: int
    p50_ms: float
    p99_ms: float
    worst_ms: float


class Result(Struct, frozen=True):
    """
    `rate` was committed while `offered` a second came; `alone` is the rate of a few devices as fast as they are answered.

    `recovery_s`: from the load's end until a quiet device's entries are as quick as before. `waiting` is what
    outboxes hold in the end. `lost`: sent, and neither
    receipted nor refused.
    """

    broker: Broker
    clients: int
    junk: int
    seconds: int
    alone: float
    offered: float
    rate: float
    ratio: float
    before: Latency
    quiet: Latency
    alerts: Latency
    after: Latency
    recovery_s: float | None
    waiting: int
    peak_mb: dict[str, float]
    committed: int
    lost: int
    machine: Machine


class Load(Struct, frozen=True):
    """What one process does, in seconds from the word to begin; after `closes`, what has no answer is lost."""

    plan: Plan
    begins: float
    ends: float
    closes: float


class Answer(Struct, frozen=True):
    """When an entry came to wait for its receipt, and when it had it."""

    due: float
    at: float
    alert: bool

    @property
    def took(self) -> float:
        return self.at - self.due


class Loaded(Struct, frozen=True):
    """What the devices of one process were answered; moments are seconds from the word to begin."""

    busy: list[Answer]
    quiet: list[Answer]
    lost: int


class Lane:
    """What waits in one stream, and its window."""

    def __init__(self, entries: Iterator[Queued], window: Window) -> None:
        self.entries = entries
        self.window = window
        self.waiting: dict[str, tuple[Queued, float]] = {}

    def add(self, now: float) -> None:
        queued = next(self.entries)
        self.waiting[queued.id] = queued, now

    def due(self, now: float) -> list[bytes]:
        pending = [queued for queued, _ in self.waiting.values()]
        return [
            wire.encode(structs.replace(queued.parcel, after=after))
            for queued, after in self.window.due(pending, now)
        ]


class Author(Device):
    """
    A device that begins and ends when it is told; entries are made when there is room for them.

    With a `pause`, it has an entry once in so many seconds. Without, it always has one more, and an alert now and then.
    """

    def __init__(self, plan: Plan, sender: Sender, pause: float = 0.0) -> None:
        super().__init__(structs.replace(plan, entries=0), sender)
        self.offers = False
        self.answers: list[Answer] = []
        self._every = pause
        self._readings = Lane(sender.messages(plan.to, plan.seen), Window())
        self._alerts = Lane(sender.messages(plan.to, plan.seen, priority="high"), Window(size=ALERTS))
        self._lanes = (self._alerts, self._readings)
        self._due_at = 0.0
        self._asked = float("-inf")

    @property
    def is_quiet(self) -> bool:
        return self._every > 0

    @property
    def unanswered(self) -> int:
        return sum(len(lane.waiting) for lane in self._lanes)

    def begin(self, now: float) -> None:
        self.offers = True
        self._due_at = now + random.uniform(0, self._every or ALERT_SECONDS)  # noqa: S311 - jitter, not a secret

    def send(self, now: float) -> float:
        if now < self._asked + TURN_SECONDS:
            return now + TURN_SECONDS
        self._asked = now
        if self.offers:
            self._fill(now)
        for lane in self._lanes:
            for payload in lane.due(now):
                self.connection.publish(self._topic, payload)
        return now + TURN_SECONDS

    def _fill(self, now: float) -> None:
        if now >= self._due_at:
            self._due_at = now + (self._every or ALERT_SECONDS)
            (self._readings if self._every else self._alerts).add(now)
        while not self._every and len(self._readings.waiting) < self._readings.window.room:
            self._readings.add(now)

    def _arrived(self, topic: str, payload: bytes) -> None:
        self._asked = float("-inf")
        if topic == self._refusals:
            self._refused(payload)
            return
        message = wire.read_receipts(payload)
        for lane in self._lanes if message.busy else ():
            lane.window.slow_down()
        for made in message.receipts:
            for lane in self._lanes:
                if (found := lane.waiting.get(made.id)) is not None:
                    queued, due = found
                    leaf = queued.parcel.entry.encode()
                    receipt = Receipt.from_text(made.receipt)
                    self._accept(
                        receipt.verify(leaf, origin=self._held.origin, key=self._key), message.consistency
                    )
                    del lane.waiting[made.id]
                    self.answers.append(Answer(due, time.monotonic(), lane is self._alerts))

    def _refused(self, payload: bytes) -> None:
        super()._refused(payload)  # it knows what may be refused
        now, refused = (
            time.monotonic(),
            wire.read_refusal(payload, key=self._key, origin=self._held.origin).id,
        )
        for lane in self._lanes:
            if refused in lane.waiting:
                lane.window.restart(now)


class Junk:
    """An account that publishes garbage, and waits for nothing but the broker's PUBACK, and hardly for that."""

    def __init__(self, plan: Plan, sender: Sender) -> None:
        self.offers = False
        self._under_way = 0
        self._topic = wire.up_topic(sender.key.account, "entry")
        self.connection = Connection(plan.port, sender, on_puback=self._answered)

    def send(self) -> None:
        while self.offers and self._under_way < JUNK_UNDER_WAY:
            self.connection.publish(self._topic, b'{"entry":"' + os.urandom(500).hex().encode() + b'"}')
            self._under_way += 1

    def _answered(self, _mid: int) -> None:
        self._under_way -= 1


def busy(begin: Begin, load: Load) -> Loaded:
    """Run the plan's senders as devices that have too much to say."""
    return _run(begin, load, [Author(load.plan, sender) for sender in load.plan.senders])


def quiet(begin: Begin, load: Load) -> Loaded:
    """Run the plan's senders as devices with an entry now and then."""
    return _run(begin, load, [Author(load.plan, sender, QUIET_SECONDS) for sender in load.plan.senders])


def _run(begin: Begin, load: Load, authors: Sequence[Author]) -> Loaded:
    loop, begun = _connected(begin, [each.connection for each in authors])
    while (now := time.monotonic()) < begun + load.closes:
        offers = load.begins <= now - begun < load.ends
        for each in authors:
            if offers and not each.offers:
                each.begin(now)
            each.offers = offers
        if now >= begun + load.ends and not any(each.unanswered for each in authors):
            break
        for each in authors:
            each.send(now)
        loop.turn(TURN_SECONDS / 10)
    loop.close()
    answers = [
        (each, Answer(answer.due - begun, answer.at - begun, answer.alert))
        for each in authors
        for answer in each.answers
    ]
    return Loaded(
        [answer for author, answer in answers if not author.is_quiet],
        [answer for author, answer in answers if author.is_quiet],
        sum(each.unanswered for each in authors),
    )


def junk(begin: Begin, load: Load) -> Loaded:
    """Run the plan's senders as publishers of junk."""
    senders = [Junk(load.plan, sender) for sender in load.plan.senders]
    loop, begun = _connected(begin, [each.connection for each in senders])
    while (now := time.monotonic() - begun) < load.ends:
        for each in senders:
            each.offers = now >= load.begins
            each.send()
        loop.turn(TURN_SECONDS)
    loop.close()
    return Loaded([], [], 0)


def _connected(begin: Begin, connections: Sequence[Connection]) -> tuple[Loop, float]:
    loop = Loop(connections)
    loop.until(lambda: all(each.is_up for each in connections), "connection")
    gc.collect()
    gc.freeze()
    begin()
    return loop, time.monotonic()


def measure(options: Options, progress: Progress) -> Result:
    """Raise `BenchError` if a part did not run, or a device was refused."""
    with tempfile.TemporaryDirectory(prefix="blockpost-bench-", dir=options.directory) as name:
        machine = Machine.at(Path(name))
        progress(str(machine))
        ward = Ward.make(Path(name) / "gateway", clients=max(FULL, options.clients) + QUIET + options.junk)
        ward = ward.at_free_port()
        with _running(options.broker, ward) as pids:
            wait_for_committer(ward)
            alone = _alone(ward)
            progress(
                f"{alone:,.0f} entries/s alone; now {options.clients} devices with {options.times} times that"
            )
            with _weighed(pids) as peak:
                loaded = _overload(ward, options)
        return _result(options, machine, alone, loaded, peak)


@contextmanager
def _running(broker: Broker, ward: Ward) -> Iterator[dict[str, int]]:
    """Broker, committer and web server, as in production but for TLS; their process ids, by name."""
    directory = ward.site.directory
    web = [sys.executable, "-m", "gateway.cli", "web", str(directory)]
    with ExitStack() as stack:
        config = limits(ward) if broker == "mosquitto" else None
        yield {
            "broker": stack.enter_context(process.broker(broker, ward.site, config)),
            "committer": stack.enter_context(process.committer(ward.site)),
            "web": stack.enter_context(process.running("web", web, directory)).pid,
        }


def limits(ward: Ward) -> str:
    """How much of everything Mosquitto is told to take in production, without who may come in."""
    nowhere = Path("/nowhere")
    text = configuration(
        Listener(host="", port=0, access=nowhere, authorities=nowhere, server=nowhere, revoked=nowhere)
    )
    ours = text.partition("acl_file")[0]
    return f"{ours}\nlistener {ward.site.settings.mqtt_port} 127.0.0.1\nallow_anonymous true\n"


def _plans(ward: Ward, senders: Sequence[Sender], processes: int = PROCESSES) -> list[Plan]:
    return [
        Plan(
            port=ward.site.settings.mqtt_port,
            senders=list(senders[start::processes]),
            to=ward.recipient.key.account,
            seen=ward.head(),
            gateway=ward.gateway.key.public,
            entries=0,
            chain=ward.site.chain_file,
        )
        for start in range(min(processes, len(senders)))
    ]


def _alone(ward: Ward) -> float:
    load = partial(Load, begins=0, ends=ALONE_SECONDS, closes=ALONE_SECONDS + AFTER_SECONDS)
    _, done = run_together([partial(Worker, busy, load(plan)) for plan in _plans(ward, ward.senders[:FULL])])
    return _rate(done, 0, ALONE_SECONDS)


def _rate(loaded: Sequence[Loaded], begins: float, ends: float) -> float:
    counted = sum(begins + WARM_SECONDS <= each.at < ends for one in loaded for each in one.busy)
    return counted / (ends - begins - WARM_SECONDS)


def _overload(ward: Ward, options: Options) -> list[Loaded]:
    ends = BEFORE_SECONDS + options.seconds
    own, noisy = ward.senders[:QUIET], ward.senders[QUIET : QUIET + options.junk]
    many = ward.senders[QUIET + options.junk :][: options.clients]
    load = partial(Load, begins=BEFORE_SECONDS, ends=ends, closes=ends + 2 * AFTER_SECONDS)
    always = partial(Load, begins=0, ends=ends + AFTER_SECONDS, closes=ends + 2 * AFTER_SECONDS)
    workers: list[partial[Worker[Any]]] = [
        partial(Worker, quiet, always(plan)) for plan in _plans(ward, own, 1)
    ]
    workers += [partial(Worker, busy, load(plan)) for plan in _plans(ward, many)]
    workers += [partial(Worker, junk, load(plan)) for plan in _plans(ward, noisy, 1)]
    _, done = run_together(workers)
    return done


@contextmanager
def _weighed(pids: Mapping[str, int]) -> Iterator[dict[str, float]]:
    """The most memory that each had while inside."""
    peak = dict.fromkeys(pids, 0.0)
    ended = threading.Event()

    def weigh() -> None:
        while not ended.wait(WEIGH_SECONDS):
            for name, pid in pids.items():
                peak[name] = max(peak[name], Memory.of(pid).rss_mb)

    thread = threading.Thread(target=weigh, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        ended.set()
        thread.join()


def _result(
    options: Options, machine: Machine, alone: float, loaded: Sequence[Loaded], peak: dict[str, float]
) -> Result:
    begins, ends = BEFORE_SECONDS, BEFORE_SECONDS + options.seconds
    heard = sorted((each for one in loaded for each in one.quiet), key=lambda each: each.due)
    before = _latency(each.took for each in heard if each.due < begins)
    after = [each for each in heard if each.due >= ends]
    recovery = _recovery(after, ends, NEAR * before.p50_ms / 1000)
    rate = _rate(loaded, begins, ends)
    committed = sum(not each.alert for one in loaded for each in one.busy)
    return Result(
        broker=options.broker,
        clients=options.clients,
        junk=options.junk,
        seconds=options.seconds,
        alone=round(alone, 1),
        offered=round(options.times * alone, 1),
        rate=round(rate, 1),
        ratio=round(rate / alone, 2),
        before=before,
        quiet=_latency(each.took for each in heard if begins <= each.due < ends),
        alerts=_latency(each.took for one in loaded for each in one.busy if each.alert),
        after=_latency(each.took for each in after if each.due >= ends + (recovery or 0)),
        recovery_s=recovery,
        waiting=max(0, round(options.times * alone * options.seconds) - committed),
        peak_mb=peak,
        committed=committed,
        lost=sum(each.lost for each in loaded),
        machine=machine,
    )


def _latency(seconds: Iterable[float]) -> Latency:
    ranked = sorted(seconds) or [0.0]
    p50, p99, worst = (ranked[-(-len(ranked) * percent // 100) - 1] for percent in (50, 99, 100))
    return Latency(len(ranked), _ms(p50), _ms(p99), _ms(worst))


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)


def _recovery(after: Sequence[Answer], ends: float, near: float) -> float | None:
    """Seconds from the load's end until entries are as quick as before; None if they never were."""
    for start in range(len(after) - NEAR_ENTRIES + 1):
        if median(each.took for each in after[start : start + NEAR_ENTRIES]) <= near:
            return round(after[start].due - ends, 1)
    return None


def _add(parser: argparse.ArgumentParser) -> None:
    part.add_broker(parser)
    part.add_count(parser, "clients", 100, "devices that have too much to say")
    part.add_count(parser, "seconds", 300, "of overload")
    part.add_count(parser, "times", 10, "the load, in what the gateway can do alone")
    parser.add_argument(
        "--junk",
        type=int,
        default=0,
        metavar="N",
        help="publishers of junk beside them (default %(default)s)",
    )


def _lines(result: Result) -> Iterator[str]:
    yield f"load       {result.clients} devices and {result.junk} publishers of junk on the {result.broker} broker"
    yield f"alone      {result.alone:,.0f} entries/s by {FULL} devices, as fast as they are answered"
    yield (
        f"overload   {result.offered:,.0f} entries/s offered for {result.seconds} s, {result.rate:,.0f} committed; "
        f"ratio {result.ratio:.2f}"
    )
    yield f"waiting    {result.waiting:,} entries in outboxes in the end; lost: {result.lost}"
    told = {"before": result.before, "quiet": result.quiet, "alerts": result.alerts, "after": result.after}
    for name, each in told.items():
        yield f"{name:10} p50 {each.p50_ms} ms, p99 {each.p99_ms} ms, {each.worst_ms} ms the longest of {each.count:,}"
    recovered = "never within the run" if result.recovery_s is None else f"{result.recovery_s} s"
    yield f"recovery   {recovered} from the load's end until a quiet device's entries are as quick as before"
    yield f"memory     {', '.join(f'{name} {mb} MB' for name, mb in result.peak_mb.items())}, at most"


PART = Part(
    name="overload",
    text="ten times the load that the gateway can take",
    options=Options,
    add=_add,
    measure=measure,
    lines=_lines,
    examples={
        "overload": "100 devices for five minutes",
        "overload --broker mosquitto --clients 1000 --junk 2": "1,000 of them, and two that obey no window",
    },
)
