"""Must hold: a backup while 200 entries a second are committed; restored elsewhere, nothing receipted is missing."""

import shutil
import ssl
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest

from bench.connection import Loop
from bench.errors import BenchError
from bench.load import TURN_SECONDS, Device, Plan
from bench.site import Sender
from bench.worker import Begin, Worker
from chain import entry
from chain.audit import audit
from chain.chain import Chain
from chain.encoding import unb64url
from chain.entry import Message
from device import cli as device_cli
from device.identity import KeySet
from device.outbox import Outbox
from device.tls import Tls
from device.window import SIZE
from gateway import cli
from gateway.site import Site as Gateway
from provisioning.admin import cli as admin_cli
from provisioning.site import Process, Site, run
from tests.sites import BOTH_KINDS, added, crash, ran, running_site

WANTED = 200
"""Entries a second, while the backup is made."""

SENDERS, EACH = 4, 55
"""Accounts whose entries were signed beforehand, and how many a second each sends."""

SENSORS, RATE = ("sensor-1", "sensor-2"), 15
"""Devices with a home, and how many readings a second each sends."""

LOAD_SECONDS = 60
WARM_UP_SECONDS = 3.0
BACKUPS = 6
"""A machine that is busy with something else gets another chance to commit as fast as it is asked to."""

PATIENCE = 240.0
"""Seconds. A device that found nobody for long tries again every 45 at most."""
PASSPHRASE = "correct horse battery\n"


class Recording(Device):
    """Writes down when each entry's receipt was verified (monotonic seconds: one clock for the whole machine)."""

    def __init__(self, plan: Plan, sender: Sender, tls: ssl.SSLContext | None) -> None:
        self.receipted: dict[str, float] = {}
        super().__init__(plan, sender, tls)

    def _arrived(self, topic: str, payload: bytes) -> None:
        before = set(self._under_way)
        super()._arrived(topic, payload)
        self.receipted |= dict.fromkeys(before - self._under_way.keys(), time.monotonic())


def drive(begin: Begin, plan: Plan, homes: list[Path]) -> dict[str, float]:
    """
    Send until the gateway is gone; return what was receipted until then, and when.

    `homes` are where the senders' certificates are, in a LAN.
    """
    devices = [
        Recording(plan, sender, Tls(home).context(own=True) if home else None)
        for sender, home in zip_longest(plan.senders, homes)
    ]
    loop = Loop(device.connection for device in devices)
    loop.until(lambda: all(device.connection.is_up for device in devices), "connection")
    begin()
    while True:
        try:
            loop.turn(TURN_SECONDS / 10)
        except BenchError as error:
            if "closed the connection" not in str(error):
                raise
            break
        for device in devices:
            device.send(time.monotonic())
    return {entry_id: when for device in devices for entry_id, when in device.receipted.items()}


class Agent:
    """A device with its home, at work the whole time; it keeps the ids of what was receipted."""

    def __init__(self, site: Site, handle: str) -> None:
        self.receipted: dict[str, float] = {}
        self.unexpected: list[dict[str, Any]] = []
        self._process: Process = site.device(handle, "run", "--json", hear=self._hear)

    def _hear(self, event: dict[str, Any]) -> None:
        match event:
            case {"event": "receipted", "id": entry_id}:
                self.receipted[entry_id] = time.monotonic()
            case {"event": "refused" | "unproven"}:
                self.unexpected.append(event)

    def stop(self) -> None:
        self._process.stop()


@pytest.fixture
def site(tmp_path: Path, *, lan: bool) -> Iterator[Site]:
    with running_site(tmp_path, lan=lan) as site:
        added(site, "dr.lee")
        recording = tmp_path / "recording.csv"
        recording.write_text("n\n" + "".join(f"{number}\n" for number in range(100_000)), "utf-8")
        for handle in (*SENSORS, *senders()):
            added(site, handle, kind="device")
            done = ran(admin_cli.main, "--home", site.home("admin"), "link", handle, "dr.lee")
            assert done.code == 0, done.err
        for handle in SENSORS:
            command = f'["blockpost", "device", "read", "replay", "{recording}", "--column", "n", "--rate", "{RATE}"]'
            settings = f'to = ["dr.lee"]\n[sensors.count]\nmode = "stream"\ncommand = {command}\n'
            (site.home(handle) / "agent.toml").write_text(settings, "utf-8")
        # The committer forgets whom it showed which checkpoint: the senders have one, that of their entries.
        site.stop()
        site.start()
        yield site


def senders() -> list[str]:
    return [f"sender-{number}" for number in range(SENDERS)]


def plan(site: Site) -> Plan:
    with closing(Chain.open(site.chain_file)) as chain:
        seen, gateway, origin = chain.verified(chain.checkpoint()), chain.key, chain.origin
        reader = chain.state.by_handle("dr.lee")
    assert reader is not None
    keys = [KeySet.from_json((site.home(handle) / "keys-0001.json").read_bytes()) for handle in senders()]
    return Plan(
        port=site.mqtt_port,
        senders=[Sender(origin, unb64url(key.signing.to_jwk().d)) for key in keys],
        to=reader,
        seen=seen,
        gateway=gateway,
        entries=EACH * LOAD_SECONDS,
        rate=EACH,
    )


@contextmanager
def load(site: Site) -> Iterator[Worker[dict[str, float]]]:
    worker = Worker(drive, plan(site), [site.home(handle) for handle in senders() if site.lan])
    try:
        worker.wait_ready()
        worker.begin()
        yield worker
    finally:
        worker.close()


def size(site: Site) -> int:
    with closing(Chain.open(site.chain_file)) as chain:
        return chain.head.size


def back_up(site: Site, name: str) -> Path:
    file = site.directory / name
    run("gateway", "backup", str(site.directory / "gateway"), str(file), "--stdin", stdin=PASSPHRASE)
    return file


def restore(file: Path, place: Path, *words: str | Path) -> Any:
    return ran(cli.main, "restore", file, place, *words, "--stdin", stdin=PASSPHRASE)


def backed_up_under_load(site: Site) -> tuple[Path, float]:
    """A backup during which at least so many entries a second were committed as is wanted; and when it began."""
    rates = []
    for number in range(BACKUPS):
        began, before = time.monotonic(), size(site)
        file = back_up(site, f"under-load-{number}.backup")
        rates.append((size(site) - before) / (time.monotonic() - began))
        if rates[-1] >= WANTED:
            return file, began
    raise AssertionError(f"want {WANTED} entries a second while a backup is made, got {rates}")


def newest(site: Site, handle: str) -> Path:
    """The checkpoint that a device holds, as the operator asks for it."""
    held = site.directory / f"{handle}.checkpoint"
    done = ran(device_cli.main, "--home", site.home(handle), "status", "--checkpoint")
    held.write_text(done.out, "utf-8")
    return held


def messages(chain_file: Path) -> Counter[str]:
    """How often each message is on the chain."""
    with closing(Chain.open(chain_file)) as chain:
        entries = [entry.parse(chain.store.leaf(index)).entry for index in range(chain.head.size)]
    return Counter(said.id for said in entries if isinstance(said, Message))


def went_on(agent: Agent, count: int) -> bool:
    """Whether more was receipted since there were `count`."""
    return len(agent.receipted) > count + RATE


def caught_up(site: Site, handle: str) -> bool:
    """Whether no more waits in a device's outbox than it has under way: told to stop, it waits for that."""
    with closing(Outbox(site.home(handle) / "outbox.db")) as outbox:
        return outbox.waiting() < SIZE


def until(happened: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, f"it never came about that {what}"
        time.sleep(0.05)


@pytest.mark.timeout(600)
@BOTH_KINDS
def test_a_backup_under_load_and_a_loss_take_nothing_back_that_was_receipted(site: Site) -> None:
    place, lost = site.directory / "gateway", site.directory / "lost"
    with ExitStack() as stack:
        agents = [Agent(site, handle) for handle in SENSORS]
        for agent in agents:
            stack.callback(agent.stop)
        worker = stack.enter_context(load(site))
        time.sleep(WARM_UP_SECONDS)

        under_load, began = backed_up_under_load(site)
        reached = size(site)
        until(lambda: size(site) > reached + WANTED, "more is committed after the backup")
        # The power fails. What comes next is made of the disk alone, while the devices go on measuring.
        crash(site)
        receipted = worker.result()
        last = back_up(site, "last.backup")
        shutil.move(place, lost)
        held = [word for handle in SENSORS for word in ("--newest", newest(site, handle))]
        for agent in agents:
            receipted |= agent.receipted

        # What was made under load is whole, and has all that was receipted when it began. It is not the newest.
        apart = restore(under_load, site.directory / "apart", "--accept-loss")
        assert apart.code == 0, apart.err
        early = {entry_id for entry_id, when in receipted.items() if when < began}
        there = messages(site.directory / "apart" / "chain.db")
        assert len(early) > WANTED
        assert early <= there.keys()
        assert receipted.keys() - there.keys()
        refused = restore(under_load, place, *held)
        assert (refused.code, place.exists()) == (1, False)
        assert "receipted entries back" in refused.err

        # The last one is: devices that were not touched in the meantime go on with what was restored.
        done = restore(last, place, *held)
        assert done.code == 0, done.err
        assert receipted.keys() <= messages(site.chain_file).keys()
        before = [len(agent.receipted) for agent in agents]
        site.start()
        until(lambda: all(map(went_on, agents, before)), "every device goes on")
        until(lambda: all(caught_up(site, handle) for handle in SENSORS), "what waited is receipted")

    for handle, agent in zip(SENSORS, agents, strict=True):
        assert agent.unexpected == []
        receipted |= agent.receipted
        with closing(Outbox(site.home(handle) / "outbox.db")) as outbox:
            assert (outbox.waiting(), outbox.rejected()) == (0, [])
            assert outbox.counter("queued") == outbox.counter("receipted")
    site.stop()
    committed = messages(site.chain_file)
    assert receipted.keys() <= committed.keys()
    assert set(committed.values()) == {1}
    assert audit(site.chain_file).size > audit(lost / "chain.db").size
    assert Gateway.load(place).key().public == Gateway.load(lost).key().public
