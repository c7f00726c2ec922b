import re
from pathlib import Path

import pytest
from msgspec import structs

from device.config import EXAMPLE, Config, Poll, Stream
from device.errors import BadConfig

POLL = """
to = ["on-call"]
[sensors.load]
command = ["uptime"]
mode = "poll"
every = 4
"""
STREAM = """
to = ["on-call"]
[sensors.load]
command = ["uptime"]
mode = "stream"
"""


def load(tmp_path: Path, text: str) -> Config:
    path = tmp_path / "agent.toml"
    path.write_text(text, "utf-8")
    return Config.load(path)


def test_the_example_loads_and_means_what_its_comments_say(tmp_path: Path) -> None:
    config = load(tmp_path, EXAMPLE)

    assert config == Config(
        to=("on-call",),
        sensors={
            "fridge": Poll(
                command=("blockpost", "device", "read", "temperature", "--chip", "28-0316a2795b1f"),
                every=10.0,
                timeout=5.0,
                preset="vaccine-fridge",
                unit="Cel",
                low=2,
                high=8,
                must_last=600,
                clear_by=0.5,
                stale_after=900,
                lowest=-40,
                highest=60,
                stuck_after=21_600,
                report_every=900,
                priority="medium",
            ),
            "memory": Stream(
                command=("blockpost", "device", "read", "memory", "--every", "30"),
                timeout=90.0,
                to=("dr.lee",),
                priority="low",
            ),
        },
    )


def test_a_sensor_speaks_to_its_own_addressees_or_to_everybodys(tmp_path: Path) -> None:
    config = load(tmp_path, EXAMPLE)

    assert config.addressees("memory") == ("dr.lee",)
    assert config.addressees("fridge") == ("on-call",)


def test_what_the_examples_comments_say_of_its_preset_is_so(tmp_path: Path) -> None:
    without = EXAMPLE.replace('preset = "vaccine-fridge"\n', "")
    settings = re.sub(r"^# (\w+ = )", r"\1", without, flags=re.MULTILINE)

    fridge = load(tmp_path, settings).sensors["fridge"]

    assert fridge == structs.replace(load(tmp_path, EXAMPLE).sensors["fridge"], preset=None)


def test_the_file_counts_before_the_preset(tmp_path: Path) -> None:
    sensor = load(tmp_path, POLL + 'preset = "spo2"\nlow = 88\nmust_last = 0').sensors["load"]

    assert (sensor.low, sensor.must_last, sensor.clear_by, sensor.unit) == (88, 0, 1, "%")
    assert sensor.rules.code == "2708-6"


def test_a_sensor_with_limits_reports_rarely_and_one_without_always(tmp_path: Path) -> None:
    assert load(tmp_path, POLL).sensors["load"].report_seconds == 0
    assert load(tmp_path, POLL + "high = 2").sensors["load"].report_seconds == 300
    assert load(tmp_path, POLL + "high = 2\nreport_every = 7").sensors["load"].report_seconds == 7


@pytest.mark.parametrize(
    ("every", "patience"), [("4", 4.0), ("0.5", 0.5), ("3600", 10.0), ("4\ntimeout = 60", 60.0)]
)
def test_a_poll_may_take_its_interval_but_no_more_than_ten_seconds_unless_told(
    tmp_path: Path, every: str, patience: float
) -> None:
    sensor = load(tmp_path, POLL.replace("every = 4", f"every = {every}")).sensors["load"]

    assert isinstance(sensor, Poll)
    assert sensor.patience == patience


def test_a_stream_may_be_silent_for_a_minute_unless_told(tmp_path: Path) -> None:
    sensor = load(tmp_path, STREAM).sensors["load"]

    assert sensor.timeout == 60.0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "Object missing required field `to`"),
        ('to = ["a"]', "Object missing required field `sensors`"),
        ('to = ["a"]\nsensors = {}', "sensors: Expected `object` of length >= 1, got {}"),
        ('to = ["a"]\nsensors = 3', "sensors: Expected `object`, got `int`"),
        ('to = ["a"]\nsensors = {load = 3}', "sensors.load: Expected `object`, got `int`"),
        (POLL.replace('["on-call"]', '"on-call"'), "to: Expected `array`, got `str`"),
        (POLL.replace('["on-call"]', "[]"), "to: Expected `array` of length >= 1, got []"),
        (POLL.replace('["on-call"]', '["a", 2]'), "to[1]: Expected `str`, got `int`"),
        ("evry = 1" + POLL, "Object contains unknown field `evry`"),
        (POLL + "evry = 1", "sensors.load: Object contains unknown field `evry`"),
        (POLL.replace('mode = "poll"', ""), "sensors.load: Object missing required field `mode`"),
        (POLL.replace('"poll"', '"pol"'), "sensors.load: mode: Invalid value 'pol'"),
        (POLL.replace("every = 4", ""), "sensors.load: Object missing required field `every`"),
        (STREAM + "every = 4", "sensors.load: Object contains unknown field `every`"),
        (POLL.replace("4", '"4"'), "sensors.load: every: Expected `float`, got `str`"),
        (POLL.replace("4", "true"), "sensors.load: every: Expected `float`, got `bool`"),
        (POLL.replace("4", "0"), "sensors.load: every: Expected `float` > 0.0, got 0"),
        (POLL.replace("4", "nan"), "sensors.load: every: Expected `float` > 0.0, got nan"),
        (POLL.replace("4", "inf"), "sensors.load: every: Expected `float` <= 86400.0, got inf"),
        (POLL.replace('["uptime"]', '"uptime"'), "sensors.load: command: Expected `array`, got `str`"),
        (POLL.replace('["uptime"]', "[]"), "sensors.load: command: Expected `array` of length >= 1, got []"),
        (POLL.replace('"uptime"', r'"a\u0000"'), r"sensors.load: command[0]: Expected `str` matching regex"),
        (POLL + 'priority = "urgent"', "sensors.load: priority: Invalid enum value 'urgent'"),
        (POLL + 'unit = ""', "sensors.load: unit: Expected `str` of length >= 1, got ''"),
        (POLL.replace("sensors.load", 'sensors."Load 1"'), "sensors: want a name of a-z, 0-9 and -"),
        (POLL + 'preset = "fridge"', "sensors.load: preset: want one of vaccine-fridge, room-climate, spo2"),
        (POLL + "low = nan", "sensors.load: low: Expected `float` >= "),
        (POLL + "high = inf", "sensors.load: high: Expected `float` <= "),
        (POLL + "low = 8\nhigh = 2", "sensors.load: low: want less than high, which is 2, got 8"),
        (POLL + 'preset = "spo2"\nlow = 0', "sensors.load: lowest: want less than low, which is 0, got 1"),
        (POLL + "high = 9\nhighest = 8", "sensors.load: high: want less than highest, which is 8, got 9"),
        (POLL + "low = 2\nhigh = 8\nclear_by = 7", "sensors.load: clear_by: want at most 6, or no alert"),
        (POLL + "clear_by = -1", "sensors.load: clear_by: Expected `float` >= 0.0"),
        (
            POLL.replace("every = 4", "every = 3600") + 'preset = "vaccine-fridge"',
            "sensors.load: stale_after: want at least 7200, twice what lies between two readings, got 900",
        ),
        (POLL + "must_last = 60", "sensors.load: must_last: want low or high with it, got neither"),
        (POLL + "stuck_after = 0", "sensors.load: stuck_after: Expected `float` > 0.0"),
        ("heartbeat = -1" + POLL, "heartbeat: Expected `float` >= 0.0"),
        (POLL + "every = 5", "not TOML: Cannot overwrite a value"),
    ],
)
def test_a_file_that_is_not_right_is_refused_by_name_key_and_value(
    tmp_path: Path, text: str, says: str
) -> None:
    with pytest.raises(BadConfig) as refusal:
        load(tmp_path, text)

    assert str(refusal.value).startswith(f"{tmp_path / 'agent.toml'}: {says}")


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match=r"agent\.toml: cannot be read: No such file"):
        Config.load(tmp_path / "agent.toml")


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "agent.toml"
    path.write_bytes(b'to = ["\xe9"]')

    with pytest.raises(BadConfig, match="want UTF-8, got byte 0xe9 at 7"):
        Config.load(path)
