"""Duty: whose shift it is, whom it is taken from, and that nobody's is everybody's."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain import duty
from chain.duty import Shift, without
from tests.world import DAY, START, Actor, World

HOUR = 3_600_000


class Ward:
    """A group of two, and somebody beside it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.alice, self.bob, self.carol = (world.join(name) for name in ("alice", "bob", "carol"))
        self.group = world.group(self.alice, self.bob)

    def plans(
        self, by: Actor, account: Actor | None, begins: int, ends: int, *, instead: Actor | None = None
    ) -> None:
        """Times are hours since the start."""
        says = {"account": account and account.id, "instead": instead and instead.id}
        self.world.commit(by.plans(self.group, START + begins * HOUR, START + ends * HOUR, **says))

    def on(self, hour: float) -> set[str]:
        """Who is on duty then, by name."""
        on = self.world.chain.state.on_duty(self.group, START + round(hour * HOUR))
        return {each.name for each in (self.alice, self.bob, self.carol) if each.id in on}


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[Ward]:
    with World(tmp_path) as world:
        yield Ward(world)


def test_where_nobody_has_a_shift_everybody_is_on(ward: Ward) -> None:
    assert ward.on(0) == {"alice", "bob"}


def test_a_shift_is_from_its_beginning_until_just_before_its_end(ward: Ward) -> None:
    ward.plans(ward.world.admin, ward.alice, 8, 16)

    assert [ward.on(hour) for hour in (7.99, 8, 15.99, 16)] == [
        {"alice", "bob"},
        {"alice"},
        {"alice"},
        {"alice", "bob"},
    ]


def test_a_shift_is_taken_from_somebody_for_the_time_that_is_taken(ward: Ward) -> None:
    ward.plans(ward.world.admin, ward.alice, 8, 16)

    ward.plans(ward.bob, ward.bob, 10, 12, instead=ward.alice)

    assert [ward.on(hour) for hour in (9, 11, 13)] == [{"alice"}, {"bob"}, {"alice"}]


def test_an_open_shift_is_taken_from_nobody(ward: Ward) -> None:
    ward.plans(ward.alice, ward.alice, 8, 16)

    assert ward.on(9) == {"alice"}


def test_without_anybody_instead_a_shift_is_open_again(ward: Ward) -> None:
    ward.plans(ward.world.admin, ward.alice, 8, 16)

    ward.plans(ward.world.admin, None, 8, 16, instead=ward.alice)

    assert ward.on(9) == {"alice", "bob"}


def test_nobody_takes_a_shift_from_somebody_who_has_none(ward: Ward) -> None:
    said = ward.bob.plans(ward.group, START, START + HOUR, account=ward.bob.id, instead=ward.alice.id)

    assert ward.world.refusal(said).rule == "unknown"


def test_a_member_plans_for_nobody_else(ward: Ward) -> None:
    for account in (ward.alice.id, None):
        said = ward.bob.plans(ward.group, START, START + HOUR, account=account, instead=ward.alice.id)
        assert ward.world.refusal(said).rule == "permission"


def test_who_is_no_member_has_no_shift(ward: Ward) -> None:
    begins, ends = START, START + HOUR

    own = ward.carol.plans(ward.group, begins, ends, account=ward.carol.id)
    assert ward.world.refusal(own).rule == "permission"
    planned = ward.world.admin.plans(ward.group, begins, ends, account=ward.carol.id)
    assert ward.world.refusal(planned).rule == "unknown"


@pytest.mark.parametrize("ends", [START - 1, START, START + duty.MAX_SHIFT_MS + 1])
def test_a_shift_ends_after_it_begins_and_within_a_month(ward: Ward, ends: int) -> None:
    said = ward.world.admin.plans(ward.group, START, ends, account=ward.alice.id)

    assert ward.world.refusal(said).rule == "malformed"


def test_a_shift_says_who_or_instead_of_whom(ward: Ward) -> None:
    assert ward.world.refusal(ward.world.admin.plans(ward.group, START, START + 1)).rule == "malformed"


def test_whoever_left_the_house_or_the_group_is_not_on(ward: Ward) -> None:
    ward.plans(ward.world.admin, ward.alice, 8, 16)

    ward.world.commit(ward.world.admin.groups(ward.group, ward.bob.id, ward.carol.id))
    assert ward.on(9) == {"bob", "carol"}
    ward.world.commit(ward.world.admin.revokes(ward.carol.id))
    assert ward.on(9) == {"bob"}


def test_with_a_group_its_shifts_end(ward: Ward) -> None:
    ward.plans(ward.world.admin, ward.alice, 8, 16)

    ward.world.commit(ward.world.admin.groups(ward.group, name=None))

    assert ward.world.dump()["shift"] == []


def test_two_may_be_on_at_a_time(ward: Ward) -> None:
    ward.plans(ward.world.admin, ward.alice, 8, 16)
    ward.plans(ward.world.admin, ward.bob, 12, 20)

    assert [ward.on(hour) for hour in (9, 13, 18)] == [{"alice"}, {"alice", "bob"}, {"bob"}]


def test_a_shift_that_somebody_is_given_again_is_there_once(ward: Ward) -> None:
    for hours in ((8, 16), (8, 16), (12, 20), (0, 9)):
        ward.plans(ward.world.admin, ward.alice, *hours)

    shifts = ward.world.chain.state.shifts.of(ward.group, since=START - DAY)

    assert [((s.begins - START) // HOUR, (s.ends - START) // HOUR) for s in shifts] == [
        (0, 9),
        (9, 12),
        (12, 20),
    ]


HOURS = st.integers(0, 12)
TIMES = st.tuples(HOURS, HOURS).filter(lambda time: time[0] < time[1])


@given(shifts=st.lists(TIMES, max_size=4), cut=TIMES)
def test_what_is_left_of_shifts_is_what_was_in_them_and_not_in_the_time_that_was_cut(
    shifts: list[tuple[int, int]], cut: tuple[int, int]
) -> None:
    left = without([Shift("alice", *shift, 1) for shift in shifts], *cut)

    assert all(shift.begins < shift.ends for shift in left)
    for hour in range(12):
        before = sum(begins <= hour < ends for begins, ends in shifts)
        after = sum(shift.begins <= hour < shift.ends for shift in left)
        assert after == (0 if cut[0] <= hour < cut[1] else before)
