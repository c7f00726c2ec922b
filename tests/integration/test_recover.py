"""`blockpost gateway recover`: a verified copy takes the place of a chain whose disk failed, and nothing is destroyed."""

import multiprocessing
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import pytest

from chain import audit, durable
from chain.chain import Chain
from gateway import cli, halt, recovery
from gateway.errors import Busy, RolledBack, Unrecovered
from gateway.halt import Halt
from gateway.site import Site
from tests.backups import grow, made, newest, quiet
from tests.sites import ran

REASON = "the disk of chain.db failed"


class PowerCut(BaseException):
    """Nothing that comes after it is done."""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Halted, with its newest blocks in SQLite's log alone."""
    site = made(tmp_path / "site")
    # As long as somebody reads, the log is left where it is.
    with closing(site.read_chain()):
        grow(site, 2)
    halt.set_mark(site.mark, Halt(1_000, REASON))
    assert (site.directory / "chain.db-wal").stat().st_size > 0
    return site


def recovered(site: Site, *held: str) -> Path:
    return recovery.recover(site, newest=held, stages=quiet, clock=lambda: 2_000)[1]


def size_of(site: Site) -> int:
    return audit.audit(site.chain_file).size


def test_all_of_it_is_in_a_file_of_its_own_and_the_old_one_is_kept(site: Site) -> None:
    inode, size = site.chain_file.stat().st_ino, size_of(site)
    before = site.chain_file.read_bytes(), (site.directory / "chain.db-wal").read_bytes()

    kept = recovered(site)

    assert kept == site.directory / "chain.failed-1000"
    assert ((kept / "chain.db").read_bytes(), (kept / "chain.db-wal").read_bytes()) == before
    assert site.chain_file.stat().st_ino != inode
    assert site.chain_file.stat().st_mode & 0o777 == 0o600
    assert size_of(site) == size
    assert not site.mark.exists()
    assert [file.name for file in site.directory.glob(".*")] == []
    grow(site, 1)
    assert size_of(site) > size


def test_it_needs_no_mark(site: Site) -> None:
    site.mark.unlink()

    assert recovered(site) == site.directory / "chain.failed-2000"
    assert not site.mark.exists()


def test_one_disk_after_the_other(site: Site) -> None:
    first, size = recovered(site), size_of(site)
    grow(site, 1)
    halt.set_mark(site.mark, Halt(3_000, REASON))

    second = recovered(site)

    assert first != second
    assert size_of(site) == audit.audit(second / "chain.db").size > audit.audit(first / "chain.db").size
    assert audit.audit(first / "chain.db").size == size


def test_while_somebody_has_the_chain_open_nothing_is_done(site: Site) -> None:
    context = multiprocessing.get_context("spawn")
    opened, enough = context.Event(), context.Event()
    reader = context.Process(target=hold_open, args=(site.chain_file, opened, enough))
    reader.start()
    try:
        assert opened.wait(60)
        with pytest.raises(Busy, match="stop the gateway first"):
            recovered(site)
    finally:
        enough.set()
        reader.join()
    assert site.mark.exists()
    recovered(site)


def hold_open(file: Path, opened: Event, enough: Event) -> None:
    with closing(Chain.open(file)):
        opened.set()
        enough.wait(60)


def test_a_chain_that_does_not_hold_is_refused_and_stays_as_it_is(site: Site) -> None:
    with closing(sqlite3.connect(site.chain_file)) as db:
        db.execute("UPDATE entry SET leaf = CAST(leaf || 'x' AS BLOB) WHERE idx = 2")
        db.commit()
    before = site.chain_file.read_bytes()

    with pytest.raises(Unrecovered, match=r"nothing was changed; restore a backup"):
        recovered(site)

    assert site.chain_file.read_bytes() == before
    assert site.mark.exists()


def test_a_chain_whose_end_is_missing_is_refused_by_who_has_seen_it(site: Site) -> None:
    held = newest(site)
    shutil.copy(site.chain_file, site.directory / "without-log.db")
    for file in site.directory.glob("chain.db*"):
        file.unlink()
    (site.directory / "without-log.db").rename(site.chain_file)

    with pytest.raises(RolledBack, match="would take 2 receipted entries back"):
        recovered(site, held)

    assert site.mark.exists()
    assert size_of(site) > 0


def test_what_it_prints(site: Site) -> None:
    size = size_of(site)

    done = ran(cli.main, "recover", site.directory)

    assert done.code == 0, done.err
    assert done.out.startswith(f"{size} entries in ")
    assert f"the old one is kept in {site.directory}/chain.failed-1000" in done.out


@contextmanager
def power_cut(patch: pytest.MonkeyPatch, left: int) -> Iterator[None]:
    """Before whatever changes names or has bytes on the disk, but the first `left` times."""
    done = 0

    def cut(work: Callable[..., Any]) -> Callable[..., Any]:
        def instead(*args: Any, **named: Any) -> Any:
            nonlocal done
            done += 1
            if done > left:
                raise PowerCut
            return work(*args, **named)

        return instead

    with patch.context() as patched:
        for name in ("link", "fsync", "open"):
            patched.setattr(os, name, cut(getattr(os, name)))
        for name in ("unlink", "replace", "mkdir"):
            patched.setattr(Path, name, cut(getattr(Path, name)))
        patched.setattr(durable, "sync_directory", cut(durable.sync_directory))
        yield


def test_it_may_be_cut_short_anywhere_and_done_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    size = size_of(site)
    moments = 0
    while True:
        place = Site.load(shutil.copytree(site.directory, site.directory.with_name(f"cut-{moments}")))
        try:
            with power_cut(monkeypatch, moments):
                recovered(place)
        except PowerCut:
            recovered(place)
            assert size_of(place) == size, f"after a cut at moment {moments}"
            assert not place.mark.exists()
            moments += 1
        else:
            break
        finally:
            shutil.rmtree(place.directory)
    assert moments > 10
