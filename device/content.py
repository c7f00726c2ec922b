"""What a message says once it is open, by its content type: a text, a reading, an episode, a file and the like."""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from chain import encoding
from chain.entry import MAX_MS, Count, Milliseconds
from device import attachment, reading
from device.attachment import File
from device.episode import MAX_READINGS, Event, Point, Rules
from device.reading import MAX_CHANNEL, MAX_UNIT, Reading

TEXT = "text/plain"
READING = "application/vnd.blockpost.reading+json"
EPISODE = "application/vnd.blockpost.episode+json"
GAP = "application/vnd.blockpost.gap+json"
HEARTBEAT = "application/vnd.blockpost.heartbeat+json"
FAULT = "application/vnd.blockpost.fault+json"
FILE = "application/vnd.blockpost.file+json"

MAX_DETAIL = 1024

RECOVERED = "recovered"
"""In place of a fault's reason: the sensor gives readings again."""

Name = Annotated[str, Meta(min_length=1, max_length=32)]


class FaultNote(Struct, frozen=True, forbid_unknown_fields=True):
    """What agents told of a sensor's fault, and of its end, before there were episodes."""

    sensor: Annotated[str, Meta(min_length=1)]
    reason: Annotated[str, Meta(min_length=1)]
    detail: str


class Episode(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What an alert of a sensor is about. Which episode it is, and whether it goes on, is in the clear header."""

    sensor: Name
    channel: Annotated[str, Meta(max_length=MAX_CHANNEL)] = ""
    what: Annotated[str, Meta(min_length=1, max_length=32)]
    """`low`, `high`, or a `device.reading.Reason`."""

    limit: int | float | None = None
    """The one that was crossed."""

    since: Milliseconds
    until: Milliseconds | None = None
    """When it was over."""

    value: int | float | None = None
    """The last reading; None where there was none."""

    unit: Annotated[str, Meta(min_length=1, max_length=MAX_UNIT)] | None = None
    code: Annotated[str, Meta(min_length=1, max_length=32)] | None = None
    """LOINC."""

    detail: Annotated[str, Meta(max_length=MAX_DETAIL)] = ""
    """What came instead of a reading, for a person."""

    readings: Annotated[tuple[Point, ...], Meta(max_length=MAX_READINGS)] = ()
    """The last ones, the oldest first."""


class Gap(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Samples that were taken and will never come."""

    sensor: Name
    from_: Milliseconds = msgspec.field(name="from")
    to: Milliseconds
    lost: Annotated[int, Meta(ge=1, le=MAX_MS)]
    reason: Annotated[str, Meta(min_length=1, max_length=32)]


class Heartbeat(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many samples of each sensor were recorded from when to when: none is news, too."""

    from_: Milliseconds = msgspec.field(name="from")
    to: Milliseconds
    sensors: dict[Name, Count]


Content = str | Reading | Episode | Gap | Heartbeat | FaultNote | File

_note = msgspec.json.Decoder(FaultNote)
_episode = msgspec.json.Decoder(Episode)
_gap = msgspec.json.Decoder(Gap)
_heartbeat = msgspec.json.Decoder(Heartbeat)
_encoder = msgspec.json.Encoder(order="sorted")


def of_event(event: Event, rules: Rules) -> Episode:
    """What is told of an episode's start, going on or end."""
    about, last = event.episode, event.last
    limit = {"low": rules.low, "high": rules.high}.get(about.what)
    return Episode(
        sensor=about.sensor,
        channel=about.channel,
        what=about.what,
        limit=limit,
        since=about.since,
        until=event.until,
        value=None if last is None else last.value,
        unit=(None if last is None else last.unit) or rules.unit,
        code=rules.code,
        detail=event.detail[:MAX_DETAIL],
        readings=event.readings,
    )


def written(said: Episode | Gap | Heartbeat) -> str:
    """The text that a message carries."""
    return _encoder.encode(said).decode()


def read(cty: str, text: str) -> Content:  # noqa: PLR0911 - a return for each content type
    """What the text says; of a content type that is not known, the text. Raise `chain.errors.Malformed`."""
    if cty == READING:
        return reading.parse_content(text)
    if cty == EPISODE:
        return encoding.read(_episode, text, what="episode")
    if cty == GAP:
        return encoding.read(_gap, text, what="gap")
    if cty == HEARTBEAT:
        return encoding.read(_heartbeat, text, what="heartbeat")
    if cty == FAULT:
        return encoding.read(_note, text, what="fault")
    if cty == FILE:
        return attachment.parse(text)
    return text
