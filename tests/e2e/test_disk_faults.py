"""Must hold: a disk that fails takes nothing back that was receipted, and there is a way back that is written down."""

import errno
import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import urllib3

from chain.audit import audit
from chain.chain import Chain
from chain.errors import Damaged
from chain.joincode import JoinCode
from device.errors import Unreachable
from gateway import cli as gateway_cli
from provisioning.admin import cli as admin_cli
from provisioning.site import Process, Site
from tests.faults.cast import Member
from tests.faults.disk import Disk
from tests.faults.invariants import check_device
from tests.sites import Done, added, client_of, enter, ran

PATIENCE = 120.0
"""Seconds after which a test gives up; none measures time."""

COUNTING = """
to = ["admin"]
[sensors.count]
mode = "stream"
command = ["sh", "-c", "n=0; while sleep 0.25; do n=$((n+1)); echo $n; done"]
"""


def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"it never came about that {what}"
        time.sleep(0.05)


class Sensor(Member):
    """A device whose readings are counted, kept or not."""

    sensed = 0

    def _hear(self, event: dict[str, Any]) -> None:
        self.sensed += event["event"] == "sensed"
        super()._hear(event)


class Place:
    """A gateway whose disk can be made to fail, and a device that measures all the time."""

    def __init__(self, folder: Path) -> None:
        self.site = Site(folder)
        self.directory = folder / "gateway"
        self.code = JoinCode.from_text(self.site.init(admin="admin"))
        self.disk = Disk(self.directory)
        self.log = folder / "gateway.log"
        self._gateway: Process | None = None
        self.device: Sensor
        self.device_disk: Disk
        self.device_log = folder / "sensor.log"

    def start(self) -> None:
        self._gateway = Process(("gateway", "run", str(self.directory)), self.log, environment=self.disk.env)

    def stop(self) -> None:
        if self._gateway is not None:
            self._gateway.stop()
            self._gateway = None

    def populate(self) -> None:
        enter(self.site, "admin", self.code)
        added(self.site, "sensor", kind="device")
        done = self.admin("link", "sensor", "admin")
        assert done.code == 0, done.err
        (self.site.home("sensor") / "agent.toml").write_text(COUNTING, "utf-8")
        self.device_disk = Disk(self.site.home("sensor"))
        self.device = Sensor(self.site, "sensor", ("run", "--json"), self.device_disk.env)
        self.device.start()

    def asked(self, path: str) -> tuple[int, Any]:
        with urllib3.PoolManager(retries=False) as pool:
            answer = pool.request("GET", self.site.url + path)
        return answer.status, json.loads(answer.data)

    def health(self) -> str:
        """`well`, or why it is not."""
        try:
            status, said = self.asked("healthz")
        except urllib3.exceptions.HTTPError as error:
            return f"no answer: {error}"
        return "well" if status == 200 else str(said["detail"])

    def says(self, words: str) -> None:
        until(lambda: words in self.health(), f"it says {words!r}; it says {self.health()!r}")

    def admin(self, *words: str) -> Done:
        return ran(admin_cli.main, "--home", self.site.home("admin"), *words)

    def recover(self) -> Done:
        return ran(gateway_cli.main, "recover", self.directory)

    def goes_on(self) -> None:
        """Wait until something is receipted that is measured from now on."""
        before = set(self.device.queued)
        until(lambda: set(self.device.receipted) - before, "the device gets receipts")

    def holds(self) -> None:
        """Wait until the device holds more, and see that none of it is receipted."""
        receipted, queued = len(self.device.receipted), len(self.device.queued)
        until(lambda: len(self.device.queued) > queued + 3, "the device holds what it measures")
        assert len(self.device.receipted) == receipted

    def check(self) -> None:
        """Nothing that was receipted or waits is lost or there twice, and nothing ended by accident."""
        assert audit(self.site.chain_file).size > 0
        self.device.stop()
        try:
            with closing(Chain.open(self.site.chain_file)) as chain:
                check_device(self.device, chain)
        finally:
            self.device.start()
        assert "Traceback" not in self.log.read_text("utf-8") + self.device_log.read_text("utf-8")

    def close(self) -> None:
        if hasattr(self, "device"):
            self.device.stop()
            self.device_disk.close()
        self.stop()
        self.disk.close()


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    place = Place(tmp_path_factory.mktemp("disk"))
    try:
        place.start()
        place.says("well")
        place.populate()
        yield place
    finally:
        place.close()


@pytest.fixture
def place(ready: Place) -> Place:
    """At work."""
    ready.says("well")
    ready.goes_on()
    return ready


def of_the_chain(place: Place) -> dict[str, tuple[int, int]]:
    """Which files they are, and when they were written to."""
    files = [place.directory / name for name in ("chain.db", "chain.db-wal")]
    return {file.name: (file.stat().st_ino, file.stat().st_mtime_ns) for file in files if file.exists()}


def test_after_a_failed_fsync_nothing_is_written_to_the_file_until_it_is_recovered(place: Place) -> None:
    fault = place.disk.fail("sync", errno.EIO, path="chain.db")
    with fault:
        place.says("the disk of chain.db failed: disk I/O error (SQLITE_IOERR_FSYNC)")
        place.holds()
    left, receipted = of_the_chain(place), dict(place.device.receipted)

    # The disk says that all is well again: that proves nothing.
    place.holds()
    assert fault.hits == 1
    assert_reads_go_on(place)
    refused = place.admin("invite", "dr.lee")
    assert refused.code == 1
    assert "the disk of chain.db failed" in refused.err
    assert place.recover().err.strip().endswith("another process is at work here")

    # Nor does a start anew.
    place.stop()
    place.start()
    place.says("the disk of chain.db failed")
    place.holds()
    assert_reads_go_on(place)
    assert of_the_chain(place) == left

    place.stop()
    done = place.recover()
    assert done.code == 0, done.err
    assert of_the_chain(place)["chain.db"][0] != left["chain.db"][0]
    assert not (place.directory / "chain.db-wal").exists()
    (kept,) = place.directory.glob("chain.failed-*")
    assert audit(kept / "chain.db").size > 0
    place.start()
    place.says("well")
    place.goes_on()
    assert receipted.items() <= place.device.receipted.items()
    place.check()


def assert_reads_go_on(place: Place) -> None:
    """What was receipted is read, and proven."""
    entry_id, index = next(iter(place.device.receipted.items()))
    with client_of(place.site, "admin") as client:
        client.check_gateway()
        delivered = client.gateway.entry(entry_id)
        receipt = client.trust.accept_receipt(delivered.receipt, delivered.entry.encode())
    assert receipt.index == index


def test_over_a_full_disk_it_waits_and_goes_on_when_there_is_room(place: Place) -> None:
    with place.disk.full():
        place.says("the disk of the chain is full")
        place.holds()
        assert_reads_go_on(place)
        refused = place.admin("invite", "dr.kim")
        assert refused.code == 1
        assert "disk of the chain is full" in refused.err

    place.says("well")
    place.goes_on()
    place.check()
    log = place.log.read_text("utf-8")
    assert log.count("nothing is committed reason=the disk of the chain is full") == 1
    assert "part ended" not in log


def test_a_disk_that_became_read_only_is_read(place: Place) -> None:
    with place.disk.read_only():
        place.says("the disk of chain.db failed")
        place.holds()
        assert_reads_go_on(place)
        place.stop()

    done = place.recover()
    assert done.code == 0, done.err
    place.start()
    place.says("well")
    place.goes_on()
    place.check()


def test_what_cannot_be_read_is_a_problem_and_no_accident(place: Place) -> None:
    with place.disk.fail("read", errno.EIO, path="chain.db"):
        until(lambda: place.asked("v1/site")[0] == 503, "the disk is met")
        status, said = place.asked("v1/site")
        assert (status, said["type"]) == (503, "urn:blockpost:problem:diskfault")

    until(lambda: place.asked("v1/site")[0] == 200, "it is read again")
    place.goes_on()
    place.check()


@pytest.mark.parametrize("kind", ["full", "read_only"])
def test_a_device_that_cannot_keep_anything_says_so_and_goes_on(place: Place, kind: str) -> None:
    said = "nothing can be kept reason="
    before = place.device_log.read_text("utf-8").count(said)
    with getattr(place.device_disk, kind)():
        until(lambda: place.device_log.read_text("utf-8").count(said) > before, "it says so")
        queued = len(place.device.queued)
        sensed = place.device.sensed
        until(lambda: place.device.sensed > sensed + 10, "it goes on sensing")
        assert len(place.device.queued) == queued

    place.goes_on()
    assert place.device_log.read_text("utf-8").count(said) == before + 1
    until(lambda: len(place.device.queued) > queued + 10, "what it sensed meanwhile is kept")
    place.check()


def test_a_device_ends_with_a_failed_fsync_and_names_the_file(place: Place) -> None:
    with place.device_disk.fail("sync", errno.EIO, path="outbox.db"):
        until(lambda: not place.device.is_running, "it ends")
    assert f"{place.device.home.outbox_file}: disk I/O error" in place.device_log.read_text("utf-8")

    place.device.revive()
    place.goes_on()
    place.check()


def test_a_damaged_page_ends_commits_and_only_a_backup_helps(place: Place) -> None:
    place.stop()
    whole = place.site.chain_file.read_bytes()
    spoil(place.site.chain_file, "body")
    place.start()

    place.says("chain.db is damaged")
    place.holds()
    with client_of(place.site, "admin") as client:
        client.check_gateway()
        with pytest.raises(Unreachable, match="database disk image is malformed"):
            client.gateway.inbox(-1)
    place.stop()
    refused = place.recover()
    assert refused.code == 1
    assert "restore a backup" in refused.err
    with pytest.raises(Damaged):
        audit(place.site.chain_file)

    # What a backup would bring.
    for file in place.directory.glob("chain.*"):
        if file.is_file():
            file.unlink()
    place.site.chain_file.write_bytes(whole)
    place.start()
    place.says("well")
    place.goes_on()
    place.check()


def spoil(file: Path, table: str) -> None:
    """Overwrite the page with which a table begins."""
    with closing(sqlite3.connect(file)) as db:
        ((page,),) = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,))
        ((size,),) = db.execute("PRAGMA page_size")
        assert db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
    with file.open("r+b") as raw:
        raw.seek((page - 1) * size)
        raw.write(b"\xff" * size)
