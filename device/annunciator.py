"""
The annunciator: what is to sound, by every alert that its account hears of. Pure.

Condition, acknowledgement and sounding are three things: what an alert comes to is decided as the chain decides it
(`chain.alerts`), and what of it sounds is decided here. Whatever is in doubt makes noise: what is not proven to be its
author's may raise an alarm, and silences none.
"""

from bisect import insort
from collections.abc import Collection, Container
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from chain import alerts
from chain.alerts import URGENCY, Alert, Moment
from chain.api import AlertLine
from chain.entry import Deed, Entry, Message, Priority, Status, Tick

Level = Literal["nobody", "high", "medium", "low", "info"]

LOUDEST_FIRST: tuple[Level, ...] = ("nobody", "high", "medium", "low", "info")

MAX_OVER = 1000
"""Alerts that are over, answered, and still remembered: what comes late, or once more, is of one of these."""

MAX_WAITING = 1000
"""Answers whose message is not here: it may be that it never comes."""

LONGEST_SNOOZE_MS = 86_400_000
"""The chain takes no longer one."""

UNTIMED = Moment(0, 0)
"""The fold asks for times of commitment; nothing that sounds depends on one."""


class Heard(Struct, frozen=True):
    """An entry of the chain, at its place there. `proven`: its author signed it, by a key that was theirs."""

    index: int
    entry: Entry
    proven: bool = True


class Told(Struct, frozen=True):
    """The gateway holds an alert open, whatever its entries come to: a tick among them may have passed us by."""

    line: AlertLine


class Sound(Struct, frozen=True, kw_only=True):
    """
    What is to sound: the highest level, of as many alerts as wait for somebody.

    `over`: of none at this level the condition goes on. `of` tells them apart from those that sounded before.
    """

    level: Level
    priority: Priority
    kind: Literal["physiological", "technical"]
    count: int
    over: bool
    of: frozenset[tuple[int, int]]


class Picture(Struct, frozen=True):
    """All alerts that nobody has answered for. By some tick it was `at_least` so late (ms since 1970)."""

    open: tuple[Alert, ...] = ()
    at_least: int = 0

    def sound(self, now: int, levels: Container[Level]) -> Sound | None:
        """What is to sound at `now` (ms since 1970), where `levels` are those that are heard."""
        waiting = [alert for alert in self.open if not is_snoozed(alert, max(now, self.at_least))]
        by_level = [(level_of(alert, levels), alert) for alert in waiting]
        for level in LOUDEST_FIRST:
            if level in levels and (loudest := [alert for own, alert in by_level if own == level]):
                return _sound(level, loudest, len(waiting))
        return None


def is_snoozed(alert: Alert, now: int) -> bool:
    """Whether it is silent until later. By a clock that stands in another year no silence would end."""
    return alert.snoozed is not None and now < alert.snoozed <= now + LONGEST_SNOOZE_MS


def level_of(alert: Alert, levels: Container[Level]) -> Level:
    """Where nothing is louder than its priority, that nobody answered sounds as its priority does."""
    return "nobody" if alert.nobody is not None and "nobody" in levels else alert.priority


def _sound(level: Level, loudest: list[Alert], count: int) -> Sound:
    return Sound(
        level=level,
        priority=max((alert.priority for alert in loudest), key=URGENCY.__getitem__),
        kind="physiological" if any(alert.kind == "physiological" for alert in loudest) else "technical",
        count=count,
        over=not any(alert.active for alert in loudest),
        of=frozenset((alert.idx, alert.since) for alert in loudest),
    )


class Alarms:
    """All alerts that were heard of, from their entries in any order, each as often as it comes."""

    def __init__(self) -> None:
        self._histories: dict[tuple[str, str], _History] = {}
        self._messages: dict[str, _History] = {}
        """By the id of each of its messages."""
        self._waiting: dict[str, list[Heard]] = {}
        """Answers and deeds, by the message that they are about."""
        self._at_least = 0

    def hear(self, heard: Heard) -> bool:
        """Take it in; false if it is of an alert whose messages are not here."""
        match heard.entry:
            case Message(alert=header) if header is not None:
                self._message(heard, heard.entry, header.episode)
            case Status(about=about, state=state) if state != "seen":
                return self._about(about, heard)
            case Tick(now=now, did=did):
                self._at_least = max(self._at_least, now)
                # Each of its deeds may be of another alert.
                known = {self._about(deed.about, heard) for deed in did if deed.did != "erased"}
                return False not in known
        return True

    def name(self, line: AlertLine) -> None:
        """An alert that the gateway speaks of: its first message may be too old to be shown."""
        self._named(line.id, self._history(line.author, line.episode))

    def tell(self, line: AlertLine) -> None:
        """The gateway holds it open, whatever its entries come to."""
        self.name(line)
        self._messages[line.id].tell(line)

    def withdraw(self, line: AlertLine) -> None:
        """The gateway does not hold it open any more: its entries decide again."""
        self._history(line.author, line.episode).withdraw()

    def forget(self, entry_id: str) -> None:
        """It is of no concern to this account any more."""
        history = self._messages.get(entry_id)
        if history is not None:
            self._drop([history])

    def of(self, author: str, episode: str) -> Alert | None:
        """What became of an episode of this author's."""
        history = self._histories.get((author, episode))
        return None if history is None else history.alert

    @property
    def picture(self) -> Picture:
        found = (history.alert for history in self._histories.values())
        return Picture(tuple(alert for alert in found if alert and alert.is_open), self._at_least)

    def _message(self, heard: Heard, message: Message, episode: str) -> None:
        history = self._history(message.author, episode)
        history.add(heard)
        self._named(message.id, history)
        self._prune()

    def _history(self, author: str, episode: str) -> "_History":
        # An episode's id is its author's to choose: nobody else's message goes on with it.
        return self._histories.setdefault((author, episode), _History())

    def _named(self, entry_id: str, history: "_History") -> None:
        self._messages[entry_id] = history
        history.names.add(entry_id)
        for late in self._waiting.pop(entry_id, ()):
            history.add(late)

    def _about(self, about: str, heard: Heard) -> bool:
        history = self._messages.get(about)
        if history is not None:
            history.add(heard)
            return True
        waiting = self._waiting.setdefault(about, [])
        if heard not in waiting:
            waiting.append(heard)
        while len(self._waiting) > MAX_WAITING:
            del self._waiting[next(iter(self._waiting))]
        return False

    def _prune(self) -> None:
        if len(self._histories) <= MAX_OVER:
            return
        over = sorted(
            (each for each in self._histories.values() if each.is_over), key=lambda each: each.newest
        )
        self._drop(over[: -MAX_OVER // 2])

    def _drop(self, histories: Collection["_History"]) -> None:
        gone = {id(each) for each in histories}
        self._histories = {key: each for key, each in self._histories.items() if id(each) not in gone}
        self._messages = {key: each for key, each in self._messages.items() if id(each) not in gone}


class _History:
    """The entries of one alert, in the order of the chain, and what they come to."""

    def __init__(self) -> None:
        self._events: list[tuple[int, int, Heard | Told]] = []
        self.names: set[str] = set()
        """Its messages, those that are not here among them."""
        self._places: dict[str, int] = {}
        self._alert: Alert | None = None
        self._folded = 0
        """How many of the events the alert follows from."""

    @property
    def alert(self) -> Alert | None:
        while self._folded < len(self._events):
            self._alert = self._fold(self._alert, self._events[self._folded][2])
            self._folded += 1
        return self._alert

    @property
    def is_over(self) -> bool:
        alert = self.alert
        return alert is None or not (alert.is_open or alert.active)

    @property
    def newest(self) -> int:
        return self._events[-1][0] if self._events else 0

    def add(self, heard: Heard) -> None:
        self._insert((heard.index, 0, heard))

    def tell(self, line: AlertLine) -> None:
        self._insert((self.newest, 1, Told(line)))

    def withdraw(self) -> None:
        self._events = [event for event in self._events if isinstance(event[2], Heard)]
        self._alert, self._folded = None, 0

    def _insert(self, event: tuple[int, int, Heard | Told]) -> None:
        # What the gateway told takes the place of what it told there before, and an entry of itself.
        known = [each for each in self._events if each[:2] != event[:2]]
        late = len(known) < len(self._events) or (known and known[-1][:2] > event[:2])
        insort(known, event, key=lambda each: each[:2])
        self._events = known
        if late:
            # What comes late changes what followed.
            self._alert, self._folded = None, 0

    def _fold(self, alert: Alert | None, event: Heard | Told) -> Alert | None:
        match event:
            case Told(line=line):
                return _reopened(alert or _begun(line), line)
            case Heard(entry=Message()):
                return self._continued(alert, event)
            case Heard(entry=Status(about=about) as status, proven=True):
                return alert and alerts.answered(alert, status, self._places.get(about, -1), None, UNTIMED)
            case Heard(entry=Tick(did=did)):
                for deed in did:
                    if alert and deed.about in self.names:
                        alert = _done(alert, deed)
        return alert

    def _continued(self, alert: Alert | None, heard: Heard) -> Alert | None:
        message = heard.entry
        assert isinstance(message, Message)
        assert message.alert is not None
        self._places[message.id] = heard.index
        if alert is None:
            return alerts.begun(message, message.alert, heard.index, UNTIMED)
        header = message.alert
        if not heard.proven and (header.state == "end" or URGENCY[header.priority] < URGENCY[alert.priority]):
            return alert
        again = alerts.begins_again(alert, header)
        on = alerts.continued(alert, header, heard.index, UNTIMED)
        return replace(on, nobody=None) if again and heard.proven else on


def _done(alert: Alert, deed: Deed) -> Alert:
    match deed.did:
        case "nobody":
            return replace(alert, nobody=0)
        case "overdue":
            return replace(alert, taken_by=None, taken=None, snoozed=None, nobody=None)
        case "woken":
            return replace(alert, snoozed=None)
    return alert


def _begun(line: AlertLine) -> Alert:
    return Alert(
        idx=0,
        entry=line.id,
        author=line.author,
        episode=line.episode,
        party=line.to,
        priority=line.priority,
        kind=line.kind,
        active=line.active,
        since=0,
        began=line.began,
        changed=line.began,
        snoozed=line.snoozed_until,
    )


def _reopened(alert: Alert, line: AlertLine) -> Alert:
    nobody = 0 if line.nobody else alert.nobody
    return replace(alert, taken_by=None, taken=None, resolved=False, nobody=nobody)
