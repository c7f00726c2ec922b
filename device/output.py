"""
What a sensor printed, made into samples. No I/O and no clock: now is handed in.

Three forms are understood: a number; an object `{"value", "unit", "t", "quality"}` with `t` in
milliseconds since 1970; a SenML pack. What is not certainly a reading is a fault.
"""

import json
import math
import re
from typing import Any, NamedTuple

from device import senml
from device.reading import FIRST_MS, LAST_MS, MAX_UNIT, Fault, Reading, Reason, Sample

MAX_BYTES = 64 * 1024
"""The longest document a sensor may print."""

MAX_SHOWN = 40
"""How much of a sensor's own words a fault repeats."""

MAX_EXACT = 2**53 - 1
"""The largest integer that a browser page reads back as it was written (RFC 7493 section 2.2)."""

FIELDS = frozenset({"value", "unit", "t", "quality"})
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
NOT_A_NUMBER = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)


class _Unreadable(Exception):
    pass


class _Claim(NamedTuple):
    """One value as a document gives it, before any of it is believed. None is what it does not say."""

    value: Any
    unit: Any = None
    t_ms: Any = None
    quality: Any = None
    channel: str = ""


def parse(data: bytes, *, sensor: str, default_unit: str | None = None, now_ms: int) -> list[Sample]:
    """What `sensor` meant by one document. Never empty and never an error: a `Fault` says what is wrong."""
    try:
        claims = _claims(data, now_ms)
    except _Unreadable as error:
        return [Fault(sensor=sensor, reason="unreadable", detail=str(error))]
    if not claims:
        return [Fault(sensor=sensor, reason="no-value", detail="no number in the pack")]
    return [_judged(claim, sensor, default_unit) for claim in claims]


def _claims(data: bytes, now_ms: int) -> list[_Claim]:
    document = _document(data)
    if isinstance(document, dict):
        if unknown := document.keys() - FIELDS:
            # A misspelt "quality" must not pass for none.
            raise _Unreadable(f"want value, unit, t and quality, got {_shown(min(unknown))}")
        return [
            _Claim(document.get("value"), document.get("unit"), document.get("t"), document.get("quality"))
        ]
    if isinstance(document, list):
        try:
            records = senml.resolve(document, now_ms=now_ms)
        except ValueError as error:
            raise _Unreadable(str(error)) from error
        return [_Claim(r.value, unit=r.unit, t_ms=r.t_ms, channel=r.name) for r in records]
    return [_Claim(document)]


def _judged(claim: _Claim, sensor: str, default_unit: str | None) -> Sample:
    def fault(reason: Reason, detail: str) -> Fault:
        return Fault(sensor=sensor, channel=claim.channel, reason=reason, detail=detail)

    unit = default_unit if claim.unit in (None, "") else claim.unit
    if claim.quality not in (None, "good"):
        return fault("bad-quality", f"quality {_shown(claim.quality)}")
    if claim.value is None:
        return fault("no-value", "no value in it")
    if not _is_number(claim.value):
        return fault("not-a-number", f"value {_shown(claim.value)}")
    if unit is not None and not _is_unit(unit):
        return fault("unreadable", f"want a unit of at most {MAX_UNIT}, got {_shown(unit)}")
    if claim.t_ms is not None and not (_is_number(claim.t_ms) and FIRST_MS <= claim.t_ms <= LAST_MS):
        return fault("unreadable", f"want t in milliseconds since 1970, got {_shown(claim.t_ms)}")
    return Reading(
        sensor=sensor,
        channel=claim.channel,
        value=claim.value,
        unit=unit,
        t_ms=None if claim.t_ms is None else round(claim.t_ms),
        quality=claim.quality,
    )


def _document(data: bytes) -> Any:
    if len(data) > MAX_BYTES:
        raise _Unreadable(f"want at most {MAX_BYTES} bytes")
    try:
        text = data.decode().strip()
    except UnicodeDecodeError as error:
        raise _Unreadable(f"want UTF-8, got byte {data[error.start]:#04x}") from error
    if not text:
        return None
    if NUMBER.fullmatch(text):
        return _integer(text) if text.lstrip("+-").isdigit() else float(text)
    if NOT_A_NUMBER.fullmatch(text):
        return math.nan
    try:
        return _decoder.decode(text)
    except (ValueError, RecursionError) as error:
        raise _Unreadable(f"want a number, an object or a SenML pack, got {_shown(text)}") from error


def _integer(text: str) -> int | float:
    """An integer if a page can read it back exactly. Of any length: int() refuses 4,301 digits."""
    number = float(text)
    return int(number) if abs(number) <= MAX_EXACT else number


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("one field twice")
    return fields


# `parse_constant`: Python's own json.dumps, which many sensors' scripts use, writes NaN and Infinity.
_decoder = json.JSONDecoder(object_pairs_hook=_distinct, parse_int=_integer, parse_constant=float)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_unit(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= MAX_UNIT and value.isprintable()


def _shown(value: Any) -> str:
    """A short piece of `value`, safe in a log: no control characters and no lone surrogates."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    return ascii(value[:MAX_SHOWN] if isinstance(value, str) else value)
