import json
from typing import Any

import pytest

from chain.errors import Malformed
from device.output import MAX_BYTES, parse
from device.reading import Fault, Reading, Sample, content, parse_content

NOW = 1_763_000_000_000


def said(text: str | bytes, default_unit: str | None = None) -> list[Sample]:
    data = text.encode() if isinstance(text, str) else text
    return parse(data, sensor="s", default_unit=default_unit, now_ms=NOW)


def reading(value: float, **known: Any) -> Reading:
    return Reading(sensor="s", value=value, **known)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("36.6", 36.6),
        ("0", 0),
        (" -12\n", -12),
        ("+3", 3),
        (".5", 0.5),
        ("5.", 5.0),
        ("007", 7),
        ("1e3", 1000.0),
        ("9007199254740991", 2**53 - 1),
        ("9007199254740993", 2.0**53),
    ],
)
def test_a_bare_number_is_a_reading(text: str, value: float) -> None:
    (sample,) = said(text)

    assert sample == reading(value)
    assert isinstance(sample, Reading)
    assert type(sample.value) is type(value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"value": 36.6}', reading(36.6)),
        ('{"value": 0, "unit": "%"}', reading(0, unit="%")),
        (
            '{"value": 1, "t": 1763000000123, "quality": "good"}',
            reading(1, t_ms=1763000000123, quality="good"),
        ),
        ('{"value": 1, "t": 1763000000123.4}', reading(1, t_ms=1763000000123)),
        ('{\n  "value": 1,\n  "unit": null, "t": null, "quality": null\n}\n', reading(1)),
    ],
)
def test_an_object_is_a_reading_with_what_it_knows(text: str, expected: Reading) -> None:
    assert said(text) == [expected]


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("1", "Cel"),
        ('{"value": 1}', "Cel"),
        ('{"value": 1, "unit": ""}', "Cel"),
        ('[{"v": 1}]', "Cel"),
        ('{"value": 1, "unit": "K"}', "K"),
        ('[{"v": 1, "u": "K"}]', "K"),
        ('[{"v": 1, "bu": "K"}]', "K"),
    ],
)
def test_the_configured_unit_is_used_where_the_sensor_gives_none(text: str, unit: str) -> None:
    assert said(text, "Cel") == [reading(1, unit=unit)]


@pytest.mark.parametrize(
    ("text", "reason", "detail"),
    [
        ("", "no-value", "no value in it"),
        (" \n", "no-value", "no value in it"),
        ("null", "no-value", "no value in it"),
        ("{}", "no-value", "no value in it"),
        ('{"value": null, "unit": "%"}', "no-value", "no value in it"),
        ("[]", "no-value", "no number in the pack"),
        ("nan", "not-a-number", "value nan"),
        ("-Infinity", "not-a-number", "value nan"),
        ("1e999", "not-a-number", "value inf"),
        ("9" * 5000, "not-a-number", "value inf"),
        ("true", "not-a-number", "value True"),
        ('"36.6"', "not-a-number", "value '36.6'"),
        ('{"value": NaN}', "not-a-number", "value nan"),
        ('{"value": 1e999}', "not-a-number", "value inf"),
        ('{"value": "36.6"}', "not-a-number", "value '36.6'"),
        ('{"value": true}', "not-a-number", "value True"),
        ('{"value": {}}', "not-a-number", "value an object"),
        ('{"value": [1]}', "not-a-number", "value a list"),
        ('{"value": 85.0, "quality": "bad"}', "bad-quality", "quality 'bad'"),
        ('{"value": 85.0, "quality": true}', "bad-quality", "quality True"),
        ('{"value": 85.0, "quality": []}', "bad-quality", "quality a list"),
        ("36,6", "unreadable", "want a number, an object or a SenML pack, got '36,6'"),
        ("36.6 Cel", "unreadable", "want a number, an object or a SenML pack, got '36.6 Cel'"),
        ("1\n2", "unreadable", r"want a number, an object or a SenML pack, got '1\n2'"),
        ("0x10", "unreadable", "want a number, an object or a SenML pack, got '0x10'"),
        ("1_000", "unreadable", "want a number, an object or a SenML pack, got '1_000'"),
        ("\u0663", "unreadable", r"want a number, an object or a SenML pack, got '\u0663'"),
        ("x" * 1000, "unreadable", f"want a number, an object or a SenML pack, got '{'x' * 40}'"),
        ('{"value": 1,', "unreadable", "want a number, an object or a SenML pack, got '{\"value\": 1,'"),
        (
            '{"v": 1, "v": 1}',
            "unreadable",
            'want a number, an object or a SenML pack, got \'{"v": 1, "v": 1}\'',
        ),
        ('{"value": 1, "qality": "bad"}', "unreadable", "want value, unit, t and quality, got 'qality'"),
        ('{"value": 1, "unit": 5}', "unreadable", "want a unit of at most 32, got 5"),
        ('{"value": 1, "unit": "\\ud800"}', "unreadable", r"want a unit of at most 32, got '\ud800'"),
        ('{"value": 1, "unit": "a\\nb"}', "unreadable", r"want a unit of at most 32, got 'a\nb'"),
        ('{"value": 1, "t": 1763000000}', "unreadable", "want t in milliseconds since 1970, got 1763000000"),
        ('{"value": 1, "t": true}', "unreadable", "want t in milliseconds since 1970, got True"),
        ('{"value": 1, "t": NaN}', "unreadable", "want t in milliseconds since 1970, got nan"),
        (b"\xff\xfe1", "unreadable", "want UTF-8, got byte 0xff"),
        (" " * MAX_BYTES + "1", "unreadable", "want at most 65536 bytes"),
    ],
)
def test_what_is_not_certainly_a_reading_is_a_fault(text: str, reason: Any, detail: str) -> None:
    assert said(text) == [Fault(sensor="s", reason=reason, detail=detail)]


def test_nesting_deeper_than_python_can_follow_is_a_fault() -> None:
    (sample,) = said("[" * MAX_BYTES)

    assert isinstance(sample, Fault)
    assert sample.reason == "unreadable"


def test_a_senml_pack_gives_each_record_its_base_fields() -> None:
    pack = [
        {"bn": "ow:10e2/", "bt": 1.276020076e9, "bu": "Cel", "bver": 5, "n": "in", "v": 20.5},
        {"n": "out", "t": -5, "v": 3},
        {"n": "mains", "u": "V", "t": 1.5, "v": 230.1},
    ]

    assert said(json.dumps(pack)) == [
        reading(20.5, channel="ow:10e2/in", unit="Cel", t_ms=1276020076000),
        reading(3, channel="ow:10e2/out", unit="Cel", t_ms=1276020071000),
        reading(230.1, channel="ow:10e2/mains", unit="V", t_ms=1276020077500),
    ]


def test_a_senml_base_holds_until_the_next_one() -> None:
    pack = [{"bn": "a", "bv": 100}, {"v": 1}, {"v": -1}, {"bn": "b", "bv": 0, "v": 2.5}]

    assert said(json.dumps(pack)) == [
        reading(101, channel="a"),
        reading(99, channel="a"),
        reading(2.5, channel="b"),
    ]


@pytest.mark.parametrize(
    ("record", "t_ms"),
    [
        ({}, None),
        ({"t": 0}, None),
        ({"t": -60}, NOW - 60_000),
        ({"bt": -60, "t": 30.5}, NOW - 29_500),
        ({"t": 2**28 - 1}, NOW + (2**28 - 1) * 1000),
        ({"t": 2**28}, 2**28 * 1000),
    ],
)
def test_a_senml_time_before_1978_is_relative_to_now(record: dict[str, float], t_ms: int | None) -> None:
    assert said(json.dumps([{**record, "v": 1}])) == [reading(1, t_ms=t_ms)]


def test_senml_records_that_are_no_numbers_are_left_out() -> None:
    pack = [{"n": "fw", "vs": "1.2"}, {"n": "door", "vb": True}, {"n": "kWh", "s": 12}, {"n": "t", "v": 4}]

    assert said(json.dumps(pack)) == [reading(4, channel="t")]


def test_one_bad_senml_record_leaves_the_others_alone() -> None:
    pack = '[{"n": "a", "v": 1}, {"n": "b"}, {"n": "c", "v": NaN}, {"n": "d", "v": "4"}, {"n": "e", "v": 5}]'

    assert said(pack) == [
        reading(1, channel="a"),
        Fault(sensor="s", channel="b", reason="no-value", detail="no value in it"),
        Fault(sensor="s", channel="c", reason="not-a-number", detail="value nan"),
        Fault(sensor="s", channel="d", reason="not-a-number", detail="value '4'"),
        reading(5, channel="e"),
    ]


@pytest.mark.parametrize(
    ("pack", "detail"),
    [
        ("[1]", "SenML: want a list of objects"),
        ('[{"v": 1, "must_": 1}]', "SenML: a field that must be understood, and is not"),
        ('[{"v": 1, "bver": 11}]', "SenML: want version 10 or older"),
        ('[{"v": 1, "bt": "now"}]', "SenML: want a number for bt"),
        ('[{"v": 1, "t": NaN}]', "SenML: want a number for t"),
        ('[{"v": 1, "t": true}]', "SenML: want a number for t"),
        ('[{"v": 1, "bv": 1e999}]', "SenML: want a number for bv"),
        ('[{"v": 1, "n": 5}]', "SenML: want text for n"),
        ('[{"v": 1, "n": "-"}]', "SenML: want a name of A-Z, a-z, 0-9 and -:./_, 128 at most"),
        ('[{"v": 1, "t": 1e14}]', "want t in milliseconds since 1970, got 100000000000000000"),
    ],
)
def test_a_senml_pack_that_cannot_be_understood_is_a_fault(pack: str, detail: str) -> None:
    assert said(pack) == [Fault(sensor="s", reason="unreadable", detail=detail)]


def test_a_message_says_what_is_known_and_no_more() -> None:
    assert content(reading(0)) == '{"sensor":"s","value":0}'
    assert (
        content(reading(36.6, channel="a", unit="Cel", t_ms=NOW, quality="good"))
        == '{"channel":"a","quality":"good","sensor":"s","t":1763000000000,"unit":"Cel","value":36.6}'
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        '{"sensor":"s"}',
        '{"sensor":"s","value":null}',
        '{"sensor":"s","value":true}',
        '{"sensor":"s","value":"1"}',
        '{"sensor":"s","value":NaN}',
        '{"sensor":"s","value":1e999}',
        '{"sensor":"","value":1}',
        '{"sensor":"s","value":1,"t":1763000000}',
        '{"sensor":"s","value":1,"quality":"bad"}',
        '{"sensor":"s","value":1,"colour":"red"}',
        '{"sensor":"\ud800","value":1}',
    ],
)
def test_a_message_of_another_shape_is_malformed(text: str) -> None:
    with pytest.raises(Malformed, match=r"^reading: "):
        parse_content(text)
