"""Must hold: kill -9 of anything, at any moment, loses nothing that was queued and doubles nothing."""

import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import pytest

from chain import entry
from chain.audit import audit
from chain.chain import Chain
from chain.entry import Message
from device.outbox import Outbox
from provisioning.site import Process, Site
from tests.sites import BOTH_KINDS, processes_of

KILLS = 32
PARTS = ("broker", "commit", "web", "agent")
LAN_PARTS = (*PARTS, "authority")
JOINING_ENTRIES = 2
"""The device's account and its profile."""

RATE = 25
SECONDS_TO_SETTLE = 120


class Cast:
    """A site with a device that sends and a clinician who reads; the device is started again when it was killed."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.receipted: list[str] = []
        self.queued: list[str] = []
        self.opened: list[str] = []
        self.unexpected: list[dict[str, Any]] = []
        self.device = self.start_device()
        self.clinician = site.device("dr.lee", "inbox", "--follow", "--json", hear=self.hear)

    def start_device(self) -> Process:
        return self.site.device("sensor-1", "run", "--json", hear=self.hear)

    def hear(self, event: dict[str, Any]) -> None:
        match event:
            case {"event": "receipted", "id": entry_id}:
                self.receipted.append(entry_id)
            case {"event": "queued", "id": entry_id}:
                self.queued.append(entry_id)
            case {"event": "opened", "id": entry_id}:
                self.opened.append(entry_id)
            case {"event": "refused" | "unopened" | "unproven"}:
                self.unexpected.append(event)

    def kill(self, part: str, chance: random.Random) -> None:
        """End one part as a power cut would; the supervisor, or we for the agent, start it again."""
        if part == "agent":
            self.device.kill()
            self.device = self.start_device()
            return
        until(lambda: processes_of(self.site, part), f"{part} is running again")
        chance.choice(processes_of(self.site, part)).send_signal(signal.SIGKILL)

    def waiting(self) -> int:
        with closing(Outbox(self.site.home("sensor-1") / "outbox.db")) as outbox:
            return outbox.waiting()

    def stop(self) -> None:
        self.device.stop()
        self.clinician.stop()


@pytest.fixture
def cast(tmp_path: Path, *, lan: bool) -> Iterator[Cast]:
    site = Site(tmp_path, lan=lan)
    code = site.init(admin="admin")
    site.start()
    try:
        site.join("admin", code, name="Admin")
        for handle, kind in (("dr.lee", "person"), ("sensor-1", "device")):
            site.join(handle, site.admin("admin", "invite", handle, "--kind", kind).strip(), name=handle)
        site.admin("admin", "link", "sensor-1", "dr.lee")
        (site.home("sensor-1") / "agent.toml").write_text(settings(tmp_path), "utf-8")
        cast = Cast(site)
        try:
            yield cast
        finally:
            cast.stop()
    finally:
        site.stop()


def settings(directory: Path) -> str:
    recording = directory / "recording.csv"
    recording.write_text("n\n" + "".join(f"{number}\n" for number in range(1, 10_000)), "utf-8")
    command = f'["blockpost", "device", "read", "replay", "{recording}", "--column", "n", "--rate", "{RATE}"]'
    return f'to = ["dr.lee"]\n[sensors.count]\nmode = "stream"\ncommand = {command}\n'


@BOTH_KINDS
def test_thirty_kills_lose_nothing_and_double_nothing(cast: Cast) -> None:
    chance = random.Random()
    parts = list(islice(cycle(LAN_PARTS if cast.site.lan else PARTS), KILLS))
    chance.shuffle(parts)
    killed: Counter[str] = Counter()

    for part in parts:
        time.sleep(chance.uniform(0.2, 1.5))
        cast.kill(part, chance)
        killed[part] += 1

    cast.site.wait_ready()
    before = len(cast.receipted)
    until(lambda: len(cast.receipted) > before + RATE, "entries are committed again after the last kill")
    # Told to stop, it sends what waits for ten seconds: what a slow machine gathered may take longer.
    until(lambda: cast.waiting() < RATE, "what waited has gone out")
    cast.device.stop()
    with closing(Outbox(cast.site.home("sensor-1") / "outbox.db")) as outbox:
        assert outbox.waiting() == 0
        assert outbox.rejected() == []
        assert outbox.counter("queued") == outbox.counter("receipted")
        queued = outbox.counter("queued") - JOINING_ENTRIES
    until(lambda: len(set(cast.opened)) >= queued, "the clinician has opened all of it")
    cast.site.stop()

    committed = Counter(messages(cast.site.chain_file))
    assert killed.total() >= 30
    assert cast.unexpected == []
    assert set(committed.values()) == {1}
    assert set(cast.receipted) <= set(committed)
    assert set(cast.queued) <= set(committed)
    assert len(committed) == queued
    assert Counter(cast.opened) == committed
    assert audit(cast.site.chain_file).size > queued


def messages(file: Path) -> list[str]:
    with closing(Chain.open(file)) as chain:
        entries = [entry.parse(chain.store.leaf(index)).entry for index in range(chain.head.size)]
    return [said.id for said in entries if isinstance(said, Message)]


def until(condition: Any, what: str) -> None:
    deadline = time.monotonic() + SECONDS_TO_SETTLE
    while not condition():
        assert time.monotonic() < deadline, f"it never came about that {what}"
        time.sleep(0.1)
