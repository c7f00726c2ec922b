"""The one table of codes, units and limits."""

import re
from pathlib import Path
from typing import get_args

import pytest

from device.config import Priority, read_sensor
from device.explaining import duration
from device.preset import PRESETS, Preset

LOINC = re.compile(r"[1-9][0-9]{0,6}-[0-9]")


def check_digit(digits: str) -> int:
    """Mod 10 as LOINC has it (Users' Guide, appendix C): from the right, each second digit from the first on twice."""
    doubled = [int(digit) * (1 + (place % 2 == 0)) for place, digit in enumerate(reversed(digits))]
    return -sum(sum(divmod(each, 10)) for each in doubled) % 10


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_a_preset_makes_sense(preset: Preset) -> None:
    sensor = read_sensor({"mode": "poll", "every": 1, "command": ["true"], "preset": preset.name})

    assert sensor.rules.are_limits
    assert sensor.priority in get_args(Priority)
    assert sensor.unit == preset.unit
    assert preset.must_last <= preset.stale_after


@pytest.mark.parametrize("code", [preset.code for preset in PRESETS.values() if preset.code])
def test_a_code_has_its_check_digit(code: str) -> None:
    assert LOINC.fullmatch(code)
    digits, _, check = code.partition("-")

    assert check_digit(digits) == int(check)


@pytest.mark.parametrize("name", ["spo2", "heart-rate", "respiration"])
def test_zero_is_no_vital_sign(name: str) -> None:
    assert PRESETS[name].lowest > 0


@pytest.mark.parametrize(
    ("name", "alerts", "none"),
    [
        ("spo2", (91, 50), (92, 100)),
        ("heart-rate", (40, 131), (41, 130)),
        ("respiration", (8, 25), (9, 24)),
        ("body-temperature", (35.0, 30.1), (35.1, 39)),
        ("vaccine-fridge", (1.9, 8.1), (2, 8)),
    ],
)
def test_the_limits_are_those_of_their_source(
    name: str, alerts: tuple[float, float], none: tuple[float, float]
) -> None:
    preset = PRESETS[name]

    def is_beyond(value: float) -> bool:
        below = preset.low is not None and value < preset.low
        return below or (preset.high is not None and value > preset.high)

    assert [is_beyond(value) for value in (*alerts, *none)] == [True, True, False, False]


def test_the_guide_has_every_preset_with_its_times() -> None:
    text = (Path(__file__).parents[2] / "docs" / "operations.md").read_text("utf-8")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]
    told = {row[0].strip("`"): (row[1], row[3], row[5]) for row in rows if row[0].strip("`") in PRESETS}

    assert told == {
        name: (preset.unit, duration(preset.must_last), duration(preset.stale_after))
        for name, preset in PRESETS.items()
    }
