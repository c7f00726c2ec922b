import json
import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chain.errors import Malformed
from device.output import MAX_BYTES, parse
from device.reading import FIRST_MS, LAST_MS, Fault, Reading, content, parse_content

NOW = 1_763_000_000_000

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=50)
documents = st.recursive(scalars, lambda some: st.lists(some) | st.dictionaries(st.text(), some))
objects = st.fixed_dictionaries({}, optional=dict.fromkeys(("value", "unit", "t", "quality"), documents))
packs = st.lists(
    st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("bn", "bt", "bu", "bv", "bver", "n", "u", "v", "vs", "t"), scalars)
    )
)
outputs = st.binary() | (st.text() | (documents | objects | packs).map(json.dumps)).map(
    lambda text: text.encode("utf-8", "surrogatepass")
)
numbers = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
readings = st.builds(
    Reading,
    sensor=st.from_regex(r"[a-z][a-z0-9-]{0,31}", fullmatch=True),
    channel=st.from_regex(r"([A-Za-z0-9][A-Za-z0-9:./_-]{0,40})?", fullmatch=True),
    value=numbers,
    unit=st.none()
    | st.text(st.characters(codec="ascii", categories=("L", "N", "P")), min_size=1, max_size=32),
    t_ms=st.none() | st.integers(FIRST_MS, LAST_MS),
    quality=st.sampled_from([None, "good"]),
)


@given(outputs)
def test_whatever_a_sensor_prints_is_at_least_one_sample_and_never_an_error(data: bytes) -> None:
    samples = parse(data, sensor="s", now_ms=NOW)

    assert samples
    for sample in samples:
        if isinstance(sample, Reading):
            assert math.isfinite(sample.value)
            assert parse_content(content(sample)) == sample
        else:
            assert len(sample.detail) < 500
            assert sample.detail.isascii()
            assert sample.detail.isprintable()


@given(numbers)
def test_a_number_is_read_back_as_it_was_printed(value: float) -> None:
    bare, wrapped, packed = (
        parse(json.dumps(form).encode(), sensor="s", now_ms=NOW)
        for form in (value, {"value": value}, [{"v": value}])
    )

    assert bare == wrapped == packed == [Reading(sensor="s", value=value)]


@given(documents.filter(lambda quality: quality not in (None, "good")), numbers)
def test_no_value_outweighs_a_bad_quality(quality: Any, value: float) -> None:
    (sample,) = parse(json.dumps({"value": value, "quality": quality}).encode(), sensor="s", now_ms=NOW)

    assert isinstance(sample, Fault)
    assert sample.reason in {"bad-quality", "unreadable"}


@given(st.integers(MAX_BYTES + 1, MAX_BYTES + 9))
def test_an_oversize_document_is_a_fault_however_good_its_beginning(size: int) -> None:
    (sample,) = parse(b"1".ljust(size), sensor="s", now_ms=NOW)

    assert isinstance(sample, Fault)


@given(readings)
def test_a_message_reads_back_as_the_reading_that_was_sent(reading: Reading) -> None:
    assert parse_content(content(reading)) == reading


@given(st.text() | documents.map(json.dumps))
def test_any_other_text_is_malformed_and_never_crashes(text: str) -> None:
    try:
        reading = parse_content(text)
    except Malformed:
        return
    assert parse_content(content(reading)) == reading
