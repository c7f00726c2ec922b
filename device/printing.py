"""How what happened is printed: JSON for programs, sentences for people."""

from collections.abc import Callable
from typing import Any

import msgspec

from chain.errors import Malformed
from device.reading import parse_content
from device.reporting import READING


def printer(*, as_json: bool) -> Callable[[dict[str, Any]], None]:
    """What prints an event: as a JSON object a line, or as a sentence for a person."""

    def show(event: dict[str, Any]) -> None:
        print(msgspec.json.encode(event).decode() if as_json else _printable(_line(event)), flush=True)

    return show


def _line(event: dict[str, Any]) -> str:
    match event:
        case {"event": "opened", "from": author, "text": text, "cty": cty, "index": index}:
            return f"{author}: {said(text, cty)} [entry {index}, verified]"
        case {"event": "unopened", "from": author, "index": index}:
            return f"{author}: (cannot be opened) [entry {index}, verified]"
        case {"event": "sensed", "sensor": sensor, "value": value, "unit": unit}:
            return f"sensed {sensor} = {_amount(value, unit)}"
        case {"event": name, **rest}:
            return f"{name} " + " ".join(f"{key}={value}" for key, value in rest.items() if value is not None)
    return str(event)


def _amount(value: float, unit: str | None) -> str:
    """A number and its unit; UCUM's `1` says that there is none."""
    return f"{value} {unit}" if unit and unit != "1" else f"{value}"


def said(text: str, cty: str) -> str:
    """A message's content as a person reads it."""
    if cty != READING:
        return text
    try:
        reading = parse_content(text)
    except Malformed:
        return text  # its author calls it a reading, and it is none
    return f"{reading.sensor} = {_amount(reading.value, reading.unit)}"


def _printable(line: str) -> str:
    """What somebody else wrote must neither steer this terminal nor pass for a line of ours."""
    shown = "".join(
        letter if letter.isprintable() or letter == "\n" else "\N{REPLACEMENT CHARACTER}" for letter in line
    )
    return shown.replace("\n", "\n    ")
