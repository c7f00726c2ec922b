from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from device.lines import Lines

LIMIT = 5
texts = st.lists(st.sampled_from([b"\n", b"a", b"bc", b"def", b"ghijklmn"])).map(b"".join)


@given(texts, st.lists(st.integers(0, 60)))
def test_lines_do_not_depend_on_how_the_bytes_arrive(text: bytes, cuts: list[int]) -> None:
    lines = Lines(LIMIT)
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})

    arrived = [line for start, end in pairwise(places) for line in lines.feed(text[start:end])]

    assert arrived == [line[: LIMIT + 1] for line in text.split(b"\n")[:-1]]
