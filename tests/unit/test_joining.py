"""`device.joining`: the six digits that a newcomer shows, and how it waits for them to be compared."""

from collections.abc import Sequence
from typing import cast

import pytest

from chain import joincode
from chain.api import Match
from chain.encoding import b64url
from chain.wire import Parcel
from device import joining
from device.errors import Problem, Unreachable
from device.rest import Gateway, Receipted

PARCEL = Parcel(entry="an.account.entry")
FIRST, SECOND = Match(b64url(bytes(16))), Match(b64url(b"\1" * 16))
IN = Receipted("id", "receipt")


class Door:
    """Answers, or raises, one after the other, and keeps what was handed in."""

    def __init__(self, *answers: Match | Receipted | Exception) -> None:
        self.answers = list(answers)
        self.parcels: list[Parcel] = []

    def register(self, parcel: Parcel) -> Match | Receipted:
        self.parcels.append(parcel)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    return slept


def let_in(door: Door) -> tuple[Receipted, list[str]]:
    told: list[str] = []
    return joining._let_in(cast("Gateway", door), PARCEL, told.append), told


def digits(match: Match) -> str:
    made = joincode.digits(bytes(16) if match is FIRST else b"\1" * 16, PARCEL.entry.encode())
    return f"{made[:3]} {made[3:]}"


def shown(told: Sequence[str]) -> list[str]:
    return [line.split("administrator:")[1].split("\n")[0].strip() for line in told]


def test_where_nobody_compares_it_is_in_at_once(slept: list[float]) -> None:
    assert let_in(Door(IN)) == (IN, [])
    assert slept == []


def test_the_digits_are_shown_once_while_the_same_is_asked_again(slept: list[float]) -> None:
    door = Door(FIRST, FIRST, FIRST, IN)

    receipted, told = let_in(door)

    assert receipted == IN
    assert shown(told) == [digits(FIRST)]
    assert door.parcels == [PARCEL] * 4
    assert slept == [2.0] * 3


def test_new_digits_are_shown_where_the_gateway_chose_another_nonce(slept: list[float]) -> None:
    _, told = let_in(Door(FIRST, SECOND, SECOND, IN))

    assert shown(told) == [digits(FIRST), digits(SECOND)]


@pytest.mark.parametrize("passing", [Unreachable("restarting"), Problem(429, "too many tries")])
def test_a_gateway_that_is_busy_or_away_is_waited_for(slept: list[float], passing: Exception) -> None:
    receipted, told = let_in(Door(FIRST, passing, FIRST, IN))

    assert receipted == IN
    assert len(told) == 1


def test_who_is_refused_waits_no_more(slept: list[float]) -> None:
    with pytest.raises(Problem, match="tried too often"):
        let_in(Door(FIRST, Problem(403, "this join code was tried too often", rule="invite"), IN))


def test_a_gateway_that_is_away_at_first_is_not_waited_for(slept: list[float]) -> None:
    with pytest.raises(Unreachable):
        let_in(Door(Unreachable("nobody there")))
