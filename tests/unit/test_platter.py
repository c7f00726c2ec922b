"""What survives a power cut, as the tests have it: a program that forgets to sync is found out."""

import errno
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.disk import Disk
from tests.faults.platter import SECTOR, Image

PRELUDE = """
import os

def sync(path):
    fd = os.open(path, os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)

def write(path, data, at=0):
    fd = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    os.pwrite(fd, data, at)
    os.close(fd)

"""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """With one file that is safe, and a directory."""
    (tmp_path / "old").write_bytes(b"old")
    (tmp_path / "folder").mkdir()
    with Disk(tmp_path, record=True) as disk:
        yield disk


def do(disk: Disk, program: str) -> None:
    words = (sys.executable, "-S", "-c", PRELUDE + program)
    subprocess.run(words, env=disk.env, cwd=disk.directory, check=True)


def left(disk: Disk, seed: int | None = None) -> dict[str, bytes]:
    return contents(list(disk.cuts())[-1].platter.image(seed))


def contents(image: Image) -> dict[str, bytes]:
    return {path: data for path, (_, data) in image.files.items()}


OLD = {"old": b"old"}


@pytest.mark.parametrize(
    ("program", "files"),
    [
        ("write('old', b'new')", OLD),
        ("write('old', b'new'); sync('old')", {"old": b"new"}),
        ("write('new', b'x'); sync('new')", OLD),
        ("write('new', b'x'); sync('.')", {**OLD, "new": b""}),
        ("write('new', b'x'); sync('new'); sync('.')", {**OLD, "new": b"x"}),
        ("write('new', b'x'); sync('new'); os.rename('new', 'old')", OLD),
        ("write('new', b'x'); os.rename('new', 'old'); sync('.')", {"old": b""}),
        ("write('new', b'x'); sync('new'); os.rename('new', 'old'); sync('.')", {"old": b"x"}),
        ("os.link('old', 'other'); os.unlink('old')", OLD),
        ("os.link('old', 'other'); os.unlink('old'); sync('.')", {"other": b"old"}),
        ("os.rename('old', 'folder/old')", OLD),
        ("os.rename('old', 'folder/old'); sync('folder')", {"folder/old": b"old"}),
        ("os.mkdir('made'); write('made/x', b'x'); sync('made/x'); sync('made')", OLD),
        ("os.truncate('old', 1)", OLD),
        ("os.truncate('old', 1); sync('old')", {"old": b"o"}),
        ("write('old', b'!', at=5); sync('old')", {"old": b"old\0\0!"}),
        ("write('memory-shm', b'x'); sync('memory-shm'); sync('.')", OLD),
    ],
)
def test_only_what_was_synced_has_to_survive(disk: Disk, program: str, files: dict[str, bytes]) -> None:
    do(disk, program)

    assert left(disk) == files


def test_what_was_not_synced_may_survive_in_pieces_and_out_of_order(disk: Disk) -> None:
    do(disk, f"write('old', bytes(3 * {SECTOR})); sync('old'); write('old', b'x' * 3 * {SECTOR})")

    found = {
        tuple(data[at : at + 1] for at in (0, SECTOR, 2 * SECTOR))
        for seed in range(200)
        for data in left(disk, seed).values()
    }

    assert len(found) == 8
    for seed in range(200):
        (data,) = left(disk, seed).values()
        assert all(len(set(data[at : at + SECTOR])) == 1 for at in (0, SECTOR, 2 * SECTOR))


def test_a_sync_that_lied_has_kept_nothing_and_a_later_one_keeps_it(disk: Disk) -> None:
    with disk.lie() as lie:
        do(disk, "write('old', b'new'); sync('old')")
    assert lie.hits == 1
    assert left(disk) == OLD

    do(disk, "sync('old')")

    assert left(disk) == {"old": b"new"}


def test_what_a_failed_sync_was_to_keep_is_lost_although_a_later_one_succeeds(disk: Disk) -> None:
    with disk.fail("sync", errno.EIO, times=1) as fault:
        do(disk, "write('old', b'new')\ntry: sync('old')\nexcept OSError: sync('old')")

    assert fault.hits == 1
    assert (disk.directory / "old").read_bytes() == b"new"
    assert left(disk) == OLD


def test_after_a_cut_the_directory_is_what_survived_and_processes_can_be_started_again(disk: Disk) -> None:
    disk.kill("write", skip=1)
    words = (sys.executable, "-S", "-c", PRELUDE + "write('old', b'1'); sync('old'); write('old', b'2')")
    died = subprocess.run(words, env=disk.env, cwd=disk.directory, check=False)
    assert died.returncode == -9
    assert disk.is_off

    disk.cut()
    assert (disk.directory / "old").read_bytes() == b"1ld"
    do(disk, "write('old', b'3'); sync('old')")

    assert left(disk) == {"old": b"3ld"}


def test_a_disk_that_is_full_takes_what_needs_no_room(disk: Disk) -> None:
    program = "write('old', b'new')\ntry: write('old', b'longer')\nexcept OSError as error: write('old', b'%d' % error.errno)"
    with disk.full() as fault:
        do(disk, program)

    assert fault.hits == 1
    assert (disk.directory / "old").read_bytes() == b"%dw" % errno.ENOSPC


def test_a_file_that_somebody_else_brought_is_not_passed_over(disk: Disk) -> None:
    (disk.directory / "stranger").write_bytes(b"")
    do(disk, "write('stranger', b'x')")

    with pytest.raises(LookupError, match=r"Disk\.rebase"):
        left(disk)
