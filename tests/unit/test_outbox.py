"""The outbox: nothing leaves it but by a receipt or a refusal, and no number is given out twice."""

import sqlite3
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path

import pytest
from msgspec import structs

from chain.errors import Malformed
from chain.wire import Parcel
from device.content import LimitValues
from device.episode import Open
from device.limits import Override
from device.outbox import SENT, Lane, Note, Outbox, Queued, Told, preceding
from tests.outboxes import Scribe, queue_some


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.db"


@pytest.fixture
def outbox(path: Path) -> Iterator[Outbox]:
    outbox = Outbox(path)
    yield outbox
    outbox.close()


@pytest.fixture
def scribe() -> Scribe:
    return Scribe()


def fill(outbox: Outbox, scribe: Scribe) -> None:
    for _ in range(100):
        outbox.queue("message", scribe.write)


def test_what_is_queued_waits_in_order_with_rising_numbers(outbox: Outbox, scribe: Scribe) -> None:
    queued = [outbox.queue("message", scribe.write) for _ in range(3)]

    assert outbox.pending("message", 10) == queued
    assert [each.seq for each in queued] == [1, 2, 3]
    assert outbox.waiting() == 3


def test_only_the_oldest_are_asked_for(outbox: Outbox, scribe: Scribe) -> None:
    queued = [outbox.queue("message", scribe.write) for _ in range(3)]

    assert outbox.pending("message", 2) == queued[:2]


def test_each_lane_has_a_stream_and_numbers_of_its_own(outbox: Outbox, scribe: Scribe) -> None:
    message = outbox.queue("message", scribe.write)
    command = outbox.queue("command", scribe.write)

    assert (message.seq, command.seq) == (1, 1)
    assert scribe.streams[0] != scribe.streams[1]
    assert outbox.pending("command", 10) == [command]


def test_it_is_all_there_after_a_restart(outbox: Outbox, path: Path, scribe: Scribe) -> None:
    queued = outbox.queue("message", scribe.write)
    outbox.close()

    again = Outbox(path)

    assert again.get(queued.id) == queued
    assert again.queue("message", scribe.write).seq == 2
    assert scribe.streams[0] == scribe.streams[1]
    again.close()


def test_a_release_forgets_what_was_receipted_and_nothing_else(outbox: Outbox, scribe: Scribe) -> None:
    first, second = (outbox.queue("message", scribe.write) for _ in range(2))

    outbox.release([first.id])

    assert outbox.pending("message", 10) == [second]
    assert outbox.get(first.id) is None


def test_releasing_twice_is_harmless(outbox: Outbox, scribe: Scribe) -> None:
    first = outbox.queue("message", scribe.write)

    outbox.release([first.id, first.id])
    outbox.release([first.id, "unknown"])

    assert (outbox.waiting(), outbox.counter("receipted")) == (0, 1)


def test_a_number_is_not_given_out_again_after_its_release(outbox: Outbox, scribe: Scribe) -> None:
    outbox.release([outbox.queue("message", scribe.write).id])

    assert outbox.queue("message", scribe.write).seq == 2


def test_a_refused_entry_is_kept_apart_with_the_reason(outbox: Outbox, scribe: Scribe) -> None:
    first, second = (outbox.queue("message", scribe.write) for _ in range(2))

    outbox.reject(first.id, "contact", "not in contact")
    outbox.reject(first.id, "contact", "said again")

    (rejected,) = outbox.rejected()
    assert (rejected.id, rejected.rule, rejected.reason) == (first.id, "contact", "not in contact")
    assert outbox.pending("message", 10) == [second]
    assert outbox.counter("refused") == 1


def test_the_refusal_of_something_unknown_is_not_kept(outbox: Outbox) -> None:
    outbox.reject("unknown", "contact", "not in contact")

    assert outbox.rejected() == []


@pytest.mark.parametrize("fault", [RuntimeError("no"), Malformed("no entry")])
def test_writing_that_fails_uses_up_no_number(outbox: Outbox, scribe: Scribe, fault: Exception) -> None:
    def fail(_stream: str, _seq: int) -> Parcel:
        raise fault

    with pytest.raises(type(fault)):
        outbox.queue("message", fail)

    assert outbox.queue("message", scribe.write).seq == 1
    assert outbox.counter("queued") == 1


def test_what_is_no_entry_is_not_queued(outbox: Outbox) -> None:
    with pytest.raises(Malformed):
        outbox.queue("message", lambda _stream, _seq: Parcel("nonsense"))

    assert outbox.waiting() == 0


def test_a_commit_that_fails_leaves_the_outbox_ready(outbox: Outbox, path: Path, scribe: Scribe) -> None:
    outbox._db.execute("PRAGMA max_page_count = 1")

    with pytest.raises(sqlite3.Error, match="full"):
        fill(outbox, scribe)

    outbox._db.execute("PRAGMA max_page_count = 1000000")
    waiting = outbox.waiting()
    assert outbox.queue("message", scribe.write).seq == waiting + 1


def test_counters_are_kept(outbox: Outbox, path: Path) -> None:
    outbox.set_counter("inbox", 41)
    outbox.set_counter("inbox", 42)
    outbox.close()

    again = Outbox(path)

    assert (again.counter("inbox"), again.counter("nothing")) == (42, 0)
    again.close()


def test_nobody_else_can_read_it(outbox: Outbox, path: Path, scribe: Scribe) -> None:
    outbox.queue("message", scribe.write)

    modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}

    assert modes == dict.fromkeys((".outbox.db.lock", "outbox.db", "outbox.db-wal", "outbox.db-shm"), 0o600)


def test_two_processes_that_queue_at_once_share_the_numbers(path: Path) -> None:
    processes = [get_context("fork").Process(target=queue_some, args=(path, 30)) for _ in range(2)]

    for process in processes:
        process.start()
    for process in processes:
        process.join()

    outbox = Outbox(path)
    assert [queued.seq for queued in outbox.pending("message", 100)] == list(range(1, 61))
    outbox.close()


def test_each_entry_names_the_one_before_it_that_waits_too(outbox: Outbox, scribe: Scribe) -> None:
    queued = [outbox.queue("message", scribe.write) for _ in range(4)]
    outbox.release([queued[1].id])

    assert [(each.seq, after) for each, after in preceding(outbox.pending("message", 10))] == [
        (1, None),
        (3, 1),
        (4, 3),
    ]


def test_a_queued_entry_comes_back_byte_for_byte(outbox: Outbox, scribe: Scribe) -> None:
    queued = outbox.queue("message", scribe.write)

    assert outbox.get(queued.id) == Queued(queued.id, 1, scribe.parcels[0], "message")


LANES: tuple[Lane, ...] = ("message", "alert")
OPEN = Open(id="e1", sensor="fridge", channel="", kind="technical", what="silent", since=5)


def test_an_episode_is_remembered_with_the_entry_that_tells_it(path: Path, scribe: Scribe) -> None:
    outbox = Outbox(path)
    outbox.queue("alert", scribe.write, Note(recorded=7, opens=OPEN))
    outbox.queue("alert", scribe.write, Note(recorded=8, opens=OPEN))
    outbox.close()

    outbox = Outbox(path)
    remembered = outbox.episodes(), outbox.counter("recorded")
    outbox.queue("alert", scribe.write, Note(recorded=9, closes=OPEN))
    left = outbox.episodes()
    outbox.close()

    assert remembered == ([OPEN], 8)
    assert left == []


def test_what_is_not_queued_is_not_remembered(outbox: Outbox) -> None:
    def fail(_stream: str, _seq: int) -> Parcel:
        raise OSError(28, "no space left on device")

    with pytest.raises(OSError, match="no space left"):
        outbox.queue("alert", fail, Note(recorded=7, opens=OPEN))

    assert (outbox.episodes(), outbox.counter("recorded")) == ([], 0)


HELD = Override(
    sensor="fridge",
    index=7,
    request="0197a3c0-0000-7000-8000-000000000001",
    by="a" * 26,
    at=1,
    instead=LimitValues(low=2, high=None),
    given=LimitValues(high=7.5, priority=None),
)
CONFIRMED = Note(limits=HELD, told=(Told("lee", "{}", frozenset("ab")),), answers=("agent", 7))


def test_a_limit_is_set_together_with_its_confirmation_and_outlives_a_restart(
    outbox: Outbox, path: Path, scribe: Scribe
) -> None:
    outbox.queue("message", scribe.write, CONFIRMED)
    outbox.close()

    again = Outbox(path)
    assert again.limits() == {"fridge": HELD}
    assert again.told() == {"lee": Told("lee", "{}", frozenset("ab"))}
    assert (again.counter("agent"), again.counter("recorded")) == (7, 0)
    again.close()


def test_a_limit_whose_confirmation_is_not_queued_is_not_set(outbox: Outbox) -> None:
    def fail(_stream: str, _seq: int) -> Parcel:
        raise OSError(28, "no space left on device")

    with pytest.raises(OSError, match="no space left"):
        outbox.queue("message", fail, CONFIRMED)

    assert (outbox.limits(), outbox.told(), outbox.counter("agent")) == ({}, {}, 0)


def test_a_limit_is_set_over_the_one_before_and_forgotten_once(outbox: Outbox, scribe: Scribe) -> None:
    later = structs.replace(HELD, index=9, given=LimitValues(high=6))
    for held in (HELD, later):
        outbox.queue("message", scribe.write, Note(limits=held))

    assert outbox.limits() == {"fridge": later}
    assert [outbox.forget_limits("fridge") for _ in range(2)] == [True, False]
    assert outbox.limits() == {}


def test_alerts_are_a_stream_of_their_own(outbox: Outbox, scribe: Scribe) -> None:
    reading, alert = (outbox.queue(lane, scribe.write) for lane in LANES)

    assert (reading.seq, alert.seq) == (1, 1)
    assert len(set(scribe.streams)) == 2
    assert [outbox.pending(lane, 10) for lane in SENT] == [[alert], [reading]]
    assert outbox.get(alert.id) == alert
