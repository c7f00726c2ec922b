"""What messages say, by their content type, and how a person is told."""

import json
from operator import itemgetter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chain.errors import Malformed
from device import attachment, content
from device.attachment import MAX_FILE_BYTES, UNKNOWN_TYPE, File
from device.content import (
    DRILL,
    EPISODE,
    FAULT,
    FILE,
    FORWARD,
    GAP,
    HEARTBEAT,
    LIMITS,
    READING,
    SETTINGS,
    TEXT,
)
from device.errors import CannotSeal
from device.printing import said
from tests.vectors.people import ENTRY, vectors

CASES: list[dict[str, Any]] = vectors("contents")
VALID = [case for case in CASES if case["valid"]]
OTHERS = [case for case in CASES if not case["valid"]]


def forward(**members: str) -> str:
    return json.dumps({"about": ENTRY, "fk": "A" * 43, **members})


@pytest.mark.parametrize("case", VALID, ids=itemgetter("name"))
def test_what_is_of_its_form_is_read(case: dict[str, Any]) -> None:
    says = content.read(case["cty"], case["content"])

    if case["cty"] == TEXT:
        assert says == case["content"]
    else:
        assert json.loads(msgspec.json.encode(says)) == json.loads(case["content"])


@pytest.mark.parametrize("case", OTHERS, ids=itemgetter("name"))
def test_what_is_not_of_its_form_is_refused_and_shown_as_it_is(case: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        content.read(case["cty"], case["content"])

    assert said(case["content"], case["cty"]) == case["content"]


def test_an_unknown_content_type_is_shown_as_it_is() -> None:
    assert said("<b>4</b>", "text/html") == "<b>4</b>"


@pytest.mark.parametrize(
    ("cty", "text", "shown"),
    [
        (READING, '{"sensor":"fridge","unit":"Cel","value":9.4}', "fridge = 9.4 Cel"),
        (READING, '{"sensor":"load","unit":"1","value":2}', "load = 2"),
        (
            EPISODE,
            '{"limit":8,"sensor":"fridge","since":1800000000000,"unit":"Cel","value":9.2,"what":"high"}',
            "fridge: 9.2 Cel, above 8 Cel since 2027-01-15 08:00 UTC",
        ),
        (
            EPISODE,
            '{"limit":91.5,"sensor":"spo2","since":1800000000000,"unit":"%","until":1800000060000,"value":97,"what":"low"}',
            "spo2: 97 % no longer below 91.5 %, as it was since 2027-01-15 08:00 UTC",
        ),
        (
            EPISODE,
            '{"channel":"in","detail":"0 is below 1","sensor":"spo2","since":1800000000000,"value":97,"what":"impossible"}',
            "spo2 in gives no readings since 2027-01-15 08:00 UTC: impossible (0 is below 1)",
        ),
        (
            EPISODE,
            '{"sensor":"spo2","since":9007199254740991,"what":"silent"}',
            "spo2 gives no readings since 9007199254740991 ms after 1970: silent",
        ),
        (
            EPISODE,
            '{"sensor":"spo2","since":1800000000000,"until":1800000060000,"what":"silent"}',
            "spo2 gives readings again",
        ),
        (
            GAP,
            '{"from":1800000000000,"lost":12,"reason":"busy","sensor":"fridge","to":1800000060000}',
            "fridge: 12 samples lost from 2027-01-15 08:00 UTC to 2027-01-15 08:01 UTC (busy)",
        ),
        (
            HEARTBEAT,
            '{"from":1800000000000,"sensors":{"door":0,"fridge":90},"to":1800000900000}',
            "recorded from 2027-01-15 08:00 UTC to 2027-01-15 08:15 UTC: door 0, fridge 90",
        ),
        (
            FAULT,
            '{"detail":"status 1","reason":"exit","sensor":"door"}',
            "door gives no readings: exit (status 1)",
        ),
        (FAULT, '{"detail":"","reason":"silent","sensor":"door"}', "door gives no readings: silent"),
        (FAULT, '{"detail":"","reason":"recovered","sensor":"door"}', "door gives readings again"),
        (TEXT, "the fridge is open", "the fridge is open"),
        (DRILL, '{"text":"take this"}', "(drill) take this"),
        (
            LIMITS,
            '{"sensor":"fridge","set":{"low":null,"high":7.5,"priority":"high"}}',
            "fridge: please set low = none, high = 7.5, priority = high",
        ),
        (
            SETTINGS,
            '{"sensors":[{"sensor":"fridge","low":2,"high":7.5,"priority":"high","unit":"Cel"},{"sensor":"door","priority":"low"}]}',
            "limits in force: fridge below 2 Cel or above 7.5 Cel (high); door without limits (low)",
        ),
        (SETTINGS, '{"sensors":[],"refused":"ask dr.lee"}', "refused: ask dr.lee"),
        (
            FORWARD,
            forward(cty=READING, content='{"sensor":"fridge","unit":"Cel","value":9.4}'),
            "(handed on, not proven) fridge = 9.4 Cel",
        ),
        (FORWARD, forward(cty=FORWARD, content="{}"), "(handed on, not proven) {}"),
    ],
)
def test_a_person_is_told_in_a_sentence(cty: str, text: str, shown: str) -> None:
    assert said(text, cty) == shown


@pytest.mark.parametrize(
    ("size", "words", "shown"),
    [
        (0, "", "[file a.bin, 0 bytes]"),
        (1023, "look", "[file a.bin, 1023 bytes] look"),
        (12_288, "look", "[file a.bin, 12 kB] look"),
        (MAX_FILE_BYTES, "look", "[file a.bin, 40 kB] look"),
    ],
)
def test_a_file_is_told_by_its_name_and_size(tmp_path: Path, size: int, words: str, shown: str) -> None:
    (tmp_path / "a.bin").write_bytes(bytes(size))

    assert said(attachment.content(attachment.load(tmp_path / "a.bin", words)), FILE) == shown


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("wound.png", "image/png"),
        ("WOUND.JPG", "image/jpeg"),
        ("notes.txt", "text/plain"),
        ("notes.txt.gz", UNKNOWN_TYPE),
        ("notes", UNKNOWN_TYPE),
        ("notes.nobody-knows-this", UNKNOWN_TYPE),
    ],
)
def test_the_type_of_a_file_follows_from_its_name(tmp_path: Path, name: str, kind: str) -> None:
    (tmp_path / name).write_bytes(b"\0\xff")

    loaded = attachment.load(tmp_path / name, "look")

    assert (loaded.name, loaded.type, loaded.payload, loaded.text) == (name, kind, b"\0\xff", "look")


@pytest.mark.parametrize("name", ["a\nb", "n" * 129, b"\xff".decode(errors="surrogateescape")], ids=ascii)
def test_a_file_that_readers_would_not_take_by_its_name_is_not_sent(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()

    with pytest.raises(CannotSeal):
        attachment.load(tmp_path / name, "")


def test_a_file_that_is_too_long_is_not_sent(tmp_path: Path) -> None:
    (tmp_path / "film").write_bytes(bytes(MAX_FILE_BYTES + 1))

    with pytest.raises(CannotSeal, match=f"want a file of at most {MAX_FILE_BYTES} bytes"):
        attachment.load(tmp_path / "film", "")


def test_a_file_comes_back_out_of_what_is_sent() -> None:
    file = File(data="AP8", name="a.bin", text="look", type="application/octet-stream")

    assert attachment.parse(attachment.content(file)) == file
    assert file.payload == b"\0\xff"
