"""Any text, under any content type: what it says, or `Malformed`; and what is written reads back."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.errors import Malformed
from device import content
from device.content import DRILL, EPISODE, FAULT, FILE, FORWARD, GAP, HEARTBEAT, LIMITS, READING, SETTINGS
from device.printing import said
from tests.vectors.people import vectors

TYPES = (READING, EPISODE, GAP, HEARTBEAT, FAULT, FILE, LIMITS, SETTINGS, FORWARD, DRILL)
VALID: list[dict[str, Any]] = [case for case in vectors("contents") if case["valid"] and case["cty"] in TYPES]

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
documents = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=12), inner), max_leaves=8
)


def reads(cty: str, text: str) -> None:
    """It is understood, or refused; and a person is shown something in any case."""
    try:
        says = content.read(cty, text)
    except Malformed:
        assert said(text, cty) == text
    else:
        assert isinstance(said(text, cty), str)
        assert not isinstance(says, str)


@given(st.sampled_from(TYPES), st.text() | documents.map(json.dumps))
def test_anything_is_of_its_form_or_malformed(cty: str, text: str) -> None:
    reads(cty, text)


@given(st.sampled_from(VALID), st.data())
def test_a_member_that_is_anything_else_is_of_its_form_or_malformed(
    case: dict[str, Any], data: st.DataObject
) -> None:
    document = json.loads(case["content"])
    document[data.draw(st.sampled_from(sorted(document)))] = data.draw(documents)

    reads(case["cty"], json.dumps(document))


@given(st.sampled_from(VALID), st.data())
def test_a_text_that_is_damaged_is_of_its_form_or_malformed(
    case: dict[str, Any], data: st.DataObject
) -> None:
    text = case["content"][:2000]
    at = data.draw(st.integers(0, len(text)))

    reads(case["cty"], text[:at] + data.draw(st.text(max_size=3)) + text[at + 1 :])


@pytest.mark.parametrize(
    "case",
    [case for case in VALID if case["cty"] not in (READING, FAULT, FILE)],
    ids=lambda case: case["name"],
)
def test_what_was_understood_reads_back(case: dict[str, Any]) -> None:
    says: Any = content.read(case["cty"], case["content"])

    assert content.read(case["cty"], content.written(says)) == says
