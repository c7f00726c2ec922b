"""
Reporting: which samples of a sensor are worth a message, and the clear header each one carries.

Alerts are what `device.episode` makes of the samples; readings are sent beside them, as often as the settings say.
"""

import secrets
from collections.abc import Iterable

from msgspec import Struct

from chain import entry
from chain.entry import Alert
from device.config import Sensor
from device.content import EPISODE, READING, of_event, written
from device.episode import Event, Moment, Open, Rules, Watch
from device.outbox import Note
from device.reading import Fault, Reading, Sample, content

NO_LONGER_WATCHED = "it is not watched any more"


class Report(Struct, frozen=True):
    """A message to send: its content, what kind of string that is, its alert header, and what to remember with it."""

    content: str
    cty: str
    alert: Alert | None
    note: Note


class Reporter:
    """One sensor's reports. Its episodes are opaque: a header tells nobody which sensor it is of."""

    def __init__(self, name: str, sensor: Sensor, now: Moment, opened: Iterable[Open] = ()) -> None:
        """`opened` are this sensor's episodes of before a restart."""
        self._name = name
        self._take(sensor)
        self._due: dict[str, float] = {}
        self._taken = 0
        by_channel: dict[str, tuple[Open, ...]] = {"": ()}
        for episode in opened:
            by_channel[episode.channel] = (*by_channel.get(episode.channel, ()), episode)
        self._watches = {
            channel: self._watch(channel, now, episodes) for channel, episodes in by_channel.items()
        }

    def adopt(self, sensor: Sensor) -> None:
        """Watch by other settings from the next reading on."""
        self._take(sensor)
        for watch in self._watches.values():
            watch.adopt(self._rules)

    def _take(self, sensor: Sensor) -> None:
        self._rules, self._priority = sensor.rules, sensor.called
        self._every_ms = 1000 * sensor.report_seconds

    def report(self, sample: Sample, now: Moment) -> list[Report]:
        """What a sample is worth telling."""
        told = self._named(sample, now)
        # A fault that names no value is one of all of them.
        whole = isinstance(sample, Fault) and not sample.channel
        for channel in list(self._watches) if whole else [sample.channel]:
            told += self._of(channel, now).observe(sample, now)
        reports = self._reports(told, now)
        if isinstance(sample, Reading) and self._watches[sample.channel].last is sample:
            self._taken += 1
            reports += self._routine(sample, now)
        return reports

    def taken(self) -> int:
        """How many valid readings there were since this was last asked."""
        taken, self._taken = self._taken, 0
        return taken

    def tick(self, now: Moment) -> list[Report]:
        """What the time that passed is worth telling."""
        return self._reports((event for watch in self._watches.values() for event in watch.tick(now)), now)

    def _named(self, sample: Sample, now: Moment) -> list[Event]:
        """A sensor that names its values: nothing is to be expected from one without a name."""
        whole = self._watches.get("")
        if not sample.channel or whole is None or whole.last is not None:
            return []
        del self._watches[""]
        return whole.recover(now)

    def _routine(self, reading: Reading, now: Moment) -> list[Report]:
        """Every reading, or, where they are judged here, one now and then; as the sensor gave it."""
        if now.ms < self._due.get(reading.channel, now.ms):
            return []
        self._due[reading.channel] = now.ms + self._every_ms
        return [Report(content(reading), READING, None, Note(recorded=now.at))]

    def _of(self, channel: str, now: Moment) -> Watch:
        if channel not in self._watches:
            self._watches[channel] = self._watch(channel, now)
        return self._watches[channel]

    def _watch(self, channel: str, now: Moment, opened: tuple[Open, ...] = ()) -> Watch:
        return Watch(self._name, channel, self._rules, now, new_id=_new_id, opened=opened)

    def _reports(self, events: Iterable[Event], now: Moment) -> list[Report]:
        return [
            Report(
                written(of_event(event, self._rules)),
                EPISODE,
                Alert(event.episode.id, event.episode.kind, self._priority, event.state),
                _note(event, now),
            )
            for event in events
        ]


def given_up(episode: Open, now: Moment) -> Report:
    """The end of an episode of before a restart whose sensor is not in the settings any more."""
    event = Event(
        state="end", episode=episode, detail=NO_LONGER_WATCHED, last=None, readings=(), until=now.at
    )
    # What it was called is not known any more; nothing rises above the lowest.
    header = Alert(episode.id, episode.kind, "info", "end")
    return Report(written(of_event(event, Rules())), EPISODE, header, _note(event, now))


def _note(event: Event, now: Moment) -> Note:
    if event.state == "end":
        return Note(recorded=now.at, closes=event.episode)
    return Note(recorded=now.at, opens=event.episode)


def _new_id() -> str:
    return entry.new_stream(secrets.token_bytes)
