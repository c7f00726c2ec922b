"""How what happened is printed: JSON for programs, sentences for people."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from chain.errors import Malformed
from device import content
from device.attachment import File
from device.content import RECOVERED, FaultNote
from device.reading import Reading

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
    """A moment, to the minute."""
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%d %H:%M} UTC"


def _line(event: dict[str, Any]) -> str:
    match event:
        case {"event": "opened", "from": author, "text": text, "cty": cty, "index": index}:
            return f"{author}: {said(text, cty)} [entry {index}, verified]"
        case {"event": "unopened", "from": author, "index": index}:
            return f"{author}: (cannot be opened) [entry {index}, verified]"
        case {"event": "sensed", "sensor": sensor, "value": value, "unit": unit}:
            return f"sensed {sensor} = {_amount(value, unit)}"
        case {"event": "password", "recovery": code}:
            return RECOVERY_CODE.format(code=code)
        case {"event": name, **rest}:
            return f"{name} " + " ".join(f"{key}={value}" for key, value in rest.items() if value is not None)
    return str(event)


def _amount(value: float, unit: str | None) -> str:
    """A number and its unit; UCUM's `1` says that there is none."""
    return f"{value} {unit}" if unit and unit != "1" else f"{value}"


def said(text: str, cty: str) -> str:
    """A message's content as a person reads it."""
    try:
        says = content.read(cty, text)
    except Malformed:
        return text  # its author calls it a reading, and it is none
    match says:
        case Reading(sensor=sensor, value=value, unit=unit):
            return f"{sensor} = {_amount(value, unit)}"
        case FaultNote(sensor=sensor, reason=reason) if reason == RECOVERED:
            return f"{sensor} gives readings again"
        case FaultNote(sensor=sensor, reason=reason, detail=detail):
            return f"{sensor} gives no readings: {reason}" + (f" ({detail})" if detail else "")
        case File(name=name, text=text):
            return f"[file {name}, {_size(len(says.payload))}] {text}".rstrip()
    return says


def _size(count: int) -> str:
    return f"{count} bytes" if count < KIB else f"{round(count / KIB)} kB"


def _printable(line: str) -> str:
    """What somebody else wrote must neither steer this terminal nor pass for a line of ours."""
    shown = "".join(
        letter if letter.isprintable() or letter == "\n" else "\N{REPLACEMENT CHARACTER}" for letter in line
    )
    return shown.replace("\n", "\n    ")
