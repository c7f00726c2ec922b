"""Join codes: one spelling, and a secret that is nowhere but in it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.errors import Malformed
from chain.joincode import JoinCode, new_code

SECRET = "abcdefgh234567ab"
HOSTS = st.one_of(st.from_regex(r"\A[A-Za-z0-9.-]{1,40}\Z"), st.from_regex(r"\A\[[0-9a-fA-F:.]{1,40}\]\Z"))
CODES = st.builds(
    JoinCode,
    HOSTS,
    st.integers(1, 2**16 - 1),
    st.from_regex(r"\A[a-z2-7]{26}\Z"),
    st.from_regex(r"\A[a-z2-7]{16}\Z"),
)


@given(CODES)
def test_a_code_reads_back_as_it_was_written(code: JoinCode) -> None:
    assert JoinCode.from_text(code.to_text()) == code


@given(CODES, st.sampled_from(["", " ", "\n", "\r\n", "\t"]))
def test_space_around_it_does_not_matter(code: JoinCode, space: str) -> None:
    assert JoinCode.from_text(f"{space}{code.to_text()}{space}") == code


@given(st.text())
def test_any_other_text_is_malformed_and_never_crashes(text: str) -> None:
    try:
        code = JoinCode.from_text(text)
    except Malformed:
        return
    assert code.to_text() == text.strip()


@pytest.mark.parametrize("port", ["0", "08", "65536", "99999", "\N{ARABIC-INDIC DIGIT EIGHT}"])
def test_a_port_has_one_spelling(port: str) -> None:
    with pytest.raises(Malformed):
        JoinCode.from_text(f"localhost:{port}/{'a' * 26}/{SECRET}")


@pytest.mark.parametrize(
    "damage", [str.upper, lambda text: text[1:], lambda text: f"{text}a", lambda text: f"{text}/"]
)
def test_an_error_does_not_repeat_the_secret(damage: Any) -> None:
    with pytest.raises(Malformed) as caught:
        JoinCode.from_text(f"localhost:1/{'a' * 26}/{damage(SECRET)}")

    assert SECRET.lower()[2:-2] not in str(caught.value).lower()


def test_nothing_that_prints_a_code_prints_its_secret() -> None:
    code = JoinCode("localhost", 1, "a" * 26, SECRET)

    assert SECRET not in f"{code} {code!r} {[code]} {code.__rich_repr__()}"


def test_a_new_code_is_80_random_bits() -> None:
    drawn: list[int] = []

    def random(count: int) -> bytes:
        drawn.append(count)
        return bytes(range(count))

    code = new_code(random)

    assert drawn == [10]
    assert JoinCode.from_text(f"localhost:1/{'a' * 26}/{code}").code == code


def test_two_codes_differ() -> None:
    source = iter([bytes(10), bytes([1] * 10)])

    assert new_code(lambda _count: next(source)) != new_code(lambda _count: next(source))
