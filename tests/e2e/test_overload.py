"""
Must hold: what is too much for the gateway waits in outboxes, on disk; nothing of it is lost, and nobody else waits for it.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any

import psutil
import pytest

from chain import entry, wire
from chain.audit import audit
from chain.chain import Chain
from device.outbox import Outbox
from device.window import ALERTS, SIZE
from provisioning.site import Process, Site
from tests.e2e.test_junk import Hostile, junk, resident
from tests.sites import BOTH_KINDS, added, client_of, processes_of, running_site

BUSY = ("busy-1", "busy-2", "busy-3")
READER, QUIET, HOSTILE = "dr.lee", "quiet", "hostile"
WAITING = 120
"""Entries of each busy device: more than may be under way."""

QUIET_ENTRIES = 5
SETTINGS = f"""
to = ["{READER}"]
[sensors.still]
mode = "stream"
command = ["sleep", "3600"]
"""
UNDER_WAY = 3_000
PATIENCE = 240.0
"""Seconds after which a test gives up; none measures time."""

MIB = 2**20
BOUND = 160 * MIB

pytestmark = BOTH_KINDS


def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"it never came about that {what}"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, *, lan: bool) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("site"), lan=lan) as site:
        added(site, READER)
        for handle in (*BUSY, QUIET, HOSTILE):
            added(site, handle, kind="device")
            site.admin("admin", "link", handle, READER)
            (site.home(handle) / "agent.toml").write_text(SETTINGS, "utf-8")
        yield site


class Sender:
    """A device's agent that has entries in its outbox, and what it told."""

    def __init__(self, site: Site, handle: str, count: int) -> None:
        self.site, self.handle = site, handle
        with client_of(site, handle) as client:
            to = client.directory.addressee(READER)
            self.queued = [
                client.write_message(to, str(number), cty="text/plain").id for number in range(count)
            ]
        self.sent: set[str] = set()
        self.receipted: set[str] = set()
        self.most_under_way = 0
        self.unexpected: list[dict[str, Any]] = []
        self.process: Process = site.device(handle, "run", "--json", hear=self._hear)

    def _hear(self, event: dict[str, Any]) -> None:
        match event:
            case {"event": "sent", "id": entry_id}:
                self.sent.add(entry_id)
                self.most_under_way = max(self.most_under_way, len(self.sent - self.receipted))
            case {"event": "receipted", "id": entry_id}:
                self.receipted.add(entry_id)
            case {"event": "refused"}:
                self.unexpected.append(event)

    @property
    def is_sending(self) -> bool:
        """Raise `AssertionError` if its agent has ended."""
        assert self.process.is_running, self.handle
        return bool(self.sent)

    @property
    def waiting(self) -> int:
        with closing(Outbox(self.site.home(self.handle) / "outbox.db")) as outbox:
            return outbox.waiting()


@contextmanager
def sending(site: Site, handles: tuple[str, ...], count: int) -> Iterator[list[Sender]]:
    with ExitStack() as stack:
        senders = []
        for handle in handles:
            sender = Sender(site, handle, count)
            stack.callback(sender.process.stop)
            senders.append(sender)
        yield senders


@contextmanager
def flooding(hostile: Hostile) -> Iterator[None]:
    """It publishes junk, as fast as the broker takes it, and honours no window."""
    ended, chance = threading.Event(), random.Random(1)

    def flood() -> None:
        under_way: list[Any] = []
        topic = wire.up_topic(hostile.account, "entry")
        while not ended.is_set():
            under_way = [each for each in under_way if not each.is_published()]
            if len(under_way) < UNDER_WAY:
                under_way += [hostile.mqtt.publish(topic, junk(chance), qos=1) for _ in range(100)]
            else:
                ended.wait(0.05)

    thread = threading.Thread(target=flood)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def on_chain(site: Site) -> Counter[str]:
    with closing(Chain.open(site.chain_file)) as chain:
        return Counter(entry.parse(leaf).entry.id for _, leaf in chain.store.leaves(0, chain.head.size))


def test_what_the_gateway_cannot_take_waits_in_outboxes_and_is_committed_once(site: Site) -> None:
    (committer,) = processes_of(site, "commit")
    committer.suspend()  # whatever comes now is too much
    try:
        with sending(site, BUSY, WAITING) as senders:
            until(lambda: all(sender.is_sending for sender in senders), "all begin to send")
            assert all(sender.waiting >= WAITING for sender in senders)
            assert not any(sender.receipted for sender in senders)
            committer.resume()

            until(lambda: not any(sender.waiting for sender in senders), "all of it is committed")
    finally:
        if committer.is_running() and committer.status() == psutil.STATUS_STOPPED:
            committer.resume()

    committed = on_chain(site)
    for sender in senders:
        assert sender.unexpected == []
        assert sender.most_under_way <= SIZE + ALERTS
        assert {entry_id: committed[entry_id] for entry_id in sender.queued} == dict.fromkeys(
            sender.queued, 1
        )


def test_a_quiet_device_is_heard_while_others_flood_the_gateway(site: Site) -> None:
    hostile = Hostile(site)
    before = resident(site)

    with flooding(hostile), sending(site, BUSY, WAITING) as busy:
        until(lambda: hostile.refusals and any(sender.receipted for sender in busy), "the flood is there")
        with sending(site, (QUIET,), QUIET_ENTRIES) as (quiet,):
            until(lambda: quiet.receipted >= set(quiet.queued), "what is quiet is heard")
        grown = resident(site) - before
        until(lambda: all(sender.receipted >= set(sender.queued) for sender in busy), "all else is, too")
    hostile.stop()

    assert grown < BOUND
    committed = on_chain(site)
    assert all(committed[entry_id] == 1 for sender in (quiet, *busy) for entry_id in sender.queued)


def test_the_chain_and_the_log_are_as_they_should_be(site: Site) -> None:
    assert audit(site.chain_file).size > WAITING
    assert "Traceback" not in (site.directory / "gateway.log").read_text("utf-8")
