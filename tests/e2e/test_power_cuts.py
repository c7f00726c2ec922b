"""Must hold: the power fails in the gateway, or in a device, at any moment, and nothing that was promised is lost or doubled."""

import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from chain import entry
from chain.audit import audit
from chain.chain import Chain
from chain.entry import Account, Common, Message
from chain.joincode import JoinCode
from device import identity
from device.addressbook import AddressBook
from device.outbox import Outbox
from gateway.committer import Committer
from gateway.joins import Joins
from gateway.sessions import HOUR_MS, Sessions
from gateway.site import Site as Gateway
from provisioning.admin import cli as admin
from provisioning.site import Process, Site
from tests.faults.disk import Disk
from tests.faults.scene import until
from tests.faults.survival import Survival, survivals
from tests.homes import keep_keys, new_keys
from tests.sites import added, crash, enter, invited, ran

SENSOR, CLINICIAN = "sensor-1", "dr.lee"
RATE = 10
RECEIPTED = re.compile(rb'"id":"([0-9a-f-]{36})","receipt":"')
ENTRY = re.compile(rb'"entry":"([\w.-]+)"')


class Building:
    """A gateway and a device, each on a disk of its own that is recorded; the device has joined, and sends."""

    def __init__(self, folder: Path) -> None:
        self.site = Site(folder)
        self.queued: list[str] = []
        self.receipted: list[str] = []
        code = JoinCode.from_text(self.site.init(admin="admin"))
        self.home = self.site.home(SENSOR)
        keep_keys(self.home, new_keys())
        (self.home / "agent.toml").write_text(settings(folder), "utf-8")
        self.gateway_disk = Disk(self.site.directory / "gateway", record=True)
        self.device_disk = Disk(self.home, record=True)
        self.start_gateway()
        enter(self.site, "admin", code)
        added(self.site, CLINICIAN)
        with on(self.device_disk):
            self.site.join(SENSOR, invited(self.site, SENSOR, kind="device").to_text(), name="Sensor")
        assert ran(admin.main, "--home", self.site.home("admin"), "link", SENSOR, CLINICIAN).code == 0
        self.device = self.start_device()

    def start_gateway(self) -> None:
        with on(self.gateway_disk):
            self.site.start()

    def start_device(self) -> Process:
        return self.site.device(SENSOR, "run", "--json", hear=self.hear, environment=self.device_disk.env)

    def hear(self, event: dict[str, Any]) -> None:
        match event:
            case {"event": "receipted", "id": entry_id}:
                self.receipted.append(entry_id)
            case {"event": "queued", "id": entry_id}:
                self.queued.append(entry_id)

    def works(self) -> None:
        """Return when more was receipted."""
        enough = len(self.receipted) + RATE
        until(lambda: len(self.receipted) > enough, "entries are receipted")

    def close(self) -> None:
        self.device.stop()
        self.site.stop()
        self.gateway_disk.close()
        self.device_disk.close()


@contextmanager
def on(disk: Disk) -> Iterator[None]:
    """What is started meanwhile works on this disk."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in disk.env.items():
            patch.setenv(name, value)
        yield


def settings(folder: Path) -> str:
    recording = folder / "recording.csv"
    recording.write_text("n\n" + "".join(f"{number}\n" for number in range(1, 10_000)), "utf-8")
    command = f'["blockpost", "device", "read", "replay", "{recording}", "--column", "n", "--rate", "{RATE}"]'
    return f'to = ["{CLINICIAN}"]\n[sensors.count]\nmode = "stream"\ncommand = {command}\n'


@pytest.fixture(scope="module")
def building(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Building]:
    """Everybody has worked for a while, and is told to stop."""
    building = Building(tmp_path_factory.mktemp("building"))
    try:
        building.works()
        building.device.stop()
        building.site.stop()
        yield building
    finally:
        building.close()


def test_the_power_fails_at_any_moment(building: Building, tmp_path: Path) -> None:
    for survival in survivals(building.gateway_disk, seeds=0):
        with survival.laid_out(tmp_path / "after") as after:
            goes_on(survival, after)
    assert len(receipted(survival.sent)) > RATE // 2
    for survival in survivals(building.device_disk, seeds=0):
        with survival.laid_out(tmp_path / "after") as after:
            remembers(survival, after)
    assert len({each.id for each in entries(survival.sent)}) > RATE // 2


def goes_on(survival: Survival, directory: Path) -> None:
    """The gateway has what it receipted, can be started, and its chain holds."""
    gateway = Gateway.load(directory)
    with closing(Chain.open(gateway.chain_file, write=True)) as chain:
        Committer(chain, gateway.key())
        for entry_id in receipted(survival.sent):
            assert chain.store.find(entry_id) is not None
    audit(gateway.chain_file)
    Sessions.open(gateway.sessions_file, clock=lambda: 0, idle_ms=HOUR_MS).close()
    Joins.open(gateway.joins_file, clock=lambda: 0).close()


def receipted(sent: Sequence[bytes]) -> set[str]:
    """The entries to which receipts were given."""
    return {found.decode() for found in RECEIPTED.findall(b"\n".join(sent))}


def remembers(survival: Survival, home: Path) -> None:
    """Of all that it sent, and said that it had seen, the device knows; what it began it can go on with."""
    said = list(entries(survival.sent))
    if not said:
        return
    assert {each.author for each in said} == {identity.load(home).account_id}
    book = AddressBook(home / "addressbook.json")
    membership, note = book.joining(), book.checkpoint()
    assert membership is not None
    assert note is not None
    assert checkpoint_size(note) >= max(each.seen.size for each in said)
    with closing(Outbox(home / "outbox.db")) as outbox:
        waiting = outbox.waiting()
        assert outbox.counter("queued") == waiting + outbox.counter("receipted")
        assert outbox.counter("queued") >= len({each.id for each in said})
        if any(isinstance(each, Account) for each in said) and not membership.joined:
            assert waiting + outbox.counter("receipted")


def entries(sent: Sequence[bytes]) -> Iterator[Common]:
    for leaf in ENTRY.findall(b"\n".join(sent)):
        yield entry.parse(leaf).entry


def checkpoint_size(note: str) -> int:
    return int(note.split("\n")[1])


def test_after_the_power_failed_here_and_there_nothing_is_lost_or_doubled(building: Building) -> None:
    building.start_gateway()
    building.device = building.start_device()
    chance = random.Random(11)
    for number in range(4):
        if number % 2:
            fails(building.device_disk, chance)
            building.device.wait()
            building.device_disk.cut(number)
            building.device = building.start_device()
        else:
            fails(building.gateway_disk, chance, path="chain.db")
            crash(building.site)
            building.gateway_disk.cut(number)
            building.start_gateway()
        building.works()
    building.device.stop()
    with closing(Outbox(building.home / "outbox.db")) as outbox:
        assert outbox.rejected() == []
        waiting = {each.id for each in outbox.pending("message", 10_000)}
    building.site.stop()

    committed = Counter(messages(building.site.chain_file))
    assert set(committed.values()) == {1}
    assert set(building.receipted) <= set(committed)
    assert set(building.queued) <= set(committed) | waiting
    assert audit(building.site.chain_file).size > len(committed)


def fails(disk: Disk, chance: random.Random, *, path: str = "") -> None:
    disk.kill(("write", "sync", "rename"), skip=chance.randrange(40), after=chance.random() < 0.5, path=path)
    until(lambda: disk.is_off, "the power failed")


def messages(file: Path) -> Iterator[str]:
    with closing(Chain.open(file)) as chain:
        for _, leaf in chain.store.leaves(0, chain.head.size):
            said = entry.parse(leaf).entry
            if isinstance(said, Message):
                yield said.id
