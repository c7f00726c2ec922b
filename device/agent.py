"""
The agent: senses, seals, sends until receipted, and opens what was addressed to its account.

One loop does all the deciding. The network and each sensor have a thread that only puts events into
its queue, so that nothing here needs a lock.
"""

import contextlib
import logging
import queue
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any, NamedTuple

from msgspec import Struct, structs

from chain import notify, wire
from chain.api import AlertHeader
from chain.console import wake_at
from chain.wire import Refusal
from device import changes, content, room, sensors
from device.addressing import Addressee
from device.changes import Changes
from device.client import Client, now_ms
from device.config import Config, Sensor
from device.content import GAP, HEARTBEAT
from device.episode import Moment
from device.errors import DeviceError, Problem, Unreachable, Untrusted
from device.heartbeat import Pulse
from device.inbox import Inbox
from device.link import Link
from device.losses import Loss, Losses
from device.outbox import SENT, Lane, Note
from device.reading import Sample
from device.reception import Reception, unharmed
from device.reporting import Report, Reporter, given_up
from device.window import ALERTS, SIZE, Window

log = logging.getLogger(__name__)

TURN_SECONDS = 0.25
"""Between two looks at what only time brings, and at what another process of this account has put into the outbox."""

EVENTS_A_TURN = 256
"""However much comes in, what waits to go out has its turn."""

REFRESH_SECONDS = 10.0
"""How often it is looked whether limits were forgotten at the command line, and who was not told of them."""

FORESIGHT_SECONDS = 3600.0
"""How often it is asked to whom alerts would go that there are not yet: the gateway may be away when there are."""

LOOKUP_SECONDS = 10.0
"""How long the addressees of a name are taken as known."""

RETRY_SECONDS = 1.0
DRAIN_SECONDS = 10.0
MAX_UNSEALED = 10_000
MAX_WAITING = 10_000

ABOUT_THE_AUTHOR = frozenset({"revoked", "stranger", "key", "signature", "origin"})
"""Rules that no entry of this account will pass: they stay in the outbox, and the agent stops."""


class Sampled(Struct, frozen=True):
    sensor: str
    sample: Sample
    taken: Moment


class Overrun(Struct, frozen=True):
    """Samples that came while too many waited already."""

    loss: Loss


class Arrived(Struct, frozen=True):
    topic: str
    payload: bytes


class Connected(Struct, frozen=True):
    pass


class Stopped(Struct, frozen=True):
    pass


Event = Sampled | Overrun | Arrived | Connected | Stopped
Show = Callable[[dict[str, Any]], None]
"""Told what happened, as a flat document with an `event`."""


class Halted(DeviceError):
    """The gateway refuses this account; what waits stays in the outbox."""


class _Unsealed(NamedTuple):
    sensor: str | None
    """None for what is not of one sensor."""

    to: str
    report: Report


Way = tuple[str, AlertHeader | None]
"""A name, and what kind of alert is for it, if it is one."""


class Intake:
    """What a sensor's thread calls with each sample: it counts, rather than fill the memory of a slow agent."""

    def __init__(self, sensor: str, events: queue.SimpleQueue[Event]) -> None:
        self._sensor, self._events = sensor, events
        self._lost: Loss | None = None

    def __call__(self, sample: Sample) -> None:
        now = moment()
        if self._events.qsize() >= MAX_WAITING:
            begun, samples = (now.at, 0) if self._lost is None else (self._lost.begun, self._lost.samples)
            self._lost = Loss(self._sensor, begun, now.at, samples + 1, "busy")
            return
        if self._lost is not None:
            self._events.put(Overrun(self._lost))
            self._lost = None
        self._events.put(Sampled(self._sensor, sample, now))


def _ways(config: Config) -> Iterator[Way]:
    """Of the alerts that the sensors may raise."""
    for name, sensor in config.sensors.items():
        headers = AlertHeader("physiological", sensor.called), AlertHeader("technical", sensor.called)
        yield from product(config.addressees(name), headers)


def moment() -> Moment:
    return Moment(time.monotonic_ns() // 1_000_000, now_ms())


class Agent:
    """
    Runs one account until told to stop. `config` brings its sensors, if it has any.

    `show` is told of every step: queued, sent, receipted, refused, opened, fault.
    """

    def __init__(self, client: Client, show: Show, config: Config | None = None) -> None:
        self._client = client
        self._show = show
        self._config = config
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._windows: dict[Lane, Window] = {"alert": Window(size=ALERTS), "message": Window(size=SIZE)}
        self._unsealed: dict[Lane, deque[_Unsealed]] = {lane: deque() for lane in SENT}
        self._losses = Losses()
        self._known: dict[Way, tuple[Addressee, float]] = {}
        self._reporters: dict[str, Reporter] = {}
        self._pulse: Pulse | None = None
        self._changes: Changes | None = None
        if config is None:
            self._inbox = Inbox(client)
        else:
            self._changes = Changes(client, config, adopt=self._adopt, show=show)
            self._inbox = Inbox(client, name=changes.POSITION, heed=self._changes.heed)
            self._resume(self._changes.config, moment())
        self._no_room = False
        self._sent_at: dict[str, float] = {}
        self._missing: dict[str, float] = {}
        self._next_refresh = self._next_foresight = 0.0
        self._reception = Reception(
            client,
            self._inbox,
            on_message=lambda topic, payload: self._events.put(Arrived(topic, payload)),
            on_up=lambda: self._events.put(Connected()),
        )

    @property
    def _link(self) -> Link:
        return self._reception.link

    def run(self, stop: threading.Event, until: Callable[[], bool] = lambda: False) -> None:
        """
        Work until `stop` is set or `until` holds; then let what waits go out, for at most ten seconds.

        Raises `TwoHistories` or `Halted` when the gateway, or this account at the gateway, is at an end, and
        `BadDocument` when the outbox is.
        """
        sensing = threading.Event()
        for name, sensor in (self._config.sensors if self._config else {}).items():
            threading.Thread(
                target=sensors.run,
                args=(name, sensor, Intake(name, self._events), sensing),
                kwargs={"now_ms": now_ms},
                name=f"sensor-{name}",
                daemon=True,
            ).start()
        wake_at(stop, lambda: self._events.put(Stopped()))
        heart = notify.Heart()
        try:
            with self._reception.opened():
                notify.ready()
                while not stop.is_set() and not until():
                    self._turn()
                    heart.beat()
                sensing.set()
                deadline = time.monotonic() + DRAIN_SECONDS
                while self._waits() and time.monotonic() < deadline:
                    self._turn()
                if self._config is not None and not any(self._unsealed.values()):
                    self._client.outbox.set_counter("recorded", now_ms())
        except sqlite3.Error as error:
            raise self._client.outbox.broken(error) from error
        finally:
            sensing.set()

    def _waits(self) -> bool:
        """Whether there is something that could still be done: what cannot be sent now is safe where it is."""
        if any(self._unsealed.values()) or not self._events.empty():
            return True
        return self._link.is_up and any(self._client.outbox.pending(lane, 1) for lane in SENT)

    def _turn(self) -> None:
        """Go on, also where the disk takes nothing: what is not kept is not acknowledged, and comes again."""
        try:
            self._work()
        except (sqlite3.Error, OSError) as error:
            self._held_up(error)

    def _held_up(self, error: Exception) -> None:
        """Say once that nothing can be kept; raise `error` if that will not pass."""
        if not room.may_come(error):
            raise error
        if not self._no_room:
            log.error("nothing can be kept reason=%s; what is sensed waits in memory", error)
        self._no_room = True

    def _kept(self) -> None:
        if self._no_room:
            log.warning("what waited in memory is kept now: the disk takes it again")
        self._no_room = False

    def _work(self) -> None:
        """Handle what happened, then send what is due."""
        for event in self._happened():
            self._handle(event)
        if self._events.empty():
            # Nobody is silent whose words wait to be heard.
            self._passed(moment())
        now = time.monotonic()
        if self._changes is not None and now >= self._next_refresh:
            self._next_refresh = now + REFRESH_SECONDS
            self._changes.refresh()
            self._tell_settings(self._changes)
        if any(self._unsealed.values()):
            self._seal(now)
        if self._link.is_up and self._reception.is_due(now):
            self._reception.ask(now, self._catch_up)
        self._send(now)
        if self._link.is_up and now >= self._next_foresight:
            self._foresee(now)

    def _happened(self) -> Iterator[Event]:
        """The next event, if one comes within a turn, and those that wait behind it."""
        with contextlib.suppress(queue.Empty):
            yield self._events.get(timeout=TURN_SECONDS)
            for _ in range(EVENTS_A_TURN):
                yield self._events.get_nowait()

    def _handle(self, event: Event) -> None:
        match event:
            case Stopped():
                pass  # it only ends the wait
            case Connected():
                for window in self._windows.values():
                    window.reconnected()
                self._reception.hurry()
            case Sampled(sensor, sample, taken):
                self._sensed(sensor, sample, taken)
            case Overrun(loss):
                self._lose(loss)
            case Arrived(topic, payload):
                with unharmed(topic):
                    self._arrived(topic.rpartition("/")[2], payload)

    # Sensing and sealing

    def _resume(self, config: Config, now: Moment) -> None:
        """Begin to watch, and go on with the episodes of before a restart."""
        opened = self._client.outbox.episodes()
        for name, sensor in config.sensors.items():
            mine = [episode for episode in opened if episode.sensor == name]
            self._reporters[name] = Reporter(name, sensor, now, mine)
        for episode in opened:
            if episode.sensor not in config.sensors:
                self._tell(episode.sensor, given_up(episode, now), config.to)
        recorded = self._client.outbox.counter("recorded") or None
        self._pulse = Pulse(config.heartbeat, recorded, now)

    def _adopt(self, name: str, sensor: Sensor) -> None:
        """A sensor's limits are others: whoever it alerts is told in this turn."""
        self._reporters[name].adopt(sensor)
        self._next_refresh = 0.0

    def _tell_settings(self, changes: Changes) -> None:
        waiting = {each.to for each in self._unsealed["message"] if each.report.note.told}
        for name in changes.untold():
            if name not in waiting:
                self._tell(None, changes.report(name), (name,))

    def _sensed(self, sensor: str, sample: Sample, taken: Moment) -> None:
        assert self._config is not None
        self._show({"event": "sensed", "sensor": sensor, **structs.asdict(sample)})
        for report in self._reporters[sensor].report(sample, taken):
            self._tell(sensor, report, self._config.addressees(sensor))

    def _passed(self, now: Moment) -> None:
        """What is to be told because time has passed."""
        if self._config is None or self._pulse is None:
            return
        for sensor, reporter in self._reporters.items():
            for report in reporter.tick(now):
                self._tell(sensor, report, self._config.addressees(sensor))
        for beat in self._pulse.beats(now, self._taken):
            report = Report(content.written(beat), HEARTBEAT, None, Note(recorded=beat.to))
            self._tell(None, report, self._config.to)
        waiting = {each.to for unsealed in self._unsealed.values() for each in unsealed}
        for name, gap in self._losses.told(waiting):
            report = Report(content.written(gap), GAP, None, Note(recorded=gap.to))
            self._tell(None, report, (name,))

    def _taken(self) -> dict[str, int]:
        return {name: reporter.taken() for name, reporter in self._reporters.items()}

    def _tell(self, sensor: str | None, report: Report, to: Sequence[str]) -> None:
        """Have it sealed. An episode is over once the last of its addressees was told."""
        unsealed = self._unsealed["message" if report.alert is None else "alert"]
        others = structs.replace(report, note=structs.replace(report.note, closes=None))
        unsealed.extend(_Unsealed(sensor, name, others) for name in to[:-1])
        unsealed.append(_Unsealed(sensor, to[-1], report))
        while sum(map(len, self._unsealed.values())) > MAX_UNSEALED:
            self._drop()

    def _drop(self) -> None:
        """The oldest reading goes, and an alert only when there are no readings."""
        gone = (self._unsealed["message"] or self._unsealed["alert"]).popleft()
        at = gone.report.note.recorded
        if gone.sensor is not None and at is not None:
            self._losses.add(gone.to, Loss(gone.sensor, at, at, 1, "unsealed"))
        log.error("report dropped to=%s reason=no_addressee_was_ever_found", gone.to)

    def _lose(self, loss: Loss) -> None:
        assert self._config is not None
        log.error("samples lost sensor=%s count=%d reason=%s", loss.sensor, loss.samples, loss.reason)
        for name in self._config.addressees(loss.sensor):
            self._losses.add(name, loss)

    def _seal(self, now: float) -> None:
        """Seal what was sensed. What is for an addressee that cannot be found waits, and nothing else does."""
        for lane in SENT:
            waiting: deque[_Unsealed] = deque()
            unsealed = self._unsealed[lane]
            while unsealed:
                each = unsealed.popleft()
                if not self._sealed(each, now):
                    waiting.append(each)
            self._unsealed[lane] = waiting

    def _sealed(self, each: _Unsealed, now: float) -> bool:
        """Whether its addressee was found, and it is in the outbox; whoever is missing is asked for again later."""
        if now < self._missing.get(each.to, 0):
            return False
        try:
            alert = each.report.alert
            header = None if alert is None else AlertHeader(alert.kind, alert.priority)
            to = self._addressee((each.to, header), now)
        except (Unreachable, Problem, Untrusted) as error:
            log.warning("addressee not found name=%s reason=%s", each.to, error)
            self._missing[each.to] = now + RETRY_SECONDS
            return False
        except OSError as error:
            # The address book has no room for what it learnt.
            self._held_up(error)
            self._missing[each.to] = now + RETRY_SECONDS
            return False
        said = each.report
        if said.note.told and self._changes is not None:
            # It may have waited for long: what is in force is what it is to say.
            said = self._changes.report(each.to)
        try:
            queued = self._client.write_message(
                to, said.content, cty=said.cty, alert=said.alert, note=said.note
            )
        except (sqlite3.Error, OSError) as error:
            self._held_up(error)
            self._missing[each.to] = now + RETRY_SECONDS
            return False
        self._kept()
        self._show({"event": "queued", "id": queued.id, "to": each.to, "cty": said.cty})
        return True

    def _addressee(self, way: Way, now: float) -> Addressee:
        known = self._known.get(way)
        if known is None or now >= known[1]:
            to = self._client.directory.addressee(*way)
            known = self._known[way] = (to, now + LOOKUP_SECONDS)
        return known[0]

    def _foresee(self, now: float) -> None:
        """Learn where alerts would go; what cannot be learnt now is asked for when there is one."""
        self._next_foresight = now + FORESIGHT_SECONDS
        for way in () if self._changes is None else _ways(self._changes.config):
            try:
                self._addressee(way, now)
            except Unreachable:
                self._next_foresight = now + LOOKUP_SECONDS
                return
            except (Problem, Untrusted) as error:
                log.warning("alerts would not arrive name=%s reason=%s", way[0], error)

    # Sending

    def _send(self, now: float) -> None:
        if not self._link.is_up:
            return
        for lane, window in self._windows.items():
            for queued, after in window.due(self._client.outbox.pending(lane, window.size), now):
                self._link.publish(wire.encode(structs.replace(queued.parcel, after=after)))
                if queued.id not in self._sent_at:
                    self._sent_at[queued.id] = now
                    self._show({"event": "sent", "id": queued.id})

    # Receiving

    def _arrived(self, lane: str, payload: bytes) -> None:
        match lane:
            case "receipt":
                self._receipted(payload)
            case "refusal":
                self._refused(payload)
            case "entry":
                self._delivered(payload)

    def _receipted(self, payload: bytes) -> None:
        message = wire.read_receipts(payload)
        if message.busy:
            for window in self._windows.values():
                window.slow_down()
        released: list[str] = []
        try:
            for made in message.receipts:
                queued = self._client.outbox.get(made.id)
                # What was sent twice is receipted twice, perhaps in one message.
                if queued is None or made.id in released:
                    continue
                leaf = queued.parcel.entry.encode()
                receipt = self._client.trust.accept_receipt(made.receipt, leaf, message.consistency)
                released.append(made.id)
                self._show_receipt(made.id, receipt.index)
        finally:
            self._client.outbox.release(released)

    def _show_receipt(self, entry_id: str, index: int) -> None:
        sent = self._sent_at.pop(entry_id, None)
        latency = None if sent is None else round((time.monotonic() - sent) * 1000, 1)
        self._show({"event": "receipted", "id": entry_id, "index": index, "latency_ms": latency})

    def _refused(self, payload: bytes) -> None:
        membership = self._client.membership
        refusal = wire.read_refusal(payload, key=membership.gateway_key, origin=membership.origin)
        refused = None if refusal.id is None else self._client.outbox.get(refusal.id)
        if refused is None:
            return
        if refusal.rule == "gap":
            self._windows[refused.lane].restart(time.monotonic())
            return
        if refusal.rule == "history":
            raise self._client.trust.catch(
                payload.decode("ascii"), f"it disowns its own history: {refusal.reason}"
            )
        if refusal.rule in ABOUT_THE_AUTHOR:
            raise Halted(f"the gateway refuses this account: {refusal.rule}: {refusal.reason}")
        self._reject(refusal, refused.id)

    def _reject(self, refusal: Refusal, entry_id: str) -> None:
        self._client.outbox.reject(entry_id, refusal.rule, refusal.reason)
        self._sent_at.pop(entry_id, None)
        self._known.clear()
        self._show({"event": "refused", "id": entry_id, "rule": refusal.rule, "reason": refusal.reason})

    def _delivered(self, payload: bytes) -> None:
        for event in self._inbox.take(self._reception.news(payload)):
            self._show(event)

    def _catch_up(self) -> None:
        for event in self._inbox.catch_up():
            self._show(event)
