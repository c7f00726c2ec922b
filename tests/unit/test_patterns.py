"""What an annunciator's settings file may say."""

from pathlib import Path

import pytest

from device.annunciator import Level, Sound
from device.errors import BadConfig
from device.patterns import EXAMPLE, Hold, Once, Patterns, Repeat

BUZZ = 'mode = "repeat"\ncommand = ["buzz"]\nevery = 2\n'
LEAST = f"[high]\n{BUZZ}[fault]\n{BUZZ}"


def load(tmp_path: Path, text: str) -> Patterns:
    file = tmp_path / "annunciator.toml"
    file.write_text(text, "utf-8")
    return Patterns.load(file)


def sounding(level: Level, *, over: bool = False) -> Sound:
    priority = "high" if level == "nobody" else level
    return Sound(level=level, priority=priority, kind="technical", count=1, over=over, of=frozenset())


def test_the_example_loads(tmp_path: Path) -> None:
    patterns = load(tmp_path, EXAMPLE)

    assert list(patterns.tables) == ["nobody", "high", "medium", "low", "ended.high", "fault", "quiet"]
    assert isinstance(patterns.nobody, Hold)
    assert patterns.levels == {"nobody", "high", "medium", "low"}


def test_high_and_fault_are_enough(tmp_path: Path) -> None:
    patterns = load(tmp_path, LEAST)

    assert patterns.levels == {"high"}
    assert patterns.fault_after == 60
    assert patterns.high == Repeat(command=("buzz",), every=2, timeout=10)


def test_what_is_over_is_softer_where_the_file_says_so(tmp_path: Path) -> None:
    text = f'{LEAST}[nobody]\n{BUZZ}[medium]\n{BUZZ}[ended.high]\nmode = "once"\ncommand = ["beep"]\n'
    patterns = load(tmp_path, text)

    assert patterns.of(sounding("high")) == ("high", patterns.high)
    assert patterns.of(sounding("high", over=True)) == ("ended.high", Once(command=("beep",)))
    assert patterns.of(sounding("medium", over=True)) == ("medium", patterns.medium)
    assert patterns.of(sounding("nobody", over=True)) == ("nobody", patterns.nobody)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"[fault]\n{BUZZ}", "missing required field `high`"),
        (f"[high]\n{BUZZ}", "missing required field `fault`"),
        (f"{LEAST}[loud]\n{BUZZ}", "unknown field `loud`"),
        (f"{LEAST}[ended.nobody]\n{BUZZ}", "unknown field `nobody`"),
        (f"{LEAST}[low]\ncommand = ['buzz']\n", "missing required field `mode`"),
        (f"{LEAST}[low]\nmode = 'twice'\ncommand = ['buzz']\n", "Invalid value 'twice'"),
        (f"{LEAST}[low]\nmode = 'repeat'\ncommand = ['buzz']\n", "missing required field `every`"),
        (f"{LEAST}[low]\nmode = 'repeat'\ncommand = []\nevery = 1\n", "length >= 1"),
        (f"{LEAST}[low]\nmode = 'repeat'\ncommand = 'buzz'\nevery = 1\n", "Expected `array`"),
        (f"{LEAST}[low]\nmode = 'repeat'\ncommand = ['buzz']\nevery = 0\n", "> 0"),
        (f"{LEAST}[low]\nmode = 'repeat'\ncommand = ['buzz']\nevery = inf\n", "<= 86400"),
        (f"{LEAST}[low]\nmode = 'hold'\ncommand = ['buzz']\ntimeout = 3\n", "unknown field `timeout`"),
        (f"{LEAST}[quiet]\nmode = 'once'\ncommand = ['buzz']\n", "unknown field `mode`"),
        (f"fault_after = 0\n{LEAST}", ">= 1"),
        ("[high", "not TOML"),
    ],
)
def test_anything_else_is_refused_with_a_reason(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(BadConfig, match=r"annunciator\.toml: ") as refused:
        load(tmp_path, text)

    assert reason in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="cannot be read: No such file"):
        Patterns.load(tmp_path / "annunciator.toml")
