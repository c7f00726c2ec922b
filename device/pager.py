"""
The pager: an annunciator at work. It hears of alerts, and runs the commands that its settings have for them.

Two threads: one listens, and may have to wait for the gateway; the other sounds, and waits for nobody. What the first
cannot do, for whatever reason, the second notices: it has not been well for a while, and that sounds, too.
"""

import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from chain import notify
from chain.api import AlertLine
from chain.entry import SignedEntry
from chain.errors import ChainError
from chain.identity import account_id
from chain.wire import Delivered
from device.annunciator import Alarms, Heard, Picture, Sound
from device.client import Client, now_ms
from device.errors import DeviceError, Problem, Untrusted
from device.inbox import Inbox
from device.patterns import Patterns, as_pattern
from device.reception import CATCH_UP_SECONDS, Reception, unharmed
from device.sounder import Cue, Sounder

log = logging.getLogger(__name__)

TURN_SECONDS = 0.1
RETRY_SECONDS = 5.0
JOIN_SECONDS = 5.0

COMPARE_SECONDS = 60.0
"""How often the gateway is asked what is open, though nothing seems to be missed."""

GONE = 404

POSITION = "annunciator"
"""Its own place in the inbox: what somebody reads at the command line is not heard by that."""

Opened = Callable[[threading.Event], AbstractContextManager[Client | None]]
"""Opens the account; None if it was stopped before that could be done."""


class Post:
    """What the thread that listens leaves for the one that sounds; each value is replaced whole."""

    def __init__(self) -> None:
        self.picture: Picture | None = None
        """What is open, once that is known."""
        self.well = time.monotonic()
        """When last both the broker and the gateway were there."""
        self._ahead = now_ms() - _steady_ms()

    @property
    def now(self) -> int:
        """The gateway's time in ms, or this machine's until that is known. Nobody who sets a clock lengthens a silence."""
        return _steady_ms() + self._ahead

    def set_clock(self, now: int) -> None:
        self._ahead = now - _steady_ms()


def _steady_ms() -> int:
    return time.monotonic_ns() // 1_000_000


class Pager:
    """Sounds until told to stop. `opened` opens its account."""

    def __init__(self, patterns: Patterns, opened: Opened) -> None:
        self._patterns = patterns
        self._opened = opened
        self._post = Post()
        self._alarms = Alarms()

    def run(self, stop: threading.Event) -> None:
        listening = threading.Thread(target=self._listen, args=(stop,), name="listener", daemon=True)
        listening.start()
        sounder = Sounder()
        heart = notify.Heart()
        notify.ready()
        try:
            while not stop.wait(TURN_SECONDS):
                now = time.monotonic()
                sounder.play(cue(self._patterns, self._post, now), now)
                sounder.turn(now)
                heart.beat()
        finally:
            sounder.close()
            listening.join(JOIN_SECONDS)

    def _listen(self, stop: threading.Event) -> None:
        """Whatever ends it, it begins again; meanwhile nobody is well, which sounds."""
        every = min(CATCH_UP_SECONDS, self._patterns.fault_after / 3)
        told = ""
        while not stop.is_set():
            try:
                with self._opened(stop) as client:
                    if client is not None:
                        Listener(client, self._alarms, self._post, every).run(stop)
            except (DeviceError, ChainError, OSError, sqlite3.Error) as error:
                if str(error) != told:
                    log.warning("not listening reason=%s", error)
                told = str(error)
            except Exception:
                # Without this thread the pager would only seem to run.
                log.exception("not listening")
            stop.wait(RETRY_SECONDS)


def cue(patterns: Patterns, post: Post, now: float) -> Cue | None:
    """What is to sound; `now` is in seconds that only go on."""
    picture = post.picture
    sound = None if picture is None else picture.sound(post.now, patterns.levels)
    if sound is not None:
        name, pattern = patterns.of(sound)
        return Cue(name, pattern, says(name, sound), sound.of)
    if now - post.well >= patterns.fault_after:
        return Cue("fault", patterns.fault, says("fault"))
    if picture is not None and patterns.quiet is not None:
        return Cue("quiet", as_pattern(patterns.quiet), says("quiet"))
    return None


def says(name: str, sound: Sound | None = None) -> dict[str, str]:
    """What a command learns of what it sounds for: nothing that is secret, since all of the machine may see it."""
    told = {"BLOCKPOST_SOUND": name, "BLOCKPOST_COUNT": "0"}
    if sound is not None:
        told |= {
            "BLOCKPOST_PRIORITY": sound.priority,
            "BLOCKPOST_KIND": sound.kind,
            "BLOCKPOST_COUNT": str(sound.count),
        }
    return told


class Listener:
    """Hears what is on the chain about alerts that concern this account, and asks the gateway what is open."""

    def __init__(self, client: Client, alarms: Alarms, post: Post, every: float) -> None:
        self._client, self._alarms, self._post = client, alarms, post
        self._gateway_account = account_id(client.membership.gateway_key)
        self._messages: queue.SimpleQueue[tuple[str, bytes]] = queue.SimpleQueue()
        self._inbox = Inbox(client, name=POSITION)
        self._examined: set[tuple[str, str]] = set()
        """Alerts of which all entries were read, because the gateway says something else of them."""
        self._well = False
        self._next_comparison = 0.0
        self._reception = Reception(
            client,
            self._inbox,
            on_message=lambda topic, payload: self._messages.put((topic, payload)),
            on_up=self._connected,
            every=every,
        )

    def run(self, stop: threading.Event) -> None:
        """Listen until stopped. Raises `TwoHistories` if the gateway was caught."""
        with self._reception.opened():
            while not stop.is_set():
                self.turn()

    def turn(self) -> None:
        try:
            topic, payload = self._messages.get(timeout=TURN_SECONDS)
        except queue.Empty:
            pass
        else:
            self._arrived(topic, payload)
        now = time.monotonic()
        if self._reception.is_due(now):
            self._well = self._reception.ask(now, self._catch_up)
            if not self._well:
                self._next_comparison = 0.0
        if self._well and self._reception.link.is_up:
            self._post.well = time.monotonic()

    def _connected(self) -> None:
        self._wonder()

    def _wonder(self) -> None:
        """Something may have been missed: ask now what is open."""
        self._next_comparison = 0.0
        self._reception.hurry()

    def _arrived(self, topic: str, payload: bytes) -> None:
        if topic.rpartition("/")[2] != "entry":
            return
        with unharmed(topic):
            self._take(self._reception.news(payload))

    def _catch_up(self) -> None:
        self._client.gateway.alive()
        self._post.set_clock(self._client.gateway.site().now)
        for entries in self._inbox.pages():
            self._take(entries)
        if time.monotonic() >= self._next_comparison:
            self._next_comparison = time.monotonic() + COMPARE_SECONDS
            self._compare(self._client.gateway.alerts())
        self._post.picture = self._alarms.picture

    def _take(self, entries: Sequence[Delivered]) -> None:
        for delivered, signed in self._inbox.committed(entries):
            self._hear(delivered.index, signed)
        picture = self._alarms.picture
        # Before all is known, what is known may sound, and nothing is quiet.
        if picture.open or self._post.picture is not None:
            self._post.picture = picture

    def _hear(self, index: int, signed: SignedEntry) -> None:
        try:
            self._prove(signed)
        except (ChainError, Untrusted) as error:
            log.warning("entry not proven index=%d reason=%s", index, error)
            heard = Heard(index, signed.entry, proven=False)
        else:
            heard = Heard(index, signed.entry)
        if not self._alarms.hear(heard):
            # An alert that reached this account only now: what it was before has to be asked for.
            self._wonder()

    def _prove(self, signed: SignedEntry) -> None:
        if signed.entry.author == self._gateway_account:
            signed.verify(self._client.membership.gateway_key)
        else:
            self._client.proven(signed)

    def _compare(self, lines: list[AlertLine]) -> None:
        """
        Hold what the gateway says against what was heard.

        Where they differ, the alert's entries decide, if they can be had. If the gateway holds it open even then, by
        a page that is newer than those entries, it is open: the gateway may raise an alarm, and silences none but
        those that it raised.
        """
        for line in lines:
            key = (line.author, line.episode)
            if not self._differs(line):
                self._examined.discard(key)
            elif key not in self._examined:
                self._alarms.name(line)
                self._read(line.id)
                self._examined.add(key)
                self._wonder()
            elif is_open(line):
                log.warning("alert held open by the gateway alone alert=%s", line.id)
                self._alarms.tell(line)
            else:
                self._alarms.withdraw(line)
        listed = {(line.author, line.episode) for line in lines}
        for alert in self._alarms.picture.open:
            key = (alert.author, alert.episode)
            if key not in listed and key not in self._examined:
                self._read(alert.entry)
                if self._alarms.of(*key) is not None:
                    self._examined.add(key)

    def _differs(self, line: AlertLine) -> bool:
        held = self._alarms.of(line.author, line.episode)
        if held is None or not held.is_open:
            return is_open(line)
        return not is_open(line) or (line.nobody and held.nobody is None)

    def _read(self, alert: str) -> None:
        """Hear all of an alert's entries, unless they are not for this account any more."""
        try:
            for delivered in self._client.gateway.alert(alert):
                self._hear(delivered.index, self._client.committed(delivered))
        except Problem as problem:
            if problem.status != GONE:
                raise
            self._alarms.forget(alert)
        except ChainError as error:
            log.warning("alert not proven alert=%s reason=%s", alert, error)


def is_open(line: AlertLine) -> bool:
    """Whether nobody has answered for it."""
    return line.taken_by is None and not line.resolved
