"""The committer and the web server's relay at work through Mosquitto: what goes in comes out, whatever stops meanwhile."""

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from chain import durable, wire
from chain.wire import ReceiptOf, Submission
from gateway.broker.limits import KIB
from gateway.link import web_servers
from gateway.presence import Presence
from gateway.relay import MqttRelay
from provisioning.authority.certificates import bundle, client, new_key
from tests.lan import Lan, Process, now, running, until
from tests.mqtt import Client, clients
from tests.world import Actor


class Work(NamedTuple):
    """A gateway at work: `fridge` and all `fridges` are linked to `alice`, and all have certificates."""

    lan: Lan
    broker: Process
    committer: Process
    client: Callable[..., Client]
    alice: Actor
    fridges: list[Actor]

    @property
    def fridge(self) -> Actor:
        return self.fridges[0]

    def connected(self, actor: Actor) -> Client:
        made = self.client(self.lan.papers.client(actor.id))
        for lane in ("entry", "receipt", "refusal"):
            made.subscribe(wire.down_topic(actor.id, lane))
        return made


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Work]:
    lan = Lan(tmp_path)
    alice = lan.world.join("alice")
    fridges = [lan.world.device(f"fridge-{number}") for number in range(10)]
    for fridge in fridges:
        lan.world.link(fridge, alice.id)
    lan.world.close()
    with ExitStack() as stack:
        broker = stack.enter_context(running(lan.site))
        committer = stack.enter_context(running(lan.site, "commit"))
        until(lambda: committer.logged("broker reached"))
        make = stack.enter_context(clients(lan.client))
        yield Work(lan, broker, committer, make, alice, fridges)


def parcel(submission: Submission) -> bytes:
    return wire.encode(wire.parcel(submission.signed.leaf, submission.body))


def receipted(client: Client, count: int) -> list[str]:
    """The ids of as many entries as have a receipt."""
    ids: list[str] = []
    while len(ids) < count:
        message = client.receive()
        assert message.topic.endswith("/receipt"), message.payload
        ids += [each.id for each in wire.read_receipts(bytes(message.payload)).receipts]
    return ids


@contextmanager
def relaying(work: Work) -> Iterator[MqttRelay]:
    site = work.lan.site
    relay = MqttRelay(
        web_servers(site, site.key(), work.lan.world.origin),
        site.key(),
        Presence(lambda _account: True),
        origin=work.lan.world.origin,
    )
    relay.start()
    try:
        until(lambda: relay._link.is_up)
        yield relay
    finally:
        relay.stop()


def test_an_entry_is_committed_receipted_and_delivered(work: Work) -> None:
    fridge, alice = work.connected(work.fridge), work.connected(work.alice)
    alice.subscribe(wire.HEAD_TOPIC)
    entry = work.fridge.writes(work.alice.id)

    fridge.publish(wire.up_topic(work.fridge.id, "entry"), parcel(entry))

    assert receipted(fridge, 1) == [entry.signed.entry.id]
    while (message := alice.receive()).topic != wire.down_topic(work.alice.id, "entry"):
        assert message.topic == wire.HEAD_TOPIC
    (delivered,) = wire.read_delivery(bytes(message.payload)).entries
    assert delivered.entry.encode() == entry.signed.leaf


def test_what_a_browser_submits_goes_the_same_way(work: Work) -> None:
    alice = work.connected(work.alice)
    entry = work.fridge.writes(work.alice.id)
    with relaying(work) as relay:
        answer = relay.submit(parcel(entry), entry.signed.entry.id)

        assert isinstance(answer, ReceiptOf)
        assert answer.id == entry.signed.entry.id
        assert alice.receive().topic == wire.down_topic(work.alice.id, "entry")
        until(lambda: relay.heads._size > 0)


def test_the_web_server_hears_the_pulse_and_who_is_there(work: Work) -> None:
    status = wire.up_topic(work.fridge.id, "status")
    fridge = work.lan.client(work.lan.papers.client(work.fridge.id))
    fridge.paho.will_set(status, b'{"online":false}', 1, retain=True)
    fridge.connect()
    fridge.publish(status, b'{"online":true}', retain=True)
    with relaying(work) as relay:
        until(lambda: relay.presence.online() == {work.fridge.id})
        until(relay.pulses.newest)

        fridge.vanish()

        until(lambda: relay.presence.online() == frozenset())
    fridge.close()


def test_a_committer_that_stands_still_while_devices_publish_loses_nothing(work: Work) -> None:
    content = "x" * 8 * KIB
    # A device has no more under way.
    entries = {fridge: [fridge.writes(work.alice.id, content) for _ in range(60)] for fridge in work.fridges}
    clients = {fridge: work.connected(fridge) for fridge in work.fridges}
    work.committer.process.send_signal(signal.SIGSTOP)
    try:
        for fridge, written in entries.items():
            for entry in written:
                clients[fridge].publish(wire.up_topic(fridge.id, "entry"), parcel(entry))
    finally:
        work.committer.process.send_signal(signal.SIGCONT)

    for fridge, written in entries.items():
        assert receipted(clients[fridge], len(written)) == [entry.signed.entry.id for entry in written]


def test_the_committer_comes_back_with_the_certificate_that_it_has_by_then(work: Work) -> None:
    lan, files = work.lan, work.lan.papers.files
    old = lan.site.directory / "old.pem"
    durable.write(old, files.committer.read_bytes())
    key = new_key()
    made = client(lan.papers.issuer, key.public_key(), lan.gateway, now())
    above = [lan.papers.issuer.certificate, lan.papers.root]
    durable.write(files.committer, bundle(key, [made, *above]))
    lan.papers.revoke(old)
    until(lambda: work.broker.logged("mosquitto reloads"))

    work.broker.mosquitto.kill()
    until(lambda: work.broker.process.poll() is not None)

    with running(lan.site):
        until(lambda: work.committer.logged("broker reached", 2))
        fridge = work.connected(work.fridge)
        entry = work.fridge.writes(work.alice.id)
        fridge.publish(wire.up_topic(work.fridge.id, "entry"), parcel(entry))
        assert receipted(fridge, 1) == [entry.signed.entry.id]
    assert work.committer.process.poll() is None
