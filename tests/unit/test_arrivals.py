"""What waits for the committer: bounded, in turn among accounts, and in order for each."""

import threading
from collections import Counter
from collections.abc import Iterable

import pytest

from gateway.arrivals import (
    CALM_SECONDS,
    HUSH_SECONDS,
    LEAST_BYTES,
    MOST_OF_ONE,
    MUCH_JUNK,
    NOTHING,
    TURN,
    Arrivals,
    Incoming,
)

RELAYED = "up/gateway"


def message(topic: str, mid: int, size: int = 10) -> Incoming:
    return Incoming(topic, b"x" * size, mid, 1)


def fill(arrivals: Arrivals, topic: str, mids: Iterable[int]) -> list[int]:
    """What was dropped."""
    return [each.mid for mid in mids for each in arrivals.put(message(topic, mid))]


def taken(arrivals: Arrivals) -> list[Incoming]:
    return arrivals.take(0)


def mids(batch: list[Incoming], topic: str) -> list[int]:
    return [each.mid for each in batch if each.topic == topic]


def test_a_block_takes_as_many_as_it_may_and_leaves_the_rest() -> None:
    arrivals = Arrivals()
    fill(arrivals, "a", range(200))
    fill(arrivals, "b", range(200))

    first, second = taken(arrivals), taken(arrivals)

    assert mids(first, "a") == mids(first, "b") == list(range(128))
    assert mids(second, "a") == mids(second, "b") == list(range(128, 200))


def test_nothing_to_do_is_an_empty_batch() -> None:
    assert Arrivals().take(0.01) == []


def test_whoever_waits_is_woken() -> None:
    arrivals = Arrivals()
    threading.Timer(0.01, arrivals.wake).start()

    assert arrivals.take(60) == [NOTHING]


def test_being_woken_takes_what_there_is() -> None:
    arrivals = Arrivals(clock=lambda: 0.0)
    arrivals.put(message("a", 1))
    arrivals.wake()

    assert arrivals.take(60) == [message("a", 1), NOTHING]


def test_the_first_waits_for_others_and_a_full_block_for_nobody() -> None:
    arrivals = Arrivals(clock=lambda: 0.0)  # time does not pass: only a full block ends the wait
    threading.Timer(0.01, fill, [arrivals, "a", range(256)]).start()

    assert len(arrivals.take(60)) == 256


def test_accounts_take_turns_and_each_keeps_its_order() -> None:
    arrivals = Arrivals()
    for topic in ("a", "b"):
        fill(arrivals, topic, range(200))

    batch = taken(arrivals)

    assert mids(batch, "a") == mids(batch, "b") == list(range(128))


def test_one_that_was_silent_comes_before_those_with_a_lot_waiting() -> None:
    arrivals = Arrivals()
    for number in range(100):
        fill(arrivals, f"flood {number}", range(10))
    taken(arrivals)

    arrivals.put(message("quiet", 7))

    assert mids(taken(arrivals), "quiet") == [7]


def test_one_that_always_has_something_new_does_not_keep_the_others_waiting() -> None:
    arrivals = Arrivals()
    for number in range(100):
        fill(arrivals, f"flood {number}", range(40))
    count: Counter[str] = Counter()

    for turn in range(4):
        fill(arrivals, "eager", range(turn * 256, (turn + 1) * 256))
        count.update(each.topic for each in taken(arrivals))

    # Between two turns of one, all the others have had theirs.
    assert count["eager"] <= 3 * TURN


def test_people_behind_the_web_server_have_a_quarter_of_a_block() -> None:
    arrivals = Arrivals(RELAYED)
    for number in range(100):
        fill(arrivals, f"flood {number}", range(40))
    taken(arrivals)
    fill(arrivals, RELAYED, range(500))

    assert len(mids(taken(arrivals), RELAYED)) == 64


def test_when_there_is_no_room_whoever_has_most_loses_its_newest() -> None:
    arrivals = Arrivals(max_bytes=10 * LEAST_BYTES)
    fill(arrivals, "flood", range(10))

    fill(arrivals, "quiet", [1, 2])
    fill(arrivals, "flood", [10, 11])
    batch = taken(arrivals)

    assert mids(batch, "quiet") == [1, 2]
    assert mids(batch, "flood") == list(range(8))


def test_what_is_dropped_is_handed_back() -> None:
    arrivals = Arrivals(max_bytes=10 * LEAST_BYTES)
    fill(arrivals, "flood", range(10))

    assert fill(arrivals, "quiet", [1]) == [9]
    assert fill(arrivals, "flood", [10]) == [10]


def test_one_account_has_only_so_many_waiting_however_much_room_there_is() -> None:
    arrivals = Arrivals(RELAYED)

    assert fill(arrivals, "flood", range(300)) == list(range(MOST_OF_ONE, 300))
    assert fill(arrivals, RELAYED, range(300)) == []


def test_whoever_sends_junk_is_not_read_for_a_while() -> None:
    now = [0.0]
    arrivals = Arrivals(RELAYED, clock=lambda: now[0])
    fill(arrivals, "flood", range(20))
    arrivals.wake()
    assert arrivals.hush(["flood"] * (MUCH_JUNK - 1)) == []

    dropped = arrivals.hush(["flood"] * MUCH_JUNK)

    assert sorted(each.mid for each in dropped) == list(range(20))
    assert fill(arrivals, "flood", [20]) == [20]
    assert fill(arrivals, "quiet", [1]) == []
    now[0] += HUSH_SECONDS
    assert fill(arrivals, "flood", [21]) == []


def test_people_are_not_silenced_for_one_of_them() -> None:
    arrivals = Arrivals(RELAYED)

    arrivals.hush([RELAYED] * 100)

    assert fill(arrivals, RELAYED, [1]) == []


def test_it_is_crowded_when_more_waits_than_the_next_blocks_take() -> None:
    arrivals = Arrivals()
    fill(arrivals, "a", range(250))
    fill(arrivals, "b", range(250))
    assert not arrivals.is_crowded()

    fill(arrivals, "c", range(12))

    assert arrivals.is_crowded()


def test_what_waits_is_counted_in_bytes() -> None:
    arrivals = Arrivals(max_bytes=10 * LEAST_BYTES)

    dropped = [arrivals.put(message("a", mid, size=4 * LEAST_BYTES)) for mid in range(3)]

    assert [[each.mid for each in each_time] for each_time in dropped] == [[], [], [2]]


def test_an_overload_is_said_once_when_it_begins_and_once_when_it_is_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = [1.0]
    arrivals = Arrivals(max_bytes=LEAST_BYTES, clock=lambda: now[0])
    caplog.set_level("INFO")

    for _ in range(3):
        fill(arrivals, "a", [1, 2])
        arrivals.take(0)
    now[0] += CALM_SECONDS
    arrivals.take(0)
    arrivals.take(0)

    assert [record.getMessage() for record in caplog.records] == [
        "messages dropped reason=more come than are let wait",
        "no more messages dropped count=3",
    ]
