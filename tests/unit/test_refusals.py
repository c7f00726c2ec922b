import logging
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gateway.refusals import KEPT, MOST_OF_A_BATCH, Kept, Refusal, Refusals, read

EVERYTHING = 2**53 - 1


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "refusals.db"


@pytest.fixture
def refusals(path: Path) -> Iterator[Refusals]:
    made = Refusals(path)
    yield made
    made.close()


def refusal(reason: str = "they are not in contact", *, account: str | None = "alice") -> Refusal:
    return Refusal(at=7, account=account, rule="contact", reason=reason, entry=None)


def numbers(path: Path) -> list[int]:
    return [each.number for each in read(path, before=EVERYTHING, limit=EVERYTHING)]


def test_what_was_kept_is_read_newest_first(refusals: Refusals, path: Path) -> None:
    first, second, third = (refusal(text) for text in ("one", "two", "three"))
    refusals.keep([first, second])
    refusals.keep([third])

    assert read(path, before=EVERYTHING, limit=2) == [Kept(3, third), Kept(2, second)]
    assert read(path, before=2, limit=2) == [Kept(1, first)]


def test_of_a_batch_without_refusals_nothing_is_written(refusals: Refusals, path: Path) -> None:
    refusals.keep([])

    assert not path.exists()
    assert read(path, before=EVERYTHING, limit=1) == []


def test_only_its_owner_may_read_it(refusals: Refusals, path: Path) -> None:
    refusals.keep([refusal()])

    for file in path.parent.glob("refusals.db*"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_of_a_flood_a_few_are_kept_and_the_rest_is_counted(refusals: Refusals, path: Path) -> None:
    refusals.keep([refusal()] * 256)
    refusals.keep([refusal("after the flood")])

    assert numbers(path) == [257, *range(MOST_OF_A_BATCH, 0, -1)]


def test_no_more_than_the_newest_are_kept(refusals: Refusals, path: Path) -> None:
    batches = KEPT // MOST_OF_A_BATCH + 3
    for _ in range(batches):
        refusals.keep([refusal()] * MOST_OF_A_BATCH)

    newest = batches * MOST_OF_A_BATCH
    assert numbers(path) == list(range(newest, newest - KEPT, -1))


def test_numbers_go_on_after_a_restart(refusals: Refusals, path: Path) -> None:
    refusals.keep([refusal()] * 3)
    refusals.close()

    with closing(Refusals(path)) as again:
        again.keep([refusal()])

    assert numbers(path) == [4, 3, 2, 1]


def test_a_file_that_is_none_stops_nothing_and_is_said_once(
    refusals: Refusals, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path.write_bytes(b"no database, and long enough to be looked at" * 40)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            refusals.keep([refusal()])

    assert caplog.text.count("refusals not kept") == 1
    with pytest.raises(sqlite3.DatabaseError):
        read(path, before=EVERYTHING, limit=1)

    path.unlink()
    refusals.keep([refusal()])
    assert len(numbers(path)) == 1


def test_a_folder_that_is_gone_stops_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with closing(Refusals(tmp_path / "gone" / "refusals.db")) as refusals, caplog.at_level(logging.WARNING):
        refusals.keep([refusal()])

    assert "refusals not kept" in caplog.text


def test_it_is_read_while_it_is_written(refusals: Refusals, path: Path) -> None:
    refusals.keep([refusal()])
    db = refusals._db
    assert db is not None
    db.execute("BEGIN IMMEDIATE")
    db.execute("DELETE FROM refusal")

    assert numbers(path) == [1]
    db.execute("ROLLBACK")
