"""Limits that people set: what becomes of a sensor's settings, and for how long."""

from typing import Any

import pytest
from msgspec import structs

from device import limits
from device.config import Config, read_sensor
from device.content import LimitsChange, LimitValues
from device.errors import BadConfig
from device.limits import Override

LEE, REQUEST = "a" * 26, "0197a3c0-0000-7000-8000-000000000001"


def config(**settings: Any) -> Config:
    sensor = read_sensor({"mode": "poll", "command": ["true"], "every": 60, **settings})
    return Config(to=("on-call",), sensors={"fridge": sensor})


FRIDGE = config(preset="vaccine-fridge")


def asked(file: Config, before: Override | None = None, index: int = 7, **wanted: Any) -> Override:
    change = LimitsChange(sensor="fridge", set=LimitValues(**wanted))
    return limits.override(file, before, change, index=index, request=REQUEST, by=LEE, at=1)


def rules(file: Config, held: Override) -> dict[str, Any]:
    sensor = limits.in_force(file, [held]).sensors["fridge"]
    return {**structs.asdict(sensor.rules), "priority": sensor.called}


def test_what_is_set_counts_and_the_rest_stays_as_the_file_says() -> None:
    before = structs.asdict(FRIDGE.sensors["fridge"].rules)

    assert rules(FRIDGE, asked(FRIDGE, high=7, priority="high")) == {**before, "high": 7, "priority": "high"}


def test_what_was_set_before_stays_until_it_is_set_again() -> None:
    first = asked(FRIDGE, high=7, low=3)

    second = asked(FRIDGE, first, index=9, high=6)

    assert second.given == LimitValues(high=6, low=3)
    assert second.index == 9


def test_none_is_to_do_without_also_where_the_preset_has_a_value() -> None:
    now = rules(FRIDGE, asked(FRIDGE, low=None, priority=None, stale_after=None))

    assert (now["low"], now["high"], now["priority"], now["stale_after"]) == (None, 8, "medium", 0)


def test_what_there_is_only_with_a_limit_goes_with_the_last_one() -> None:
    now = rules(FRIDGE, asked(FRIDGE, low=None, high=None, clear_by=0))

    assert (now["low"], now["high"], now["must_last"], now["clear_by"]) == (None, None, 0, 0)


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ({"low": 9}, "fridge: low: want less than high, which is 8, got 9"),
        ({"high": 61}, "fridge: high: want less than highest, which is 60, got 61"),
        ({"clear_by": 7}, "fridge: clear_by: want at most 6, or no alert ever ends, got 7"),
        ({"stale_after": 60}, "fridge: stale_after: want at least 120, twice"),
        ({"low": None, "high": None, "must_last": 5}, "fridge: must_last: want low or high with it"),
    ],
    ids=str,
)
def test_what_contradicts_itself_is_refused_in_words(wanted: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadConfig, match=reason):
        asked(FRIDGE, **wanted)


def test_what_was_set_holds_as_long_as_the_file_says_the_same() -> None:
    held = asked(FRIDGE, high=7)

    assert limits.outdated(FRIDGE, held) is None
    assert limits.outdated(config(preset="vaccine-fridge", report_every=60), held) is None


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (config(preset="vaccine-fridge", high=9), "the settings file says something else since"),
        (config(preset="vaccine-fridge", priority="high"), "the settings file says something else since"),
        (config(preset="vaccine-fridge", lowest=1.5), "it contradicts the settings file now: fridge: lowest"),
        (
            Config(to=("on-call",), sensors={"door": FRIDGE.sensors["fridge"]}),
            "the settings file has no such sensor any more",
        ),
    ],
)
def test_what_was_set_gives_way_to_a_file_that_changed(file: Config, reason: str) -> None:
    held = asked(FRIDGE, low=1)

    assert (limits.outdated(file, held) or "").startswith(reason)


def test_those_who_are_alerted_are_told_what_is_in_force_and_whose_doing_it_is() -> None:
    held = asked(FRIDGE, high=7)

    (told,) = limits.settings(limits.in_force(FRIDGE, [held]), {"fridge": held}, ["fridge"]).sensors

    assert (told.low, told.high, told.must_last, told.priority) == (2, 7, 600, "medium")
    assert (told.unit, told.preset, told.by, told.at, told.request) == (
        "Cel",
        "vaccine-fridge",
        LEE,
        1,
        REQUEST,
    )


def test_a_reason_is_never_too_long_to_be_told() -> None:
    assert len(limits.settings(FRIDGE, {}, [], "no" * 1000).refused or "") == 1024
