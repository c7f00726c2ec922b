"""A gateway at work is backed up, its machine is lost, and its devices go on with what was restored."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from chain.audit import audit
from chain.chain import Chain
from device import cli as device_cli
from gateway import cli
from provisioning.site import Site
from tests.sites import added, ran, running_site

PATIENCE = 60.0
RATE = 100
PASSPHRASE = "correct horse battery\n"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with running_site(tmp_path) as site:
        added(site, "dr.lee")
        added(site, "sensor-1", kind="device")
        site.admin("admin", "link", "sensor-1", "dr.lee")
        recording = tmp_path / "recording.csv"
        recording.write_text("n\n" + "".join(f"{number}\n" for number in range(100_000)), "utf-8")
        command = (
            f'["blockpost", "device", "read", "replay", "{recording}", "--column", "n", "--rate", "{RATE}"]'
        )
        settings = f'to = ["dr.lee"]\n[sensors.count]\nmode = "stream"\ncommand = {command}\n'
        (site.home("sensor-1") / "agent.toml").write_text(settings, "utf-8")
        yield site


def until(happened: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


class Sensor:
    """A device that sends without a pause; it keeps the ids of what was receipted."""

    def __init__(self, site: Site) -> None:
        self.receipted: list[str] = []
        self._process = site.device("sensor-1", "run", "--json", hear=self._hear)

    def _hear(self, event: dict[str, Any]) -> None:
        if event["event"] == "receipted":
            self.receipted.append(event["id"])

    def sends(self, count: int) -> None:
        wanted = len(self.receipted) + count
        until(lambda: len(self.receipted) >= wanted, f"{count} more entries are receipted")

    def stop(self) -> None:
        self._process.stop()


def saved(site: Site, name: str) -> Path:
    file = site.directory / name
    done = ran(cli.main, "backup", site.directory / "gateway", file, "--stdin", stdin=PASSPHRASE)
    assert done.code == 0, done.err
    return file


def missing(chain_file: Path, ids: list[str]) -> list[str]:
    with closing(Chain.open(chain_file)) as chain:
        return [entry_id for entry_id in ids if chain.store.find(entry_id) is None]


def test_devices_go_on_with_what_was_restored_and_an_older_backup_is_refused(site: Site) -> None:
    sensor = Sensor(site)
    sensor.sends(2 * RATE)
    before = list(sensor.receipted)
    older = saved(site, "older.backup")
    sensor.sends(RATE)
    sensor.stop()
    newer = saved(site, "newer.backup")
    held = site.directory / "held"
    held.write_text(
        ran(device_cli.main, "--home", site.home("sensor-1"), "status", "--checkpoint").out, "utf-8"
    )
    site.stop()
    place = site.directory / "gateway"
    shutil.move(place, site.directory / "lost")

    # What was made under load is whole, and has all that was receipted until then; but the device knows of more.
    apart = ran(
        cli.main, "restore", older, site.directory / "apart", "--accept-loss", "--stdin", stdin=PASSPHRASE
    )
    assert apart.code == 0, apart.err
    assert missing(site.directory / "apart" / "chain.db", before) == []
    refused = ran(cli.main, "restore", older, place, "--newest", held, "--stdin", stdin=PASSPHRASE)
    assert refused.code == 1
    assert "receipted entries back" in refused.err
    assert not place.exists()

    done = ran(cli.main, "restore", newer, place, "--newest", held, "--stdin", stdin=PASSPHRASE)
    assert done.code == 0, done.err
    assert missing(site.chain_file, sensor.receipted) == []

    site.start()
    again = Sensor(site)
    again.sends(RATE)
    again.stop()
    status = ran(device_cli.main, "--home", site.home("sensor-1"), "status")
    assert status.code == 0, status.out
    site.stop()
    assert missing(site.chain_file, again.receipted) == []
    assert audit(site.chain_file).size > audit(site.directory / "lost" / "chain.db").size


def test_a_device_knows_its_newest_checkpoint_also_without_a_gateway(site: Site) -> None:
    newest = ran(device_cli.main, "--home", site.home("admin"), "status", "--checkpoint")
    site.stop()

    alone = ran(device_cli.main, "--home", site.home("admin"), "status", "--checkpoint")

    assert newest.code == alone.code == 0
    assert newest.out == alone.out
    with closing(Chain.open(site.chain_file)) as chain:
        assert chain.verified(alone.out).size > 3
