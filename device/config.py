"""The device agent's settings: one TOML file, read once, and nothing else is read from outside."""

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import msgspec
from msgspec import Meta, Struct

from device.errors import BadConfig

Argument = Annotated[str, Meta(pattern=r"\A[^\0]+\Z")]
Command = Annotated[tuple[Argument, ...], Meta(min_length=1)]
Address = Annotated[str, Meta(min_length=1, max_length=64)]
Addresses = Annotated[tuple[Address, ...], Meta(min_length=1)]
# A day at most: it also keeps `inf` out, which TOML can spell.
Seconds = Annotated[float, Meta(gt=0, le=86_400)]
Unit = Annotated[str, Meta(min_length=1, max_length=32)]
Priority = Literal["high", "medium", "low", "info"]

SENSOR_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")

POLL_SECONDS = 10.0
STREAM_SECONDS = 60.0

EXAMPLE = """\
# Where alerts and readings go unless a sensor says otherwise: handles or ids of people and groups.
to = ["on-call"]

# A sensor is a command. What it prints is the reading: a number, a JSON object
# {"value": 36.6, "unit": "Cel"}, or a SenML pack. `poll` runs it again and again.
[sensors.load]
command = ["blockpost", "device", "read", "load"]
mode = "poll"
every = 10          # seconds from one start to the next
timeout = 5         # seconds one run may take; left out: `every`, at most 10
unit = "1"          # UCUM code, for a command that prints a bare number

# `stream` keeps the command running and reads its lines.
[sensors.memory]
command = ["blockpost", "device", "read", "memory", "--every", "30"]
mode = "stream"
timeout = 90        # seconds of silence that are a fault; left out: 60
to = ["dr.lee"]     # instead of the list at the top
priority = "low"    # high, medium, low or info: a clear header the gateway can escalate by
"""
"""A whole file that loads, to begin from."""


class _Sensor(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="mode"):
    command: Command
    """What to run, word by word; there is no shell unless the command names one."""

    unit: Unit | None = None
    """UCUM code of the values, where the command itself gives none."""

    to: Addresses | None = None
    """Who receives this sensor's readings, instead of everybody in the file's own `to`."""

    priority: Priority | None = None
    """The clear alert header this sensor's readings carry; without it they carry none."""


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

    @classmethod
    def load(cls, path: Path) -> Self:
        try:
            data = path.read_bytes()
        except OSError as error:
            raise BadConfig(f"{path}: cannot be read: {error.strerror}") from error
        try:
            document = tomllib.loads(data.decode())
        except UnicodeDecodeError as error:
            raise BadConfig(
                f"{path}: want UTF-8, got byte {error.object[error.start]:#04x} at {error.start}"
            ) from error
        except tomllib.TOMLDecodeError as error:
            raise BadConfig(f"{path}: not TOML: {error}") from error
        tables = document.get("sensors")
        if isinstance(tables, dict):
            document["sensors"] = {name: _sensor(path, name, table) for name, table in tables.items()}
        config: Self = _convert(document, cls, where=f"{path}: ")
        return config

    def addressees(self, sensor: str) -> tuple[str, ...]:
        """Who receives what the sensor of this name says."""
        return self.sensors[sensor].to or self.to


def _sensor(path: Path, name: str, table: Any) -> Sensor:
    if not SENSOR_NAME.fullmatch(name):
        raise BadConfig(
            f"{path}: sensors: want a name of a-z, 0-9 and -, from a letter on, 32 at most, got {name!r}"
        )
    sensor: Sensor = _convert(table, Sensor, where=f"{path}: sensors.{name}: ")
    return sensor


def _convert(document: Any, kind: Any, *, where: str) -> Any:
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
