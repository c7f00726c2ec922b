"""How often somebody may try, and whom the guesses of others do not concern."""

from collections.abc import Callable
from typing import Any

import pytest

from chain.errors import Malformed, Missing
from gateway.rest.problems import TooMany, Unauthenticated
from gateway.rest.tries import ALLOWED, Count, Guesses, Source, Tries
from gateway.sessions import Session

HERE, THERE = Source.of("192.168.1.20"), Source.of("192.168.1.66")
MINUTE, HOUR = 60_000, 3_600_000


class Clock:
    now = 1_700_000_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def guesses(clock: Clock) -> Guesses:
    return Guesses(Tries(clock))


def wrong(guesses: Guesses, source: Source, handle: str, session: Session | None = None) -> None:
    with pytest.raises(Unauthenticated), guesses.guess(source, handle, session):
        raise Unauthenticated("wrong")


def right(guesses: Guesses, source: Source, handle: str, session: Session | None = None) -> None:
    with guesses.guess(source, handle, session):
        pass


def pause(act: Callable[..., None], *given: Any) -> int:
    """Seconds that the caller is told to wait."""
    with pytest.raises(TooMany) as caught:
        act(*given)
    return caught.value.seconds


def test_after_five_wrong_logins_there_is_a_pause_of_a_minute(guesses: Guesses, clock: Clock) -> None:
    for _ in range(5):
        wrong(guesses, HERE, "alice")

    assert pause(right, guesses, HERE, "alice") == 60
    clock.now += MINUTE
    right(guesses, HERE, "alice")


def test_the_pauses_grow(guesses: Guesses, clock: Clock) -> None:
    pauses = []
    for _ in range(4):
        for _ in range(5):
            wrong(guesses, HERE, "alice")
        pauses.append(pause(wrong, guesses, HERE, "alice"))
        clock.now += pauses[-1] * 1000

    assert pauses == [60, 540, 60, 2940]  # until the minute, the ten minutes, the minute, the hour is over


def test_what_is_refused_during_a_pause_does_not_make_it_longer(guesses: Guesses, clock: Clock) -> None:
    for _ in range(5):
        wrong(guesses, HERE, "alice")
    for _ in range(100):
        pause(wrong, guesses, HERE, "alice")

    clock.now += MINUTE
    wrong(guesses, HERE, "alice")


def test_who_guesses_elsewhere_does_not_lock_the_owner_out(guesses: Guesses) -> None:
    for _ in range(5):
        wrong(guesses, THERE, "alice")

    right(guesses, HERE, "alice")


def test_the_right_password_begins_anew(guesses: Guesses) -> None:
    for _ in range(4):
        wrong(guesses, HERE, "alice")
    right(guesses, HERE, "alice")

    for _ in range(5):
        wrong(guesses, HERE, "alice")


def test_many_handles_from_one_source_are_counted_together(guesses: Guesses) -> None:
    for number in range(30):
        wrong(guesses, THERE, f"name-{number}")

    assert pause(wrong, guesses, THERE, "one-more") == 60


def test_who_logged_in_from_there_before_does_not_wait_for_guesses_at_others(guesses: Guesses) -> None:
    right(guesses, HERE, "alice")
    for number in range(30):
        wrong(guesses, HERE, f"name-{number}")

    right(guesses, HERE, "alice")
    pause(right, guesses, HERE, "bob")


def test_a_browser_with_a_session_waits_for_nobody_elses_guesses_at_its_own_account(guesses: Guesses) -> None:
    session = Session(1, "A" * 22, "alice", "", "", 0, 0, 0)
    for _ in range(5):
        wrong(guesses, HERE, "alice")

    pause(right, guesses, HERE, "alice")
    right(guesses, HERE, "alice", session)


def test_but_it_has_only_so_many_guesses_itself(guesses: Guesses) -> None:
    session = Session(1, "A" * 22, "alice", "", "", 0, 0, 0)
    for _ in range(5):
        wrong(guesses, HERE, "alice", session)

    assert pause(wrong, guesses, HERE, "alice", session) == 60


def test_a_try_that_failed_for_another_reason_does_not_count(clock: Clock) -> None:
    tries, code = Tries(clock), Count("invites", (HERE.network,))
    for _ in range(21):
        with pytest.raises(Malformed), tries.attempt(code):
            raise Malformed("not a guess")

    with pytest.raises(Missing), tries.attempt(code):
        raise Missing("a guess")


def test_many_tries_at_once_are_no_more_than_one_by_one(clock: Clock) -> None:
    tries, code = Tries(clock), Count("invites", (HERE.network,))
    under_way = [tries.attempt(code) for _ in range(20)]
    for each in under_way:
        each.__enter__()

    with pytest.raises(TooMany), tries.attempt(code):
        pass
    for each in under_way:
        each.__exit__(None, None, None)
    with tries.attempt(code):
        pass


def test_a_try_that_is_given_back_late_opens_no_new_window(clock: Clock) -> None:
    tries, asks = Tries(clock), Count("lookups", ("alice",))
    tries.take(asks)
    clock.now += 2 * HOUR
    tries.give_back(asks)

    for _ in range(30):
        tries.take(asks)
    with pytest.raises(TooMany):
        tries.take(asks)


def test_a_clock_that_is_set_back_keeps_nobody_waiting(guesses: Guesses, clock: Clock) -> None:
    for _ in range(5):
        wrong(guesses, HERE, "alice")
    clock.now -= 1000 * HOUR

    right(guesses, HERE, "alice")


def test_ten_thousand_sources_cost_bounded_memory_and_honest_ones_come_in(clock: Clock) -> None:
    tries = Tries(clock, most=1_000)
    guesses = Guesses(tries, most=100)
    sources = [Source.of(f"10.0.{number // 256}.{number % 256}") for number in range(10_000)]
    for source in sources:
        wrong(guesses, source, "alice")
    for source in sources[:200]:
        right(guesses, source, "bob")

    assert len(tries.windows) <= 1_000
    assert len(guesses._known) == 100
    right(guesses, HERE, "alice")


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.168.1.20", "192.168.1.20"),
        ("127.0.0.1", "127.0.0.0/8"),
        ("127.8.8.8", "127.0.0.0/8"),
        ("fd00::1:2", "fd00::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.168.1.20", "192.168.1.20"),
        ("", ""),
    ],
)
def test_a_machine_is_one_source_however_many_addresses_it_has(address: str, network: str) -> None:
    assert Source.of(address).network == network


def test_a_slash_in_a_handle_makes_no_other_count() -> None:
    assert Count("login", ("a", "b/c")).key != Count("login", ("a/b", "c")).key


@pytest.mark.parametrize("kind", ALLOWED)
def test_no_handle_is_kept(kind: str) -> None:
    assert "alice" not in Count(kind, ("alice",)).key


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "1 second"), (60, "60 seconds"), (91, "2 minutes"), (3600, "60 minutes")]
)
def test_the_pause_is_told_in_words(seconds: float, words: str) -> None:
    assert str(TooMany(seconds)) == f"too many tries from here: wait {words}, then try again"
