"""JSON from outside, and base64url: what is taken for what, and what is refused."""

import re
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct

from chain.encoding import Bytes32, b64url, read, read_canonical, unb64url_hash
from chain.errors import Malformed


class Page(Struct, forbid_unknown_fields=True):
    limit: int


pages = msgspec.json.Decoder(Page)


@pytest.mark.parametrize("number", ["76", "76.0", "7.6e1", "760e-1"])
def test_a_whole_number_is_one_in_every_spelling(number: str) -> None:
    assert read(pages, f'{{"limit":{number}}}', what="page") == Page(76)


@pytest.mark.parametrize("number", ["76.5", '"76"', "1e400", "true", "null", "[76]", "76, 76.0x"])
def test_what_is_no_whole_number_is_none(number: str) -> None:
    with pytest.raises(Malformed, match="page: "):
        read(pages, f'{{"limit":{number}}}', what="page")


def test_unknown_members_are_refused_beside_a_number_with_a_point() -> None:
    with pytest.raises(Malformed, match="unknown field `more`"):
        read(pages, '{"limit":76.0,"more":1}', what="page")


def test_what_is_canonical_has_one_spelling_of_a_number() -> None:
    with pytest.raises(Malformed, match="not in canonical form"):
        read_canonical(pages, b'{"limit":76.0}', what="page")


@given(st.binary(min_size=32, max_size=32))
def test_the_pattern_takes_what_is_written(data: bytes) -> None:
    assert re.search(pattern(), b64url(data))


@given(st.from_regex(r"\A[A-Za-z0-9_-]{43}\Z"))
def test_the_pattern_takes_what_can_be_read_and_nothing_else(text: str) -> None:
    try:
        unb64url_hash(text, what="key")
    except Malformed:
        assert not re.search(pattern(), text)
    else:
        assert re.search(pattern(), text)


def pattern() -> str:
    _, meta = get_args(Bytes32)
    assert isinstance(meta, Meta)
    assert meta.pattern is not None
    return meta.pattern
