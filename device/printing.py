"""How what happened is printed: JSON for programs, sentences for people."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from chain.errors import Malformed
from device import content
from device.attachment import File
from device.content import (
    FORWARD,
    RECOVERED,
    DeviceSettings,
    Drill,
    Episode,
    FaultNote,
    Forward,
    Gap,
    Heartbeat,
    LimitsChange,
    SensorSettings,
)
from device.explaining import amount
from device.reading import LAST_MS, Reading

KIB = 1024

RECOVERY_CODE = """\
the password is set; a recovery code goes with it:
{code}
write it down and keep it safe: who forgets the password logs in with it, and it is not shown again"""


def printer(*, as_json: bool) -> Callable[[dict[str, Any]], None]:
    """What prints an event: as a JSON object a line, or as a sentence for a person."""

    def show(event: dict[str, Any]) -> None:
        print(msgspec.json.encode(event).decode() if as_json else _printable(_line(event)), flush=True)

    return show


def utc(milliseconds: int) -> str:
    """A moment, to the minute; one after the year 9999 has no date."""
    if milliseconds > LAST_MS:
        return f"{milliseconds} ms after 1970"
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%d %H:%M} UTC"


def _line(event: dict[str, Any]) -> str:  # noqa: PLR0911 - a return for each event
    match event:
        case {
            "event": "opened",
            "from": author,
            "original": {"event": "opened", "from": first, "text": text, "cty": cty, "index": index},
        }:
            return f"{first}: {said(text, cty)} [entry {index}, verified; handed on by {author}]"
        case {"event": "opened", "from": author, "text": text, "cty": cty, "index": index}:
            return f"{author}: {said(text, cty)} [entry {index}, verified]"
        case {"event": "unopened", "from": author, "index": index}:
            return f"{author}: (cannot be opened) [entry {index}, verified]"
        case {"event": "sensed", "sensor": sensor, "value": value, "unit": unit}:
            return f"sensed {sensor} = {amount(value, unit)}"
        case {"event": "password", "recovery": code}:
            return RECOVERY_CODE.format(code=code)
        case {"event": name, **rest}:
            return f"{name} " + " ".join(f"{key}={value}" for key, value in rest.items() if value is not None)
    return str(event)


def said(text: str, cty: str) -> str:  # noqa: PLR0911 - a return for each content type
    """A message's content as a person reads it."""
    try:
        says = content.read(cty, text)
    except Malformed:
        return text  # its author calls it a reading, and it is none
    match says:
        case str():
            return says
        case File(name=name, text=words):
            return f"[file {name}, {_size(len(says.payload))}] {words}".rstrip()
        case Episode():
            return _episode(says)
        case FaultNote():
            return _fault(says)
        case Reading() | Gap() | Heartbeat():
            return _record(says)
        case Drill(text=words):
            return f"(drill) {words}"
        case Forward():
            return f"(handed on, not proven) {_handed_on(says)}"
    return _limits(says)


def _handed_on(says: Forward) -> str:
    # One inside of another is none: nobody proves it, and it could go on without an end.
    return says.content if says.cty == FORWARD else said(says.content, says.cty)


def _limits(says: LimitsChange | DeviceSettings) -> str:
    """What is wanted of a sensor, or what is in force."""
    if isinstance(says, LimitsChange):
        wanted = ", ".join(
            f"{name} = {'none' if value is None else value}" for name, value in says.set.given.items()
        )
        return f"{says.sensor}: please set {wanted}"
    watched = "; ".join(map(_watched, says.sensors)) or "nothing"
    return f"refused: {says.refused}" if says.refused else f"limits in force: {watched}"


def _watched(sensor: SensorSettings) -> str:
    """`fridge below 2 Cel or above 8 Cel (medium)`."""
    limits = [
        f"{side} {amount(limit, sensor.unit)}"
        for side, limit in (("below", sensor.low), ("above", sensor.high))
        if limit is not None
    ]
    return f"{sensor.sensor} {' or '.join(limits) or 'without limits'} ({sensor.priority})"


def _record(says: Reading | Gap | Heartbeat) -> str:
    """What was measured, what was lost, and how much it was in all."""
    match says:
        case Reading(sensor=sensor, value=value, unit=unit):
            return f"{sensor} = {amount(value, unit)}"
        case Gap(sensor=sensor, lost=lost):
            return f"{sensor}: {lost} samples lost from {utc(says.from_)} to {utc(says.to)} ({says.reason})"
    counts = ", ".join(f"{name} {count}" for name, count in says.sensors.items()) or "nothing"
    return f"recorded from {utc(says.from_)} to {utc(says.to)}: {counts}"


def _fault(says: FaultNote) -> str:
    if says.reason == RECOVERED:
        return f"{says.sensor} gives readings again"
    return f"{says.sensor} gives no readings: {says.reason}" + (f" ({says.detail})" if says.detail else "")


def _episode(says: Episode) -> str:
    """`fridge: 9.2 Cel, above 8 Cel since 2026-11-22 02:10 UTC`."""
    name = f"{says.sensor} {says.channel}".rstrip()
    value = "" if says.value is None else f" {amount(says.value, says.unit)}"
    more = f" ({says.detail})" if says.detail else ""
    if says.what not in ("low", "high"):
        if says.until is not None:
            return f"{name} gives readings again{more}"
        return f"{name} gives no readings since {utc(says.since)}: {says.what}{more}"
    side = "below" if says.what == "low" else "above"
    limit = "its limit" if says.limit is None else amount(says.limit, says.unit)
    if says.until is not None:
        return f"{name}:{value} no longer {side} {limit}, as it was since {utc(says.since)}{more}"
    return f"{name}:{value}, {side} {limit} since {utc(says.since)}"


def _size(count: int) -> str:
    return f"{count} bytes" if count < KIB else f"{round(count / KIB)} kB"


def _printable(line: str) -> str:
    """What somebody else wrote must neither steer this terminal nor pass for a line of ours."""
    shown = "".join(
        letter if letter.isprintable() or letter == "\n" else "\N{REPLACEMENT CHARACTER}" for letter in line
    )
    return shown.replace("\n", "\n    ")
