"""SenML packs (RFC 8428, JSON): their records with the base fields worked in. No clock: now is handed in."""

import re
from typing import Any, NamedTuple

from device.reading import MAX_CHANNEL

VERSION = 10
"""The version of RFC 8428. A pack that says it needs a newer one is refused."""

ABSOLUTE_FROM = 2**28
"""Seconds. Section 4.5.3: a time below this is relative to now."""

BASES = frozenset({"bn", "bs", "bt", "bu", "bv", "bver"})
OTHER_VALUES = frozenset({"vs", "vb", "vd", "s"})
"""A text, a truth, data, a sum: records that say something, and nothing a limit can be set on."""

NAME = re.compile(r"([A-Za-z0-9][A-Za-z0-9:./_-]*)?")


class Record(NamedTuple):
    name: str
    value: Any
    """A number with its base added; anything else just as it came, None for nothing."""

    unit: Any
    t_ms: int | None
    """Milliseconds since 1970; None where the record says no time, or now."""


def resolve(pack: list[Any], *, now_ms: int) -> list[Record]:
    """Records that give a number or should have; `ValueError` if the pack cannot be understood as a whole."""
    base: dict[str, Any] = {}
    records = []
    for record in pack:
        if not isinstance(record, dict):
            raise ValueError("SenML: want a list of objects")  # noqa: TRY004 - one error for one broken pack
        if any(key.endswith("_") for key in record):
            raise ValueError("SenML: a field that must be understood, and is not")  # section 4.4
        base.update((key, value) for key, value in record.items() if key in BASES)
        if _number(base, "bver", VERSION) > VERSION:
            raise ValueError(f"SenML: want version {VERSION} or older")
        if record.keys() - BASES and not record.keys() & OTHER_VALUES:
            records.append(_resolved(record, base, now_ms))
    return records


def _resolved(record: dict[str, Any], base: dict[str, Any], now_ms: int) -> Record:
    seconds = _number(base, "bt") + _number(record, "t")
    value = record.get("v")
    if isinstance(value, int | float) and not isinstance(value, bool):
        value += _number(base, "bv")
    name = _text(base, "bn") + _text(record, "n")
    if not NAME.fullmatch(name) or len(name) > MAX_CHANNEL:
        raise ValueError(f"SenML: want a name of A-Z, a-z, 0-9 and -:./_, {MAX_CHANNEL} at most")
    return Record(
        name=name,
        value=value,
        unit=record.get("u", base.get("bu")),
        t_ms=_absolute(seconds, now_ms) if seconds else None,
    )


def _absolute(seconds: float, now_ms: int) -> int:
    return round(seconds * 1000) + (0 if seconds >= ABSOLUTE_FROM else now_ms)


def _number(fields: dict[str, Any], key: str, default: float = 0) -> float:
    value = fields.get(key, default)
    # A NaN is within no bounds; and a time this far off is no time.
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= 1e15:  # noqa: PLR2004
        raise ValueError(f"SenML: want a number for {key}")
    return value


def _text(fields: dict[str, Any], key: str) -> str:
    value = fields.get(key, "")
    if not isinstance(value, str):
        raise ValueError(f"SenML: want text for {key}")  # noqa: TRY004 - one error for one broken pack
    return value
