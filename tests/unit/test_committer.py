"""The committer's decisions and answers, over a real chain file and without a broker."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from chain import merkle, wire
from chain.audit import audit
from chain.chain import Chain
from chain.contracts.terms import Escalate, EscalateParams, Step
from chain.encoding import b64url, digest, unb64url
from chain.entry import Message, Tick, parse
from chain.receipt import Receipt
from chain.store import Uptime
from chain.wire import Delivery, Receipts, Refusal, Submission
from gateway.arrivals import Incoming
from gateway.committer import Committer, Outgoing
from gateway.link import Endpoint, Link
from gateway.site import Key
from tests.world import Actor, World


class Ward:
    """A world whose chain only the committer writes; `alice` and `bob` are contacts, `carol` is nobody's."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder)
        self.alice, self.bob, self.carol = (self.world.join(name) for name in ("alice", "bob", "carol"))
        self.world.link(self.alice, self.bob.id)
        self.gateway = self.world.gateway
        self.committer = self.restarted()

    def restarted(self) -> Committer:
        return Committer(self.world.chain, Key(self.gateway.keys._secret))

    def commit(self, *batch: Incoming) -> list[Outgoing]:
        answers = self.committer.commit(batch, self.world.now)
        self.world._tell()
        return answers

    def refusal(self, answer: Outgoing) -> Refusal:
        return wire.read_refusal(answer.payload, key=self.gateway.keys.public, origin=self.world.origin)

    def size(self) -> int:
        return self.world.chain.head.size


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[Ward]:
    ward = Ward(tmp_path)
    yield ward
    ward.world.close()


def payload_of(submission: Submission) -> bytes:
    return wire.encode(wire.parcel(submission.signed.leaf, submission.body, after=submission.after))


def sent(submission: Submission, by: Actor | None = None) -> Incoming:
    """As it comes on its author's own topic, or on somebody else's."""
    account = by.id if by else submission.signed.entry.author
    return Incoming(wire.up_topic(account, "entry"), payload_of(submission), mid=1, connection=1)


def on(topic: str, answers: Sequence[Outgoing]) -> list[Outgoing]:
    return [answer for answer in answers if answer.topic == topic]


def receipts_for(actor: Actor, answers: Sequence[Outgoing]) -> list[Receipts]:
    return [
        wire.read_receipts(answer.payload) for answer in on(wire.down_topic(actor.id, "receipt"), answers)
    ]


def deliveries_to(actor: Actor, answers: Sequence[Outgoing]) -> list[Delivery]:
    return [wire.read_delivery(answer.payload) for answer in on(wire.down_topic(actor.id, "entry"), answers)]


def test_an_author_gets_one_message_of_receipts_for_a_block(ward: Ward) -> None:
    notes = [ward.alice.writes(ward.bob.id) for _ in range(3)]
    reply = ward.bob.writes(ward.alice.id)

    answers = ward.commit(*map(sent, notes), sent(reply))

    (mine,), (theirs,) = receipts_for(ward.alice, answers), receipts_for(ward.bob, answers)
    assert [made.id for made in mine.receipts] == [note.signed.entry.id for note in notes]
    assert [made.id for made in theirs.receipts] == [reply.signed.entry.id]


def test_receipts_say_when_too_much_waits(ward: Ward) -> None:
    committer = Committer(ward.world.chain, Key(ward.gateway.keys._secret), busy=lambda: True)

    answer, *_ = committer.commit([sent(ward.alice.writes(ward.bob.id))], ward.world.now)

    assert wire.read_receipts(answer.payload).busy


def test_every_receipt_proves_its_entry(ward: Ward) -> None:
    notes = [ward.alice.writes(ward.bob.id) for _ in range(3)]

    (message,) = receipts_for(ward.alice, ward.commit(*map(sent, notes)))

    for note, made in zip(notes, message.receipts, strict=True):
        receipt = Receipt.from_text(made.receipt)
        head = receipt.verify(note.signed.leaf, origin=ward.world.origin, key=ward.gateway.keys.public)
        assert head.size == ward.size()
        assert ward.world.chain.store.leaf(receipt.index) == note.signed.leaf


def test_the_new_checkpoint_is_told_last_and_retained(ward: Ward) -> None:
    answers = ward.commit(sent(ward.alice.writes(ward.bob.id)))

    assert answers[-1] == ward.committer.head()
    assert answers[-1].retain
    assert answers[-1].payload.decode() == ward.world.chain.checkpoint()


def test_no_checkpoint_is_told_where_nothing_was_committed(ward: Ward) -> None:
    answers = ward.commit(sent(ward.alice.writes(ward.carol.id)))

    assert [answer.topic for answer in answers] == [wire.down_topic(ward.alice.id, "refusal")]


def test_the_gateway_relays_entries_of_any_author(ward: Ward) -> None:
    notes = [ward.alice.writes(ward.bob.id), ward.bob.writes(ward.alice.id)]

    answers = ward.commit(*(sent(note, by=ward.gateway) for note in notes))

    (message,) = receipts_for(ward.gateway, answers)
    assert [made.id for made in message.receipts] == [note.signed.entry.id for note in notes]


def test_nobody_else_brings_the_entries_of_others(ward: Ward) -> None:
    size = ward.size()

    (answer,) = ward.commit(sent(ward.alice.writes(ward.bob.id), by=ward.bob))

    assert answer.topic == wire.down_topic(ward.bob.id, "refusal")
    assert ward.refusal(answer).rule == "topic"
    assert ward.size() == size


def test_a_refusal_is_signed_and_names_what_it_refuses(ward: Ward) -> None:
    note = ward.alice.writes(ward.carol.id)

    (answer,) = ward.commit(sent(note))

    said = note.signed.entry
    refusal = ward.refusal(answer)
    assert (refusal.rule, refusal.id, refusal.stream, refusal.seq) == (
        "contact",
        said.id,
        said.stream,
        said.seq,
    )
    assert refusal.digest == b64url(digest(payload_of(note)))
    assert refusal.at == ward.world.now - 1_000 or refusal.at == ward.world.now


def test_what_does_not_parse_is_named_by_its_digest_alone(ward: Ward) -> None:
    (answer,) = ward.commit(Incoming(wire.up_topic(ward.alice.id, "entry"), b"{", 1, 1))

    refusal = ward.refusal(answer)
    assert (refusal.rule, refusal.id, refusal.digest) == ("malformed", None, b64url(digest(b"{")))


def test_what_is_too_long_to_read_is_oversized(ward: Ward) -> None:
    payload = b" " * (wire.MAX_PARCEL_BYTES + 1)

    (answer,) = ward.commit(Incoming(wire.up_topic(ward.alice.id, "entry"), payload, 1, 1))

    assert ward.refusal(answer).rule == "oversized"


def test_an_entry_that_is_too_long_for_a_leaf_is_oversized(ward: Ward) -> None:
    payload = wire.encode(wire.Parcel("a" * 65_536))

    (answer,) = ward.commit(Incoming(wire.up_topic(ward.alice.id, "entry"), payload, 1, 1))

    assert ward.refusal(answer).rule == "oversized"


def test_a_body_that_was_altered_on_its_way_is_refused(ward: Ward) -> None:
    parcel = wire.read_parcel(payload_of(ward.alice.writes(ward.bob.id)))
    altered = msgspec.structs.replace(parcel, body="something else")

    (answer,) = ward.commit(Incoming(wire.up_topic(ward.alice.id, "entry"), wire.encode(altered), 1, 1))

    assert ward.refusal(answer).rule == "malformed"


@pytest.mark.parametrize("topic", ["", "blockpost/v1/up/x/entry", "blockpost/v1/gateway/head", "$SYS/a"])
def test_on_any_other_topic_nobody_waits_for_an_answer(ward: Ward, topic: str) -> None:
    assert ward.commit(Incoming(topic, payload_of(ward.alice.writes(ward.bob.id)), 1, 1)) == []


def test_a_bad_neighbour_does_not_hold_up_the_batch(ward: Ward) -> None:
    good = ward.bob.writes(ward.alice.id)

    answers = ward.commit(
        Incoming(wire.up_topic(ward.alice.id, "entry"), b"\xff", 1, 1),
        sent(good),
        sent(ward.alice.writes(ward.carol.id)),
    )

    assert len(receipts_for(ward.bob, answers)) == 1
    assert len(on(wire.down_topic(ward.alice.id, "refusal"), answers)) == 2


@pytest.mark.parametrize("batches", [1, 2])
def test_a_parcel_that_comes_twice_is_committed_once_and_receipted_twice(ward: Ward, batches: int) -> None:
    note = ward.alice.writes(ward.bob.id)
    size = ward.size()

    answers = (
        ward.commit(sent(note), sent(note))
        if batches == 1
        else ward.commit(sent(note)) + ward.commit(sent(note))
    )

    made = [made for message in receipts_for(ward.alice, answers) for made in message.receipts]
    assert [each.id for each in made] == [note.signed.entry.id] * 2
    assert len({Receipt.from_text(each.receipt).index for each in made}) == 1
    assert ward.size() == size + 1
    assert [len(delivery.entries) for delivery in deliveries_to(ward.bob, answers)] == [1]


def test_a_delivery_goes_to_the_addressees_and_not_to_the_author(ward: Ward) -> None:
    group = ward.world.group(ward.alice, ward.bob, ward.carol)
    note = ward.alice.writes(group)

    answers = ward.commit(sent(note))

    assert deliveries_to(ward.alice, answers) == []
    for reader in (ward.bob, ward.carol):
        (delivery,) = deliveries_to(reader, answers)
        (delivered,) = delivery.entries
        assert delivered.entry.encode() == note.signed.leaf
        assert note.body is not None
        assert (delivered.body, delivered.salt) == (note.body.content, b64url(note.body.salt))


def test_a_delivery_names_the_one_before_it_across_blocks_and_restarts(ward: Ward) -> None:
    indices, previous = [], []
    for count in (2, 1, 3):
        answers = ward.commit(*(sent(ward.alice.writes(ward.bob.id)) for _ in range(count)))
        (delivery,) = deliveries_to(ward.bob, answers)
        previous.append(delivery.previous)
        indices.append([delivered.index for delivered in delivery.entries])
        ward.commit(sent(ward.bob.writes(ward.alice.id)))
        ward.committer = ward.restarted()

    assert previous[1:] == [block[-1] for block in indices[:-1]]
    assert previous[0] < indices[0][0]


def test_what_is_too_much_for_one_message_is_delivered_in_several_that_join(ward: Ward) -> None:
    notes = [ward.alice.writes(ward.bob.id, '"' * 200_000) for _ in range(5)]

    deliveries = deliveries_to(ward.bob, ward.commit(*map(sent, notes)))

    assert len(deliveries) > 1
    assert all(len(wire.encode(delivery)) <= wire.MAX_PARCEL_BYTES for delivery in deliveries)
    for one, next_one in pairwise(deliveries):
        assert next_one.previous == one.entries[-1].index
    assert sum(len(delivery.entries) for delivery in deliveries) == 5


class Watcher:
    """A receiver that believes a checkpoint only with the proof that comes along."""

    def __init__(self, ward: Ward, size: int) -> None:
        self._ward = ward
        self.size = size

    def sees(self, note: str, consistency: wire.Consistency | None) -> None:
        head = self._ward.world.chain.verified(note)
        assert consistency is not None
        assert consistency.size == self.size
        old_root = self._ward.world.chain.store.root_at(self.size)
        assert old_root is not None
        path = [unb64url(value) for value in consistency.path]
        merkle.verify_consistency(self.size, head.size, path, old_root, head.root)
        self.size = head.size


def test_every_answer_proves_that_it_continues_the_last_one(ward: Ward) -> None:
    alice = Watcher(ward, ward.world.seen.size)
    for number in range(4):
        note = ward.alice.writes(ward.bob.id)
        reply = ward.bob.writes(ward.alice.id)
        answers = ward.commit(sent(note), sent(reply)) if number % 2 else ward.commit(sent(note))
        for receipts in receipts_for(ward.alice, answers):
            alice.sees(Receipt.from_text(receipts.receipts[0].receipt).note, receipts.consistency)
        for delivery in deliveries_to(ward.alice, answers):
            alice.sees(Receipt.from_text(delivery.entries[0].receipt).note, delivery.consistency)


def test_after_a_restart_the_proof_begins_with_what_the_author_has_seen(ward: Ward) -> None:
    ward.commit(sent(ward.alice.writes(ward.bob.id)))
    seen = ward.world.seen
    ward.commit(sent(ward.bob.writes(ward.alice.id)))
    ward.committer = ward.restarted()

    (message,) = receipts_for(ward.alice, ward.commit(sent(ward.alice.writes(ward.bob.id, seen=seen))))

    Watcher(ward, seen.size).sees(Receipt.from_text(message.receipts[0].receipt).note, message.consistency)


def test_a_disk_that_fails_is_told_and_nothing_is_answered(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    note = ward.alice.writes(ward.bob.id)
    size = ward.size()
    monkeypatch.setattr(ward.world.chain.store, "write_block", fail)

    with pytest.raises(sqlite3.OperationalError, match="disk I/O error"):
        ward.commit(sent(note))

    monkeypatch.undo()
    assert ward.world.reopen().head.size == size
    ward.committer = ward.restarted()
    assert len(receipts_for(ward.alice, ward.commit(sent(note)))) == 1


def test_a_gap_is_refused_until_what_is_missing_comes(ward: Ward) -> None:
    first = ward.alice.writes(ward.bob.id)
    second = ward.alice.writes(ward.bob.id, after=ward.alice.seq)

    (answer,) = ward.commit(sent(second))
    assert ward.refusal(answer).rule == "gap"

    answers = ward.commit(sent(first), sent(second))
    assert len(receipts_for(ward.alice, answers)[0].receipts) == 2


def test_what_it_wrote_passes_the_audit(ward: Ward) -> None:
    ward.commit(sent(ward.alice.writes(ward.bob.id)), sent(ward.bob.writes(ward.alice.id)))

    assert audit(ward.world.path).size == ward.size()


def test_a_checkpoint_that_was_never_signed_is_signed_at_the_start(ward: Ward) -> None:
    ward.world.commit(ward.alice.writes(ward.bob.id))
    ward.world.chain.store.db.execute(
        "DELETE FROM signature WHERE height = ?", (ward.world.chain.head.height,)
    )

    with closing(Chain.open(ward.world.path, write=True)) as chain:
        head = Committer(chain, Key(ward.gateway.keys._secret)).head()

    assert ward.world.chain.verified(head.payload.decode()).size == ward.size()


def test_the_messages_it_commits_are_the_ones_that_were_sent(ward: Ward) -> None:
    note = ward.alice.writes(ward.bob.id)
    ward.commit(sent(note))

    found = ward.world.chain.store.find(note.signed.entry.id)

    assert isinstance(note.signed.entry, Message)
    assert found is not None
    assert found[1] == note.signed.leaf


class Client:
    """Counts what paho would be told to acknowledge."""

    def __init__(self) -> None:
        self.acked: list[int] = []

    def ack_all(self, mids: Iterable[int]) -> None:
        self.acked += mids

    def wake(self) -> None:
        pass

    def subscribe(self, _topics: Any) -> None:
        pass


def test_an_acknowledgement_for_an_earlier_connection_is_dropped() -> None:
    handed: list[int] = []
    link = Link(
        Endpoint("127.0.0.1", 1, "c", show=lambda _client: None),
        topics=[],
        on_message=lambda _message, connection: handed.append(connection),
        manual_ack=True,
    )
    client: Any = Client()
    link._client = client
    works, message = SimpleNamespace(is_failure=False), SimpleNamespace()
    connected: Any = link._connected
    handle: Any = link._message
    connected(client, None, None, works, None)
    handle(client, None, message)
    link._lost("connection closed")
    connected(client, None, None, works, None)
    handle(client, None, message)

    link.ack_all([(7, handed[0])])
    link.ack_all([(7, handed[1])])

    assert handed == [1, 2]
    assert client.acked == [7]


def test_nothing_is_acknowledged_while_there_is_no_connection() -> None:
    link = Link(
        Endpoint("127.0.0.1", 1, "c", show=lambda _client: None),
        topics=[],
        on_message=lambda _message, _connection: None,
        manual_ack=True,
    )
    client: Any = Client()
    link._client = client

    link.ack_all([(1, 0)])

    assert client.acked == []


# What it notes of refusals


def test_what_is_refused_is_noted_with_whose_it_was(ward: Ward) -> None:
    entry = ward.carol.writes(ward.alice.id)
    junk = Incoming(wire.up_topic(ward.bob.id, "entry"), b"{}", mid=1, connection=1)
    stolen = sent(ward.alice.writes(ward.bob.id), by=ward.carol)

    ward.commit(sent(entry), junk, stolen, sent(ward.alice.writes(ward.bob.id)))

    noted = {each.rule: (each.account, each.entry) for each in ward.committer.refused}
    assert noted == {
        "malformed": (ward.bob.id, None),
        "topic": (ward.carol.id, None),
        "contact": (ward.carol.id, entry.signed.entry.id),
    }
    assert all(each.reason and each.at for each in ward.committer.refused)

    ward.commit(sent(ward.alice.writes(ward.bob.id)))
    assert ward.committer.refused == []


def test_of_what_a_browser_handed_in_it_is_the_authors_as_far_as_it_can_be_read(ward: Ward) -> None:
    relayed = sent(ward.carol.writes(ward.alice.id), by=ward.gateway)
    junk = Incoming(wire.up_topic(ward.gateway.id, "entry"), b"{}", mid=1, connection=1)

    ward.commit(relayed, junk)

    assert {each.rule: each.account for each in ward.committer.refused} == {
        "contact": ward.carol.id,
        "malformed": None,
    }


# What contracts do


@pytest.fixture
def escalating(ward: Ward) -> Submission:
    """An alert of alice's to bob, that reaches carol after a minute."""
    params = EscalateParams(steps=[Step(ward.carol.id, 60)], wait=60, laps=1)
    ward.commit(
        sent(ward.world.admin.installs("carol-too", Escalate(version=1, when="is_alert", params=params)))
    )
    alert = ward.alice.alerts(ward.bob.id)
    ward.commit(sent(alert))
    return alert


def test_a_tick_goes_to_everybody_whom_the_alert_concerns(ward: Ward, escalating: Submission) -> None:
    ward.world.now += 60_000

    answers = ward.commit()

    for actor in (ward.bob, ward.carol):
        (delivery,) = deliveries_to(actor, answers)
        tick = parse(delivery.entries[0].entry.encode()).entry
        assert isinstance(tick, Tick)
        assert [(deed.did, deed.to) for deed in tick.did] == [("step", ward.carol.id)]
        assert tick.did[0].about == escalating.signed.entry.id
    assert not receipts_for(ward.gateway, answers)


@pytest.mark.usefixtures("escalating")
def test_nothing_is_said_before_it_is_due(ward: Ward) -> None:
    ward.world.now = ward.world.chain.head.timestamp + 59_999

    assert ward.committer.due_in(ward.world.now, Uptime("another boot", 0)) == 0.001
    assert ward.commit() == []


@pytest.mark.usefixtures("escalating")
def test_a_clock_that_leaps_hurries_nobody(ward: Ward) -> None:
    boot = Uptime("this boot", 1_000)
    ward.committer.commit([sent(ward.bob.writes(ward.alice.id))], ward.world.now, boot)
    ward.world.now += 3_600_000
    size = ward.size()

    ward.committer.commit([], ward.world.now, Uptime("this boot", 50_000))
    assert ward.size() == size

    ward.committer.commit([], ward.world.now - 7_200_000, Uptime("this boot", 61_000))
    assert ward.size() == size + 1


@pytest.mark.usefixtures("escalating")
def test_a_step_that_fired_does_not_fire_again_after_a_restart(ward: Ward) -> None:
    ward.world.now += 60_000
    ward.commit()
    size = ward.size()

    ward.world.reopen()
    ward.committer = ward.restarted()
    ward.commit()

    assert ward.size() == size


def test_an_answer_stops_what_was_to_come(ward: Ward, escalating: Submission) -> None:
    ward.commit(sent(ward.bob.answers(escalating)))
    ward.world.now += 3_600_000
    size = ward.size()

    ward.commit()

    assert ward.size() == size
    assert ward.committer.due_in(ward.world.now, Uptime("this boot", 0)) is None
