"""A sensor's settings in words: what it watches for, for whoever has to answer for it."""

from device.config import Sensor
from device.episode import Rules
from device.preset import PRESETS

MINUTE, HOUR = 60, 3600


def told(sensor: Sensor) -> list[str]:
    """A sentence each: alerts, technical alerts, routine readings."""
    rules, priority = sensor.rules, sensor.priority or "medium"
    lines = [] if sensor.preset is None else [PRESETS[sensor.preset].about]
    if rules.are_limits:
        lines.append(f"{priority} alert when {_limits(rules)}{_lasting(rules)}{_clearing(rules)}")
    lines.append(f"{priority} technical alert {_silence(rules)}")
    if no_reading := _no_reading(rules):
        lines.append(f"no reading: {no_reading}")
    every = sensor.report_seconds
    lines.append(f"sends a reading every {duration(every)}" if every else "sends every reading")
    return lines


def duration(seconds: float) -> str:
    """`90 s`, `10 min`, `6 h`: exact, in the largest unit that divides it."""
    for unit, name in ((HOUR, "h"), (MINUTE, "min")):
        if seconds >= unit and seconds % unit == 0:
            return f"{seconds / unit:g} {name}"
    return f"{seconds:g} s"


def amount(value: float, unit: str | None) -> str:
    """A number and its unit; UCUM's `1` says that there is none."""
    return f"{value:.12g} {unit}" if unit and unit != "1" else f"{value:.12g}"


def _limits(rules: Rules) -> str:
    sides = (("below", rules.low), ("above", rules.high))
    return " or ".join(f"{side} {amount(limit, rules.unit)}" for side, limit in sides if limit is not None)


def _lasting(rules: Rules) -> str:
    return f" for {duration(rules.must_last)}" if rules.must_last else ""


def _clearing(rules: Rules) -> str:
    return f"; over when {amount(rules.clear_by, rules.unit)} inside again" if rules.clear_by else ""


def _silence(rules: Rules) -> str:
    return (
        f"after {duration(rules.stale_after)} without a reading"
        if rules.stale_after
        else "at the first fault"
    )


def _no_reading(rules: Rules) -> str:
    said = []
    if rules.lowest is not None:
        said.append(f"what is below {amount(rules.lowest, rules.unit)}")
    if rules.highest is not None:
        said.append(f"what is above {amount(rules.highest, rules.unit)}")
    if rules.stuck_after is not None:
        said.append(f"the same value for {duration(rules.stuck_after)}")
    return ", ".join(said)
