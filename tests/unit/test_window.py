"""The window: which waiting entries are sent now, and which again."""

from collections.abc import Sequence

from chain.wire import Parcel
from device.outbox import Queued
from device.window import FIRST, LONGEST_PATIENCE, PATIENCE, PAUSE, SIZE, Window


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
    assert sends(window, waiting(1, 2, 3), 0.1) == []
    assert sends(window, waiting(2, 3), 0.1) == [(3, 2)]


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
    window.due(waiting(1, 2), 0)

    window.restart(1)

    assert sends(window, waiting(1, 2), 1) == [(1, None), (2, 1)]


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


# How many are under way


class Gateway:
    """Receipts everything that is under way, after a moment."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self.now = 0.0
        self._oldest = 1

    def answers(self, *, busy: bool = False) -> int:
        """How many were sent before it did."""
        pending = waiting(*range(self._oldest, self._oldest + self.window.size))
        self.window.due(pending, self.now)
        under_way = self.window.room
        self.now += 0.05
        self._oldest += under_way
        if busy:
            self.window.slow_down()
        self.window.due(pending[under_way:], self.now)
        return under_way


def test_a_new_connection_begins_with_a_few_and_doubles_with_each_round() -> None:
    gateway = Gateway(Window())

    assert [gateway.answers() for _ in range(6)] == [FIRST, 8, 16, 32, SIZE, SIZE]


def test_a_busy_gateway_halves_what_is_under_way_down_to_one() -> None:
    gateway = Gateway(Window())
    while gateway.answers() < SIZE:
        pass

    assert [gateway.answers(busy=True) for _ in range(7)] == [56, 28, 14, 7, 3, 1, 1]


def test_after_that_one_more_is_tried_with_each_round() -> None:
    gateway = Gateway(Window(size=8))
    while gateway.answers() < 8:
        pass
    gateway.answers(busy=True)

    assert [gateway.answers() for _ in range(5)] == [4, 4, 5, 6, 7]


def test_what_was_already_under_way_halves_it_only_once() -> None:
    window = Window()
    window.due(waiting(1, 2, 3, 4), 0)

    window.slow_down()
    window.due(waiting(2, 3, 4), 1)
    window.slow_down()
    window.due(waiting(3, 4), 1.1)

    assert window.room == FIRST // 2


def test_being_busy_is_forgotten_with_the_next_receipts() -> None:
    window = Window()
    window.slow_down()
    window.due(waiting(1), 0)

    window.due([], 0.1)

    assert window.room == FIRST + 1


def test_an_answer_to_what_was_sent_twice_says_nothing_about_the_delay() -> None:
    window = Window()
    window.due(waiting(1), 0)
    window.due(waiting(1), PATIENCE)
    room = window.room

    window.due([], PATIENCE + 0.01)

    assert window.room == room


def test_patience_grows_while_there_is_no_answer_at_all() -> None:
    window = Window()
    window.due(waiting(1), 0)
    assert sends(window, waiting(1), PATIENCE) == [(1, None)]

    assert sends(window, waiting(1), PATIENCE + LONGEST_PATIENCE - 0.1) == []
    assert sends(window, waiting(1), PATIENCE + LONGEST_PATIENCE) == [(1, None)]
