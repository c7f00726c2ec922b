"""Join codes in use: five tries, and six digits that only the entry that waits can have."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from chain.errors import Missing, Refused
from chain.joincode import digits
from gateway.joins import MOST_TRIES, Code, Joins

INVITE = "0197b2c4-5d6e-7f80-9a1b-2c3d4e5f6071"
OTHER = "0197b2c4-5d6e-7f80-9a1b-2c3d4e5f6072"
NOW = 1_763_000_000_000


class Random:
    """A nonce that nobody had before: the count of those given out."""

    def __init__(self) -> None:
        self.drawn = 0

    def __call__(self, count: int) -> bytes:
        self.drawn += 1
        return self.drawn.to_bytes(count, "big")


def opened(folder: Path) -> Joins:
    return Joins.open(folder / "joins.db", clock=lambda: NOW, random=Random())


@pytest.fixture
def joins(tmp_path: Path) -> Iterator[Joins]:
    made = opened(tmp_path)
    yield made
    made.close()


def wait(joins: Joins, leaf: bytes) -> str:
    """Hand in an entry; return the six digits that its author shows."""
    nonce = joins.match(INVITE, leaf)
    assert nonce is not None
    return digits(nonce, leaf)


def other_than(shown: str) -> str:
    return f"{(int(shown) + 1) % 1_000_000:06d}"


def reason(joins: Joins, leaf: bytes = b"next") -> str:
    with pytest.raises(Refused) as refused:
        joins.match(INVITE, leaf)
    assert refused.value.rule == "invite"
    return refused.value.reason


def test_of_a_code_that_nobody_tried_nothing_is_known(joins: Joins) -> None:
    assert joins.of(INVITE) == Code(invite=INVITE)
    assert joins.known() == {}


def test_who_asks_again_with_the_same_entry_keeps_its_digits(joins: Joins) -> None:
    assert wait(joins, b"mine") == wait(joins, b"mine")
    assert joins.of(INVITE).tries == 0


def test_it_is_let_in_once_an_admin_typed_its_digits(joins: Joins) -> None:
    shown = wait(joins, b"mine")

    joins.confirm(INVITE, shown)

    assert joins.match(INVITE, b"mine") is None


def test_another_entry_is_a_try_in_vain_and_has_a_nonce_of_its_own(joins: Joins) -> None:
    first = joins.match(INVITE, b"mine")

    second = joins.match(INVITE, b"theirs")

    assert first != second
    assert joins.of(INVITE).tries == 1


def test_the_digits_of_one_do_not_let_another_in_that_came_after_it(joins: Joins) -> None:
    shown = wait(joins, b"mine")
    wait(joins, b"theirs")

    with pytest.raises(Refused, match="not the six digits"):
        joins.confirm(INVITE, shown)

    assert joins.match(INVITE, b"theirs") is not None


def test_another_entry_after_the_digits_were_confirmed_is_not_let_in_and_undoes_it(joins: Joins) -> None:
    joins.confirm(INVITE, wait(joins, b"mine"))

    assert joins.match(INVITE, b"theirs") is not None
    assert joins.match(INVITE, b"mine") is not None
    assert joins.of(INVITE).tries == 2


def test_wrong_digits_end_the_wait_and_the_next_ones_are_others(joins: Joins) -> None:
    shown = wait(joins, b"mine")

    with pytest.raises(Refused, match="good for 4 more wrong tries"):
        joins.confirm(INVITE, other_than(shown))

    assert joins.of(INVITE).waiting is None
    assert wait(joins, b"mine") != shown


def test_where_nobody_waits_there_is_nothing_to_confirm(joins: Joins) -> None:
    with pytest.raises(Missing):
        joins.confirm(INVITE, "000000")

    assert joins.known() == {}


@pytest.mark.parametrize("how", ["digits", "entries", "refusals", "taken"])
def test_after_five_tries_in_vain_the_code_is_dead(joins: Joins, how: str) -> None:
    for number in range(MOST_TRIES):
        assert not joins.of(INVITE).dead
        if how == "digits":
            with pytest.raises(Refused):
                joins.confirm(INVITE, other_than(wait(joins, b"mine")))
        elif how == "entries":
            wait(joins, b"first") if number == 0 else None
            with suppress(Refused):
                joins.match(INVITE, b"%d" % number)
        elif how == "refusals":
            joins.fail(INVITE)
        else:
            joins.take(INVITE)

    assert "too often" in reason(joins)
    assert joins.of(INVITE).waiting is None
    with pytest.raises(Refused):
        joins.take(INVITE)
    with pytest.raises(Refused):
        joins.fail(INVITE)
    assert joins.of(INVITE).tries == MOST_TRIES


def test_the_fifth_wrong_entry_is_told_at_once(joins: Joins) -> None:
    for number in range(MOST_TRIES):
        wait(joins, b"%d" % number)

    assert "too often" in reason(joins)


def test_one_codes_tries_are_not_anothers(joins: Joins) -> None:
    for _ in range(MOST_TRIES):
        joins.fail(INVITE)

    assert joins.match(OTHER, b"mine") is not None
    assert {invite: code.dead for invite, code in joins.known().items()} == {INVITE: True, OTHER: False}


def test_a_try_that_was_not_in_vain_is_given_back(joins: Joins) -> None:
    joins.take(INVITE)
    joins.give_back(INVITE)
    joins.give_back(INVITE)

    assert joins.of(INVITE).tries == 0


def test_many_at_once_get_no_more_tries_than_one_by_one(joins: Joins) -> None:
    def taken(_: int) -> bool:
        try:
            joins.take(INVITE)
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(taken, range(64))) == MOST_TRIES


def test_a_stopped_code_lets_nobody_in_and_tells_why(joins: Joins) -> None:
    shown = wait(joins, b"mine")

    joins.stop(INVITE)

    assert "an admin stopped" in reason(joins, b"mine")
    with pytest.raises(Missing):
        joins.confirm(INVITE, shown)


def test_nothing_is_kept_of_a_code_that_was_used(joins: Joins) -> None:
    joins.take(INVITE)

    joins.forget(INVITE)

    assert joins.known() == {}


def test_tries_and_who_waits_outlive_the_process(tmp_path: Path, joins: Joins) -> None:
    joins.fail(INVITE)
    shown = wait(joins, b"mine")

    again = opened(tmp_path)

    assert again.of(INVITE) == joins.of(INVITE)
    again.confirm(INVITE, shown)
    assert joins.match(INVITE, b"mine") is None
    again.close()


def test_asking_again_writes_nothing(tmp_path: Path, joins: Joins) -> None:
    wait(joins, b"mine")
    with sqlite3.connect(tmp_path / "joins.db") as other:
        before = other.execute("PRAGMA data_version").fetchone()
        wait(joins, b"mine")
        after = other.execute("PRAGMA data_version").fetchone()
    other.close()

    assert before == after


def test_the_file_is_for_nobody_else(tmp_path: Path, joins: Joins) -> None:
    joins.fail(INVITE)

    assert {file.stat().st_mode & 0o777 for file in tmp_path.glob("joins.db*")} == {0o600}
