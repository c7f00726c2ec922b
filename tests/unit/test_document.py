"""TinyDB documents of a device: whole after a SIGKILL, and one at a time."""

import json
import multiprocessing
import random
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from tinydb.operations import increment

from device.document import locked, opened
from device.errors import BadDocument

KILLS = 60
FILLING = "a document of some size is written in several pieces " * 400

spawn = multiprocessing.get_context("spawn")


def count_for_ever(path: Path, pipe: Connection) -> None:
    """In a process of its own: raise both numbers of a document, and say so after each time."""
    while True:
        pipe.send(_count(path))


def count_up(path: Path, times: int) -> None:
    for _ in range(times):
        _count(path)


def _count(path: Path) -> int:
    with opened(path) as document:
        table = document.table("count")
        table.update(increment("first"))
        table.update(increment("second"))
        return int(table.all()[0]["first"])


def begin(path: Path) -> None:
    with opened(path) as document:
        document.table("count").insert({"first": 0, "second": 0, "filling": FILLING})


def read(path: Path) -> tuple[int, int]:
    with opened(path) as document:
        (row,) = document.table("count").all()
    assert row["filling"] == FILLING
    return row["first"], row["second"]


def test_a_document_survives_every_sigkill_with_the_old_or_the_new(tmp_path: Path) -> None:
    path, chance = tmp_path / "document.json", random.Random(1)
    begin(path)

    for _ in range(KILLS):
        # One killed child after another, each forked: to import TinyDB anew takes longer than what is tried here.
        theirs, ours = (fork := multiprocessing.get_context("fork")).Pipe(duplex=False)
        child = fork.Process(target=count_for_ever, args=(path, ours))
        child.start()
        ours.close()
        told = theirs.recv()
        theirs.poll(chance.uniform(0, 0.02))
        child.kill()
        child.join()
        while theirs.poll():
            try:
                told = theirs.recv()
            except EOFError:
                break
        first, second = read(path)
        theirs.close()

        assert first >= told
        assert second in (first, first - 1)
        if second != first:
            _mend(path)


def _mend(path: Path) -> None:
    with opened(path) as document:
        document.table("count").update(increment("second"))


def test_two_processes_lose_none_of_their_updates(tmp_path: Path) -> None:
    path = tmp_path / "document.json"
    begin(path)
    counters = [spawn.Process(target=count_up, args=(path, 40)) for _ in range(2)]

    for counter in counters:
        counter.start()
    for counter in counters:
        counter.join()

    assert read(path) == (80, 80)


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff",
        b"[" * 100_000,
        b'{"pins": 5}',
        b'{"pins": {"one": {}}}',
        b'{"pins": {"1": "row"}}',
        b'{"pins": {"1": {}}} and more',
    ],
)
def test_garbage_is_a_bad_document_and_is_left_alone(tmp_path: Path, garbage: bytes) -> None:
    path = tmp_path / "document.json"
    path.write_bytes(garbage)

    with pytest.raises(BadDocument, match=r"document\.json"), opened(path) as document:
        document.table("pins").insert({})

    assert path.read_bytes() == garbage


def test_a_document_is_json_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "document.json"

    with opened(path) as document:
        document.table("people").insert({"name": "Zoë"})

    assert json.loads(path.read_text("utf-8")) == {"people": {"1": {"name": "Zoë"}}}
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_lock_is_free_again_when_it_was_left(tmp_path: Path) -> None:
    with locked(tmp_path / "lock") as mine, locked(tmp_path / "lock", wait=False) as also_mine:
        assert (mine, also_mine) == (True, False)

    with locked(tmp_path / "lock", wait=False) as mine:
        assert mine
