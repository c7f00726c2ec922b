"""What a message says once it is open, by its content type: a text, a reading, an episode, a file and the like."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from chain import encoding
from chain.encoding import Bytes32
from chain.entry import MAX_MS, Count, EntryId, Milliseconds
from chain.identity import AccountId
from device import attachment, reading
from device.attachment import File
from device.config import Amount, Delay, Distance, Priority
from device.episode import MAX_READINGS, Event, Point, Rules
from device.reading import MAX_CHANNEL, MAX_UNIT, Reading

TEXT = "text/plain"
READING = "application/vnd.blockpost.reading+json"
EPISODE = "application/vnd.blockpost.episode+json"
GAP = "application/vnd.blockpost.gap+json"
HEARTBEAT = "application/vnd.blockpost.heartbeat+json"
FAULT = "application/vnd.blockpost.fault+json"
FILE = "application/vnd.blockpost.file+json"
LIMITS = "application/vnd.blockpost.limits+json"
SETTINGS = "application/vnd.blockpost.settings+json"
FORWARD = "application/vnd.blockpost.forward+json"
DRILL = "application/vnd.blockpost.drill+json"

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


class LimitValues(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What is to be changed, at least one: null is to do without it, and what is left out stays as it is."""

    low: Amount | UnsetType | None = UNSET
    high: Amount | UnsetType | None = UNSET
    clear_by: Distance | UnsetType | None = UNSET
    must_last: Delay | UnsetType | None = UNSET
    stale_after: Delay | UnsetType | None = UNSET
    priority: Priority | UnsetType | None = UNSET

    def __post_init__(self) -> None:
        if not self.given:
            raise ValueError("want at least one of low, high, clear_by, must_last, stale_after and priority")

    @property
    def given(self) -> dict[str, Any]:
        return {name: value for name in self.__struct_fields__ if (value := getattr(self, name)) is not UNSET}


class LimitsChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person asks a device to change the limits of one of its sensors, all channels of it."""

    sensor: Name
    set: LimitValues


class SensorSettings(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """When the values of a sensor are alerts, as it is in force."""

    sensor: Name
    low: Amount | None = None
    high: Amount | None = None
    clear_by: Distance = 0
    must_last: Delay = 0
    stale_after: Delay = 0
    priority: Priority
    unit: Annotated[str, Meta(min_length=1, max_length=MAX_UNIT)] | None = None
    code: Annotated[str, Meta(min_length=1, max_length=32)] | None = None
    """LOINC."""

    preset: Annotated[str, Meta(min_length=1, max_length=32)] | None = None
    by: AccountId | None = None
    """Whose change is in force, rather than the device's own file; `at` and `request` go with it."""

    at: Milliseconds | None = None
    request: EntryId | None = None


class DeviceSettings(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A device tells those whom it alerts what it watches for; or why it did not do what one of them asked."""

    sensors: tuple[SensorSettings, ...]
    refused: Annotated[str, Meta(min_length=1, max_length=MAX_DETAIL)] | None = None


class Forward(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message, handed on to somebody for whom it was not sealed; `device.forward` checks it."""

    about: EntryId
    """The message's own entry."""

    cty: Annotated[str, Meta(pattern=r"\A[!-~]{1,127}\Z")]
    content: str
    fk: Bytes32


class Drill(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An alert that is only to find out whether alerts are heard."""

    text: Annotated[str, Meta(min_length=1, max_length=MAX_DETAIL)]


Content = (
    str
    | Reading
    | Episode
    | Gap
    | Heartbeat
    | FaultNote
    | File
    | LimitsChange
    | DeviceSettings
    | Forward
    | Drill
)

_decoders: dict[str, tuple[msgspec.json.Decoder[Content], str]] = {
    EPISODE: (msgspec.json.Decoder(Episode), "episode"),
    GAP: (msgspec.json.Decoder(Gap), "gap"),
    HEARTBEAT: (msgspec.json.Decoder(Heartbeat), "heartbeat"),
    FAULT: (msgspec.json.Decoder(FaultNote), "fault"),
    LIMITS: (msgspec.json.Decoder(LimitsChange), "limits"),
    SETTINGS: (msgspec.json.Decoder(DeviceSettings), "settings"),
    FORWARD: (msgspec.json.Decoder(Forward), "forward"),
    DRILL: (msgspec.json.Decoder(Drill), "drill"),
}
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


def written(said: Episode | Gap | Heartbeat | LimitsChange | DeviceSettings | Forward | Drill) -> str:
    """The text that a message carries."""
    return _encoder.encode(said).decode()


def read(cty: str, text: str) -> Content:
    """What the text says; of a content type that is not known, the text. Raise `chain.errors.Malformed`."""
    if cty == READING:
        return reading.parse_content(text)
    if cty == FILE:
        return attachment.parse(text)
    if cty not in _decoders:
        return text
    decoder, what = _decoders[cty]
    return encoding.read(decoder, text, what=what)
