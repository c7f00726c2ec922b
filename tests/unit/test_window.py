"""The window: which waiting entries are sent now, and which again."""

from collections.abc import Sequence

from chain.wire import Parcel
from device.outbox import Queued
from device.window import PATIENCE, PAUSE, Window


def waiting(*seqs: int) -> list[Queued]:
    return [Queued(f"entry {seq}", seq, Parcel(""), "message") for seq in seqs]


def sends(window: Window, pending: Sequence[Queued], now: float) -> list[tuple[int, int | None]]:
    return [(queued.seq, after) for queued, after in window.due(pending, now)]


def test_what_waits_is_sent_in_order_each_after_the_one_before_it() -> None:
    assert sends(Window(), waiting(3, 4, 7), 0) == [(3, None), (4, 3), (7, 4)]


def test_what_is_under_way_is_not_sent_again() -> None:
    window = Window()
    window.due(waiting(1, 2), 0)

    assert sends(window, waiting(1, 2), 1) == []


def test_what_is_new_follows_what_is_under_way() -> None:
    window = Window()
    window.due(waiting(1), 0)

    assert sends(window, waiting(1, 2), 1) == [(2, 1)]


def test_no_more_than_its_size_is_under_way() -> None:
    window = Window(size=2)

    assert sends(window, waiting(1, 2, 3), 0) == [(1, None), (2, 1)]
    assert sends(window, waiting(1, 2, 3), 1) == []
    assert sends(window, waiting(2, 3), 1) == [(3, 2)]


def test_without_a_receipt_all_of_it_is_sent_again() -> None:
    window = Window()
    window.due(waiting(1, 2), 0)

    assert sends(window, waiting(1, 2), PATIENCE - 0.1) == []
    assert sends(window, waiting(1, 2), PATIENCE) == [(1, None), (2, 1)]


def test_patience_is_with_the_oldest_that_is_under_way() -> None:
    window = Window()
    window.due(waiting(1), 0)
    window.due(waiting(1, 2), 3)

    assert sends(window, waiting(2), PATIENCE) == []
    assert sends(window, waiting(2), 3 + PATIENCE) == [(2, None)]


def test_a_gap_starts_over_with_the_oldest() -> None:
    window = Window()
    window.due(waiting(1, 2, 3), 0)

    window.restart(1)

    assert sends(window, waiting(1, 2, 3), 1) == [(1, None), (2, 1), (3, 2)]


def test_the_many_gaps_of_one_loss_start_over_once() -> None:
    window = Window()
    window.due(waiting(1, 2, 3), 0)
    window.restart(1)
    window.due(waiting(1, 2, 3), 1)

    window.restart(1 + PAUSE / 2)

    assert sends(window, waiting(1, 2, 3), 1 + PAUSE / 2) == []


def test_the_next_loss_starts_over_again() -> None:
    window = Window()
    window.restart(1)
    window.due(waiting(1), 1)

    window.restart(1 + PAUSE)

    assert sends(window, waiting(1), 1 + PAUSE) == [(1, None)]


def test_a_new_connection_starts_over_at_once() -> None:
    window = Window()
    window.due(waiting(1), 0)

    window.reconnected()

    assert sends(window, waiting(1), 0) == [(1, None)]


def test_nothing_waiting_is_nothing_due() -> None:
    window = Window()
    window.due(waiting(1), 0)

    assert sends(window, [], 1) == []
