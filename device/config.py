"""The device agent's settings: one TOML file, read once, and nothing else is read from outside."""

import re
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import msgspec
from msgspec import Meta, Struct

from device.episode import Rules
from device.errors import BadConfig
from device.preset import PRESETS, Preset

Argument = Annotated[str, Meta(pattern=r"\A[^\0]+\Z")]
Command = Annotated[tuple[Argument, ...], Meta(min_length=1)]
Address = Annotated[str, Meta(min_length=1, max_length=64)]
Addresses = Annotated[tuple[Address, ...], Meta(min_length=1)]
# A day at most: it also keeps `inf` out, which TOML can spell.
Seconds = Annotated[float, Meta(gt=0, le=86_400)]
# A longer period would be no heartbeat; 0 turns it off.
Heartbeat = Annotated[float, Meta(ge=0, le=86_400)]
# Values of a sensor; the bounds keep `inf` and `nan` out.
Amount = Annotated[float, Meta(ge=-1e12, le=1e12)]
Distance = Annotated[float, Meta(ge=0, le=1e12)]
Delay = Annotated[float, Meta(ge=0, le=86_400)]
Unit = Annotated[str, Meta(min_length=1, max_length=32)]
Priority = Literal["high", "medium", "low", "info"]

SENSOR_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")

POLL_SECONDS = 10.0
STREAM_SECONDS = 60.0
REPORT_SECONDS = 300.0
HEARTBEAT_SECONDS = 900.0

SETTINGS = (
    "unit",
    "low",
    "high",
    "clear_by",
    "must_last",
    "stale_after",
    "lowest",
    "highest",
    "stuck_after",
    "report_every",
    "priority",
)
"""What a preset may say of a sensor, and the file instead of it."""

EXAMPLE = """\
# Where alerts and readings go unless a sensor says otherwise: handles or ids of people and groups.
to = ["on-call"]
heartbeat = 900     # seconds between two messages that say how much was recorded; 0: none
# limits_from = ["dr.lee"]  # who may change limits from the page; left out: whom the sensor's alerts go to

# A sensor is a command. What it prints is the reading: a number, a JSON object
# {"value": 36.6, "unit": "Cel"}, or a SenML pack. `poll` runs it again and again.
# This one is a DS18B20 in a fridge; `ls /sys/bus/w1/devices` shows its id.
[sensors.fridge]
command = ["blockpost", "device", "read", "temperature", "--chip", "28-0316a2795b1f"]
mode = "poll"
every = 10          # seconds from one start to the next
timeout = 5         # seconds one run may take; left out: `every`, at most 10
preset = "vaccine-fridge"
# What the preset says may be said otherwise, or without one:
# unit = "Cel"          # UCUM code, for a command that prints a bare number
# low = 2               # an alert when it is below this
# high = 8              # ... or above this
# must_last = 600       # ... in all readings of so many seconds
# clear_by = 0.5        # over when it is this far inside the limit again
# stale_after = 900     # seconds without a reading that are an alert of their own
# lowest = -40          # what is below this is no reading
# highest = 60          # what is above this is no reading
# stuck_after = 21600   # seconds of exactly the same value that are a broken sensor
# report_every = 900    # seconds between two readings that are sent while all is well
# priority = "medium"   # high, medium, low or info: what its alerts are called

# Without limits, every reading is sent, and a failing command is a technical alert at once.
# `stream` keeps the command running and reads its lines.
[sensors.memory]
command = ["blockpost", "device", "read", "memory", "--every", "30"]
mode = "stream"
timeout = 90        # seconds of silence that are a fault; left out: 60
to = ["dr.lee"]     # instead of the list at the top
priority = "low"
"""
"""A whole file that loads, to begin from."""


class _Sensor(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="mode"):
    command: Command
    """What to run, word by word; there is no shell unless the command names one."""

    unit: Unit | None = None
    """UCUM code of the values, where the command itself gives none."""

    to: Addresses | None = None
    """Who receives this sensor's readings, instead of everybody in the file's own `to`."""

    preset: str | None = None
    """A name from `device.preset`: its settings count where this table has none."""

    low: Amount | None = None
    """An alert when the value is below this."""

    high: Amount | None = None
    """An alert when the value is above this."""

    clear_by: Distance | None = None
    """How far inside its limit a value has to be again for the alert to end (hysteresis); without it 0."""

    must_last: Delay | None = None
    """Seconds for which all readings have to cross a limit before it is an alert; without it 0."""

    stale_after: Delay | None = None
    """Seconds without a valid reading until a technical alert; without it the first fault is one."""

    lowest: Amount | None = None
    """A value below is impossible, and no reading."""

    highest: Amount | None = None
    """A value above is impossible, and no reading."""

    stuck_after: Seconds | None = None
    """Seconds of exactly the same value after which it is no reading; without it, never."""

    report_every: Delay | None = None
    """
    Seconds between two readings that are sent; what is an alert goes out all the same. Without it each reading is
    sent, and 300 seconds lie between two of a sensor that has limits.
    """

    priority: Priority | None = None
    """The clear header of this sensor's alerts, by which the gateway can escalate; without it `medium`."""

    def resolved(self) -> Self:
        """With what the preset says in the place of what is not said here."""
        known = PRESETS.get(self.preset or "")
        if known is None:
            return self
        given = {name: getattr(known, name) for name in SETTINGS if getattr(self, name) is None}
        return msgspec.structs.replace(self, **given)

    @property
    def rules(self) -> Rules:
        """When its values are alerts."""
        known: Preset | None = PRESETS.get(self.preset or "")
        return Rules(
            low=self.low,
            high=self.high,
            clear_by=self.clear_by or 0,
            must_last=self.must_last or 0,
            stale_after=self.stale_after or 0,
            lowest=self.lowest,
            highest=self.highest,
            stuck_after=self.stuck_after,
            unit=self.unit,
            code=None if known is None else known.code,
        )

    @property
    def called(self) -> Priority:
        """What its alerts are called."""
        return self.priority or "medium"

    @property
    def report_seconds(self) -> float:
        if self.report_every is not None:
            return self.report_every
        return REPORT_SECONDS if self.rules.are_limits else 0.0


class Poll(_Sensor, frozen=True, kw_only=True, tag="poll"):
    """A sensor whose command is run again and again; each run prints one document and ends."""

    every: Seconds
    """Seconds from the start of one run to the start of the next."""

    timeout: Seconds | None = None
    """Seconds a run may take before it is killed; without it `every`, and at most 10."""

    @property
    def patience(self) -> float:
        return min(self.every, POLL_SECONDS) if self.timeout is None else self.timeout


class Stream(_Sensor, frozen=True, kw_only=True, tag="stream"):
    """A sensor whose command keeps running; each of its lines is a document."""

    timeout: Seconds = STREAM_SECONDS
    """Seconds without a line that are a fault."""


Sensor = Poll | Stream


class Config(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one agent does. `load` is how to come by one; `EXAMPLE` is how the file looks."""

    to: Addresses
    """Who receives alerts and readings unless a sensor says otherwise: handles or ids of people and groups."""

    sensors: Annotated[dict[str, Sensor], Meta(min_length=1)]
    """What to sense, by the name the readings carry."""

    limits_from: Addresses | None = None
    """Who may change limits by a message; without it, those whom the sensor's alerts go to."""

    heartbeat: Heartbeat = HEARTBEAT_SECONDS
    """Seconds between two messages to `to` that say how much was recorded; 0 sends none."""

    @classmethod
    def load(cls, path: Path) -> Self:
        document = read_document(path)
        tables = document.get("sensors")
        if isinstance(tables, dict):
            document["sensors"] = {name: _sensor(path, name, table) for name, table in tables.items()}
        config: Self = converted(document, cls, where=f"{path}: ")
        return config

    def addressees(self, sensor: str) -> tuple[str, ...]:
        """Who receives what the sensor of this name says."""
        return self.sensors[sensor].to or self.to


def read_document(path: Path) -> dict[str, Any]:
    """The TOML file at `path`; raise `BadConfig`."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadConfig(f"{path}: cannot be read: {error.strerror}") from error
    try:
        return tomllib.loads(data.decode())
    except UnicodeDecodeError as error:
        raise BadConfig(
            f"{path}: want UTF-8, got byte {error.object[error.start]:#04x} at {error.start}"
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise BadConfig(f"{path}: not TOML: {error}") from error


def _sensor(path: Path, name: str, table: Any) -> Sensor:
    if not SENSOR_NAME.fullmatch(name):
        raise BadConfig(
            f"{path}: sensors: want a name of a-z, 0-9 and -, from a letter on, 32 at most, got {name!r}"
        )
    return read_sensor(table, where=f"{path}: sensors.{name}: ")


def read_sensor(table: Any, *, where: str = "") -> Sensor:
    """A sensor's table, with its preset's settings; raise `BadConfig` where they contradict one another."""
    sensor: Sensor = converted(table, Sensor, where=where)
    if sensor.preset is not None and sensor.preset not in PRESETS:
        raise BadConfig(f"{where}preset: want one of {', '.join(PRESETS)}, got {sensor.preset!r}")
    return consistent(sensor.resolved(), where=where)


def consistent(sensor: Sensor, *, where: str = "") -> Sensor:
    """The sensor, unless its settings contradict one another: then raise `BadConfig`."""
    order = [(name, getattr(sensor, name)) for name in ("lowest", "low", "high", "highest")]
    said = [(name, value) for name, value in order if value is not None]
    for (name, value), (other, greater) in pairwise(said):
        if value >= greater:
            raise BadConfig(f"{where}{name}: want less than {other}, which is {greater:g}, got {value:g}")
    if sensor.low is not None and sensor.high is not None:
        room = sensor.high - sensor.low
        if (sensor.clear_by or 0) > room:
            raise BadConfig(
                f"{where}clear_by: want at most {room:g}, or no alert ever ends, got {sensor.clear_by:g}"
            )
    if isinstance(sensor, Poll) and sensor.stale_after and sensor.stale_after < 2 * sensor.every:
        # What comes once in an hour is not missing after a quarter of one.
        raise BadConfig(
            f"{where}stale_after: want at least {2 * sensor.every:g}, twice what lies between two readings, "
            f"got {sensor.stale_after:g}"
        )
    if not sensor.rules.are_limits:
        for name in ("must_last", "clear_by"):
            if getattr(sensor, name) is not None:
                raise BadConfig(f"{where}{name}: want low or high with it, got neither")
    return sensor


def converted(document: Any, kind: Any, *, where: str) -> Any:
    """The document as a `kind`; raise `BadConfig` that names the key, and what stood there."""
    try:
        return msgspec.convert(document, kind, strict=True)
    except msgspec.ValidationError as error:
        raise BadConfig(where + _explained(str(error), document)) from error


def _explained(message: str, document: Any) -> str:
    """What msgspec says, led by the key it says it of, and followed by what stood there."""
    said, _, place = message.partition(" - at `$.")
    key = re.match(r"\w*", place)
    if not key or not key[0]:
        return said
    came = "" if ", got " in said or said.startswith("Invalid value") else f", got {document[key[0]]!r}"
    return f"{place.rstrip('`')}: {said}{came}"
