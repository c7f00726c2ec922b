"""The agent against a real chain and its committer, joined by a link that loses nothing but what a test takes away."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from chain import body, wire
from chain.encoding import b64url, digest, unb64url_hash
from chain.entry import Contact, Message, Revoke, new_id
from chain.errors import Refused, Rule
from chain.wire import Delivery, ReceiptOf, Receipts, Refusal
from device import content, sealing
from device.agent import ABOUT_THE_AUTHOR, Agent, Arrived, Connected, Halted, Intake, Sampled, moment
from device.client import Client
from device.config import Config, Poll
from device.content import Gap, Heartbeat
from device.episode import Moment
from device.errors import Problem, TwoHistories
from device.link import Link
from device.outbox import SENT, Queued
from device.reading import Fault, Reading, Sample
from device.window import SIZE
from gateway.arrivals import Incoming
from gateway.committer import Committer, Outgoing
from gateway.site import Key
from tests.homes import NearGateway, enrol, settle
from tests.world import Actor, World


class NearLink:
    """What `device.link.Link` is over a broker: keeps what was published."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self.is_up = True
        self.published: list[bytes] = []

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass

    def publish(self, payload: bytes) -> None:
        self.published.append(payload)


class Ward:
    """`alice` runs an agent; `bob` is her contact, and `carol` is not."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        (folder / "world").mkdir()
        self.world = World(folder / "world")
        self.alice, self.bob = enrol(self.world, "alice"), enrol(self.world, "bob")
        self.carol = enrol(self.world, "carol")
        self.world.link(self.alice, self.bob.id)
        self.committer = Committer(self.world.chain, Key(self.world.gateway.keys._secret))
        self.gateway = NearGateway(self.world, self.alice.id)
        patch.setattr("device.client.Gateway", lambda *_, **__: self.gateway)
        patch.setattr("device.reception.Link", NearLink)
        patch.setattr("device.agent.TURN_SECONDS", 0)
        # Open from the start: how a window opens is tested in test_window.py.
        patch.setattr("device.window.FIRST", SIZE)
        self.home = settle(self.world, "alice", folder / "alice")
        self.client = Client(self.home)
        self.shown: list[dict[str, Any]] = []
        self.agent = self.restarted()
        self.turn()

    def close(self) -> None:
        self.client.close()
        self.world.close()

    def restarted(self, config: Config | None = None) -> Agent:
        self.agent = Agent(self.client, self.shown.append, config)
        return self.agent

    @property
    def link(self) -> NearLink:
        return cast("NearLink", self.agent._link)

    def turn(self) -> None:
        self.agent._turn()

    def writes(self, text: str = "hello") -> Queued:
        return self.client.write_message(self.client.directory.addressee("bob"), text, cty="text/plain")

    def commits(self, *, by: Actor | None = None) -> list[Outgoing]:
        """The committer takes all that was published, and answers."""
        topic = wire.up_topic((by or self.alice).id, "entry")
        batch = [Incoming(topic, payload, 1, 1) for payload in self.link.published]
        self.link.published.clear()
        answers = self.committer.commit(batch, self.world.now)
        self.world._tell()
        return [answer for answer in answers if f"/{self.alice.id}/" in answer.topic]

    def arrives(self, *answers: Outgoing) -> None:
        for answer in answers:
            self.agent._handle(Arrived(answer.topic, answer.payload))

    def arrives_on(self, lane: Any, payload: bytes) -> None:
        self.agent._handle(Arrived(wire.down_topic(self.alice.id, lane), payload))

    def events(self, name: str) -> list[dict[str, Any]]:
        return [event for event in self.shown if event["event"] == name]

    def waiting(self) -> list[str]:
        return [queued.id for lane in SENT for queued in self.client.outbox.pending(lane, 100)]

    def sealed_by_bob(self, text: str) -> Any:
        """A message to alice that she can open."""
        mid = new_id(self.world.now, self.world.source)
        sealed = sealing.seal(
            text,
            cty="text/plain",
            iss=self.bob.id,
            skid=self.bob.keys.kid,
            mid=mid,
            recipients=[self.alice.keys.seal, self.bob.keys.seal],
        )
        return self.bob.says(
            Message,
            beside=body.make(sealed.body, self.world.source),
            id=mid,
            to=self.alice.id,
            commitment=b64url(sealed.commitment),
        )

    def delivery(self, *indices: int, previous: int | None = None) -> bytes:
        """As the committer sends it."""
        if previous is None:
            previous = self.world.chain.state.received_before(self.alice.id, indices[0])
        return wire.encode(Delivery(previous, self.gateway.delivered(*indices)))


@pytest.fixture
def ward(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ward]:
    # What an agent says of its settings when it begins is not what is counted here: `test_limits.py` has it.
    monkeypatch.setattr("device.changes.Changes.untold", lambda _: [])
    ward = Ward(tmp_path, monkeypatch)
    yield ward
    ward.close()


@pytest.fixture
def received(ward: Ward) -> int:
    """The index of a message that alice was sent."""
    (index,) = ward.world.commit(ward.sealed_by_bob("take care"))
    return index


# Sending


def test_what_is_queued_is_sent_committed_and_released(ward: Ward) -> None:
    queued = ward.writes()
    ward.turn()

    ward.arrives(*ward.commits())

    assert ward.waiting() == []
    assert [event["id"] for event in ward.events("sent")] == [queued.id]
    (receipted,) = ward.events("receipted")
    assert receipted["id"] == queued.id
    assert ward.world.chain.store.find(queued.id) == (receipted["index"], queued.parcel.entry.encode())


def test_nothing_is_released_before_its_checkpoint_is_on_disk(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[str | None] = []
    release = ward.client.outbox.release

    def releasing(ids: list[str]) -> None:
        held.append(ward.home.book.checkpoint())
        release(ids)

    monkeypatch.setattr(ward.client.outbox, "release", releasing)
    ward.writes()
    ward.turn()

    ward.arrives(*ward.commits())

    assert held == [ward.world.chain.checkpoint()]


def test_a_checkpoint_that_cannot_be_written_down_releases_nothing(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> bool:
        raise OSError(28, "no space left on device")

    ward.writes()
    ward.turn()
    answers = ward.commits()
    monkeypatch.setattr("device.addressbook.AddressBook.replace_checkpoint", fail)

    with pytest.raises(OSError, match="no space left"):
        ward.arrives(*answers)

    assert len(ward.waiting()) == 1


def test_a_lost_receipt_comes_with_the_entry_that_is_sent_again(ward: Ward) -> None:
    queued = ward.writes()
    ward.turn()
    ward.commits()
    ward.agent._handle(Connected())
    ward.turn()

    ward.arrives(*ward.commits())

    assert ward.waiting() == []
    assert [event["id"] for event in ward.events("sent")] == [queued.id]


def test_what_was_sent_twice_is_shown_as_receipted_once(ward: Ward) -> None:
    queued = ward.writes()
    ward.turn()
    ward.agent._handle(Connected())
    ward.turn()
    assert len(ward.link.published) == len(("once", "again"))

    ward.arrives(*ward.commits())

    assert [event["id"] for event in ward.events("receipted")] == [queued.id]


def receipts(ward: Ward) -> Receipts:
    """What the committer answers to one message that alice wrote and waits for."""
    ward.writes()
    ward.turn()
    (answer,) = ward.commits()
    return wire.read_receipts(answer.payload)


def of_another_entry(ward: Ward, genuine: Receipts) -> bytes:
    (receipt,) = ward.world.chain.receipts([1])
    return wire.encode(Receipts([ReceiptOf(genuine.receipts[0].id, receipt.to_text())]))


def of_another_chain(ward: Ward, genuine: Receipts) -> bytes:
    folder = ward.home.directory / "elsewhere"
    folder.mkdir()
    with World(folder, origin="ward8.example/abc") as elsewhere:
        (receipt,) = elsewhere.chain.receipts([1])
    return wire.encode(Receipts([ReceiptOf(genuine.receipts[0].id, receipt.to_text())]))


def of_another_key(ward: Ward, genuine: Receipts) -> bytes:
    folder = ward.home.directory / "elsewhere"
    folder.mkdir()
    with World(folder, seed="another gateway") as elsewhere:
        (receipt,) = elsewhere.chain.receipts([1])
    return wire.encode(Receipts([ReceiptOf(genuine.receipts[0].id, receipt.to_text())]))


def with_another_index(_ward: Ward, genuine: Receipts) -> bytes:
    lines = genuine.receipts[0].receipt.split("\n")
    lines[1] = "index 3"
    return wire.encode(Receipts([structs.replace(genuine.receipts[0], receipt="\n".join(lines))]))


def cut_short(_ward: Ward, genuine: Receipts) -> bytes:
    return wire.encode(genuine)[:-20]


@pytest.mark.parametrize(
    "forge", [of_another_entry, of_another_chain, of_another_key, with_another_index, cut_short]
)
def test_a_receipt_that_does_not_hold_releases_nothing_and_is_one_line_in_the_log(
    ward: Ward, caplog: pytest.LogCaptureFixture, forge: Any
) -> None:
    payload = forge(ward, receipts(ward))
    caplog.clear()

    ward.arrives_on("receipt", payload)

    assert len(ward.waiting()) == 1
    assert ward.home.book.evidence() is None
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_a_receipt_for_somebody_elses_entry_is_nothing_to_do(ward: Ward) -> None:
    (receipt,) = ward.world.chain.receipts([1])
    other = new_id(ward.world.now, ward.world.source)

    ward.arrives_on("receipt", wire.encode(Receipts([ReceiptOf(other, receipt.to_text())])))

    assert ward.events("receipted") == []


def test_of_a_message_of_receipts_those_before_a_bad_one_count(ward: Ward) -> None:
    ward.writes("one")
    second = ward.writes("two")
    ward.turn()
    (answer,) = ward.commits()
    genuine = wire.read_receipts(answer.payload)
    forged = [genuine.receipts[0], structs.replace(genuine.receipts[1], receipt="nonsense")]

    ward.arrives_on("receipt", wire.encode(structs.replace(genuine, receipts=forged)))

    assert ward.waiting() == [second.id]


# Refusals


def refusal(ward: Ward, queued: Queued, rule: Rule, **says: Any) -> Refusal:
    given: dict[str, Any] = {
        "chain": ward.world.origin,
        "rule": rule,
        "reason": "because",
        "digest": b64url(digest(b"")),
        "at": ward.world.now,
        "id": queued.id,
    }
    return Refusal(**{**given, **says})


def signed(ward: Ward, said: Refusal, *, by: Actor | None = None) -> bytes:
    keys = (by or ward.world.gateway).keys
    return wire.sign_refusal(said, kid=keys.kid, signer=keys.sign)


def test_a_forged_refusal_changes_nothing(ward: Ward, caplog: pytest.LogCaptureFixture) -> None:
    queued = ward.writes()
    caplog.clear()

    ward.arrives_on("refusal", signed(ward, refusal(ward, queued, "contact"), by=ward.bob))

    assert ward.waiting() == [queued.id]
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_a_refusal_of_another_chain_changes_nothing(ward: Ward, caplog: pytest.LogCaptureFixture) -> None:
    queued = ward.writes()
    caplog.clear()

    ward.arrives_on("refusal", signed(ward, refusal(ward, queued, "contact", chain="ward8.example/abc")))

    assert ward.waiting() == [queued.id]
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_a_refusal_that_was_altered_changes_nothing(ward: Ward) -> None:
    queued = ward.writes()
    genuine = signed(ward, refusal(ward, queued, "contact")).split(b".")
    other = signed(ward, refusal(ward, queued, "revoked")).split(b".")

    ward.arrives_on("refusal", b".".join([genuine[0], other[1], genuine[2]]))

    assert ward.waiting() == [queued.id]


def test_a_refusal_of_what_was_already_released_is_nothing_to_do(ward: Ward) -> None:
    queued = ward.writes()
    ward.turn()
    ward.arrives(*ward.commits())

    ward.arrives_on("refusal", signed(ward, refusal(ward, queued, "contact")))
    ward.arrives_on("refusal", signed(ward, refusal(ward, queued, "malformed", id=None)))

    assert ward.client.outbox.rejected() == []


def test_a_gap_sends_everything_again(ward: Ward) -> None:
    queued = [ward.writes(str(number)) for number in range(3)]
    ward.turn()
    del ward.link.published[0]

    ward.arrives(*ward.commits())
    ward.turn()

    sent = [wire.read_parcel(payload) for payload in ward.link.published]
    assert [parcel.load().signed.entry.id for parcel in sent] == [each.id for each in queued]
    ward.arrives(*ward.commits())
    assert ward.waiting() == []


def test_an_entry_that_the_rules_refuse_is_set_apart_and_the_others_go_on(ward: Ward) -> None:
    refused = ward.client.write_message(
        structs.replace(ward.client.directory.addressee("bob"), to=ward.carol.id), "no", cty="text/plain"
    )
    ward.writes("yes")
    ward.turn()

    ward.arrives(*ward.commits())
    ward.turn()
    ward.arrives(*ward.commits())

    (rejected,) = ward.client.outbox.rejected()
    assert (rejected.id, rejected.rule) == (refused.id, "contact")
    assert [event["rule"] for event in ward.events("refused")] == ["contact"]
    assert ward.waiting() == []
    assert len(ward.events("receipted")) == 1


@pytest.mark.parametrize("rule", sorted(ABOUT_THE_AUTHOR))
def test_an_account_that_is_at_an_end_keeps_what_waits(ward: Ward, rule: Rule) -> None:
    queued = ward.writes()

    with pytest.raises(Halted, match=f"{rule}: because"):
        ward.arrives_on("refusal", signed(ward, refusal(ward, queued, rule)))

    assert ward.waiting() == [queued.id]


def test_a_revoked_account_halts(ward: Ward) -> None:
    queued = ward.writes()
    ward.turn()
    ward.world.commit(ward.world.admin.says(Revoke, account=ward.alice.id, reason="lost"))

    with pytest.raises(Halted, match="revoked"):
        ward.arrives(*ward.commits())

    assert ward.waiting() == [queued.id]


def test_a_gateway_that_disowns_its_history_is_caught(ward: Ward) -> None:
    queued = ward.writes()
    payload = signed(ward, refusal(ward, queued, "history"))

    with pytest.raises(TwoHistories, match="disowns its own history"):
        ward.arrives_on("refusal", payload)

    evidence = ward.home.book.evidence()
    assert evidence is not None
    assert evidence.shown == payload.decode()
    assert ward.waiting() == [queued.id]


# Receiving


def test_a_message_is_verified_opened_and_shown(ward: Ward) -> None:
    (index,) = ward.world.commit(ward.sealed_by_bob("take care"))

    ward.arrives_on("entry", ward.delivery(index))

    (event,) = ward.events("opened")
    assert (event["from"], event["text"], event["index"]) == ("bob", "take care", index)


def test_a_duplicate_is_shown_once(ward: Ward) -> None:
    (index,) = ward.world.commit(ward.sealed_by_bob("take care"))

    for _ in range(3):
        ward.arrives_on("entry", ward.delivery(index))

    assert len(ward.events("opened")) == 1


def test_a_message_is_not_shown_again_after_a_restart(ward: Ward) -> None:
    (index,) = ward.world.commit(ward.sealed_by_bob("take care"))
    ward.arrives_on("entry", ward.delivery(index))
    ward.restarted()

    ward.turn()
    ward.arrives_on("entry", ward.delivery(index))

    assert len(ward.events("opened")) == 1


def test_a_message_that_cannot_be_opened_does_not_stop_the_next_one(ward: Ward) -> None:
    indices = ward.world.commit(ward.bob.writes(ward.alice.id), ward.sealed_by_bob("take care"))

    ward.arrives_on("entry", ward.delivery(*indices))

    assert [event["index"] for event in ward.events("unopened")] == indices[:1]
    assert [event["index"] for event in ward.events("opened")] == indices[1:]


def test_a_hole_among_the_deliveries_is_asked_for(ward: Ward) -> None:
    first, second = (ward.world.commit(ward.sealed_by_bob(text))[0] for text in ("one", "two"))

    ward.arrives_on("entry", ward.delivery(second))
    assert ward.events("opened") == []
    ward.turn()

    assert [event["index"] for event in ward.events("opened")] == [first, second]


def test_a_new_connection_asks_for_what_was_missed(ward: Ward) -> None:
    (index,) = ward.world.commit(ward.sealed_by_bob("take care"))

    ward.agent._handle(Connected())
    ward.turn()

    assert [event["index"] for event in ward.events("opened")] == [index]


def test_an_inbox_of_many_pages_is_read_to_its_end(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("device.inbox.PAGE", 2)
    indices = [ward.world.commit(ward.sealed_by_bob(str(number)))[0] for number in range(5)]

    ward.agent._handle(Connected())
    ward.turn()

    assert [event["index"] for event in ward.events("opened")] == indices


def test_a_gateway_that_gives_the_same_page_for_ever_is_not_asked_for_ever(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    (index,) = ward.world.commit(ward.sealed_by_bob("take care"))
    page = Delivery(-1, ward.gateway.delivered(index))
    monkeypatch.setattr(ward.gateway, "inbox", lambda *_: page)

    ward.agent._handle(Connected())
    ward.turn()

    assert len(ward.events("opened")) == 1


@pytest.mark.parametrize("index", [2**53 - 1, 1_000])
def test_a_forged_delivery_does_not_hide_what_comes_after_it(
    ward: Ward, caplog: pytest.LogCaptureFixture, index: int
) -> None:
    (genuine,) = ward.world.commit(ward.sealed_by_bob("take care"))
    forged = structs.replace(ward.gateway.delivered(genuine)[0], index=index)
    caplog.clear()

    ward.arrives_on("entry", wire.encode(Delivery(-1, [forged])))
    ward.arrives_on("entry", ward.delivery(genuine))

    assert len(caplog.records) == 1
    assert [event["index"] for event in ward.events("opened")] == [genuine]


def test_a_body_that_was_altered_on_its_way_is_not_opened(ward: Ward) -> None:
    (index,) = ward.world.commit(ward.sealed_by_bob("take care"))
    (genuine,) = ward.gateway.delivered(index)
    other = ward.sealed_by_bob("take care").body
    assert other is not None

    ward.arrives_on("entry", wire.encode(Delivery(-1, [structs.replace(genuine, body=other.content)])))

    assert ward.events("opened") == []


def test_an_entry_whose_author_is_not_proven_is_told_and_does_not_stop_the_next_one(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (ward.world.commit(ward.sealed_by_bob(text))[0] for text in ("one", "two"))
    account, lies = ward.gateway.account, [True]

    def answer(_account: str) -> Any:
        return account(ward.carol.id if lies.pop() else ward.bob.id)

    lies[:] = [False, True]
    monkeypatch.setattr(ward.gateway, "account", answer)

    ward.agent._handle(Connected())
    ward.turn()

    assert [event["index"] for event in ward.events("unproven")] == [first]
    assert [event["index"] for event in ward.events("opened")] == [second]


def test_what_cannot_be_proven_now_waits_until_the_gateway_is_back(ward: Ward) -> None:
    (index,) = ward.world.commit(ward.sealed_by_bob("take care"))
    payload = ward.delivery(index)
    ward.gateway.reachable = False
    ward.arrives_on("entry", payload)
    ward.turn()
    assert ward.events("opened") == []

    ward.gateway.reachable = True
    ward.arrives_on("entry", payload)

    assert [event["index"] for event in ward.events("opened")] == [index]


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lane=st.sampled_from(["entry", "receipt", "refusal", "head"]), payload=st.binary(max_size=300))
def test_any_bytes_on_any_topic_never_end_the_agent(ward: Ward, lane: str, payload: bytes) -> None:
    ward.arrives_on(lane, payload)


TEXT = st.text(max_size=40)
COUNT = st.integers(-2, 2**60)
DELIVERED = st.fixed_dictionaries(
    {"index": COUNT, "entry": TEXT, "receipt": TEXT}, optional={"salt": TEXT, "body": TEXT}
)
PROOF = st.fixed_dictionaries({"size": COUNT, "path": st.lists(st.just(b64url(bytes(32))), max_size=3)})
NOTICES = st.one_of(
    st.fixed_dictionaries(
        {"previous": COUNT, "entries": st.lists(DELIVERED, max_size=3)}, optional={"consistency": PROOF}
    ),
    st.fixed_dictionaries(
        {"receipts": st.lists(st.fixed_dictionaries({"id": TEXT, "receipt": TEXT}), max_size=3)},
        optional={"consistency": PROOF},
    ),
)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lane=st.sampled_from(["entry", "receipt", "refusal"]), notice=NOTICES)
def test_any_well_formed_nonsense_never_ends_the_agent(ward: Ward, lane: str, notice: Any) -> None:
    ward.arrives_on(lane, msgspec.json.encode(notice))


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(damage=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=3))
def test_any_damage_to_a_genuine_delivery_never_ends_the_agent(
    ward: Ward, received: int, damage: list[tuple[int, int]]
) -> None:
    payload = bytearray(ward.delivery(received))
    for place, value in damage:
        payload[place % len(payload)] = value
    ward.agent._inbox.rewind()

    ward.arrives_on("entry", bytes(payload))

    assert all(event["text"] == "take care" for event in ward.events("opened"))


# Sensing

SENSORS = Config(
    to=("bob",),
    sensors={
        "fridge": Poll(command=("true",), every=60),
        "pulse": Poll(command=("true",), every=60, to=("bob", "carol")),
    },
)


def sampled(sample: Sample, *, seconds: float = 0) -> Sampled:
    """It comes so many seconds after the agent began."""
    now = moment()
    return Sampled(
        sample.sensor, sample, Moment(now.ms + round(1000 * seconds), now.at + round(1000 * seconds))
    )


def test_a_reading_is_sealed_for_its_addressees(ward: Ward) -> None:
    ward.restarted(SENSORS)

    ward.agent._handle(sampled(Reading(sensor="fridge", value=4.5)))
    ward.turn()

    (queued,) = ward.events("queued")
    assert queued["to"] == "bob"
    assert ward.waiting() == [queued["id"]]
    assert ward.link.published


def test_a_reading_waits_for_the_gateway_and_goes_out_when_it_is_back(ward: Ward) -> None:
    ward.restarted(SENSORS)
    ward.gateway.reachable = False
    ward.agent._handle(sampled(Reading(sensor="fridge", value=4.5)))
    ward.turn()
    assert ward.events("queued") == []

    ward.gateway.reachable = True
    ward.agent._missing.clear()
    ward.turn()

    assert len(ward.events("queued")) == 1


def test_an_addressee_that_cannot_be_found_holds_up_nobody_else(ward: Ward) -> None:
    ward.restarted(SENSORS)

    ward.agent._handle(sampled(Reading(sensor="pulse", value=60)))
    ward.agent._handle(sampled(Reading(sensor="fridge", value=4.5)))
    ward.turn()

    assert [event["to"] for event in ward.events("queued")] == ["bob", "bob"]


def test_a_fault_is_an_alert_of_its_own(ward: Ward) -> None:
    ward.restarted(SENSORS)

    ward.agent._handle(sampled(Fault(sensor="fridge", reason="timeout", detail="no end within 5 s")))
    ward.turn()

    said = wire.read_parcel(ward.link.published[0]).load().signed.entry
    assert isinstance(said, Message)
    assert said.alert is not None
    assert (said.alert.kind, said.alert.state) == ("technical", "start")


def headers(ward: Ward) -> list[tuple[str, str] | None]:
    """The clear headers of what was published, in its order."""
    return [
        None if said.alert is None else (said.alert.episode, said.alert.state)
        for payload in ward.link.published
        if isinstance(said := wire.read_parcel(payload).load().signed.entry, Message)
    ]


SENSORS_WITHOUT_FRIDGE = Config(to=("bob",), sensors={"pulse": Poll(command=("true",), every=60)})
FRIDGE = Config(to=("bob",), sensors={"fridge": Poll(command=("true",), every=60, high=8, clear_by=0.5)})


def senses(ward: Ward, *values: float) -> None:
    for value in values:
        ward.agent._handle(sampled(Reading(sensor="fridge", value=value)))
        ward.turn()


def test_an_alert_overtakes_an_outbox_full_of_readings(ward: Ward) -> None:
    for number in range(SIZE + 10):
        ward.writes(str(number))
    ward.turn()
    assert len(ward.link.published) == SIZE
    ward.restarted(FRIDGE)

    senses(ward, 9)

    published = headers(ward)
    assert published[0] is not None
    assert published[0][1] == "start"
    assert published[1:] == [None] * SIZE
    ward.arrives(*ward.commits())
    ward.turn()
    ward.arrives(*ward.commits())
    assert ward.waiting() == []


def test_an_alert_is_not_held_up_by_readings_under_way(ward: Ward) -> None:
    ward.restarted(FRIDGE)
    for number in range(SIZE + 10):
        ward.writes(str(number))
    ward.turn()
    ward.link.published.clear()

    senses(ward, 9)

    assert [header and header[1] for header in headers(ward)] == ["start"]


def test_a_lost_alert_is_sent_again_and_the_readings_are_not(ward: Ward) -> None:
    ward.restarted(FRIDGE)
    for value in (9, 5, 9):
        senses(ward, value)
    first = next(place for place, header in enumerate(headers(ward)) if header)
    del ward.link.published[first]

    ward.arrives(*ward.commits())
    ward.turn()

    assert [header and header[1] for header in headers(ward)] == ["start", "end", "start"]
    ward.arrives(*ward.commits())
    assert ward.waiting() == []


def test_an_episode_outlives_the_agent(ward: Ward) -> None:
    ward.restarted(FRIDGE)
    senses(ward, 9)
    ((name, _),) = filter(None, headers(ward))
    assert [episode.id for episode in ward.client.outbox.episodes()] == [name]

    ward.restarted(FRIDGE)
    senses(ward, 9)
    told = list(filter(None, headers(ward)))
    ward.restarted(FRIDGE)
    senses(ward, 5)

    told += filter(None, headers(ward))
    assert {episode for episode, _ in told} == {name}
    assert told[-1] == (name, "end")
    assert (name, "continue") in told
    assert ward.client.outbox.episodes() == []


def test_an_episode_of_a_sensor_that_is_gone_is_ended(ward: Ward) -> None:
    ward.restarted(FRIDGE)
    senses(ward, 9)
    ((name, _),) = filter(None, headers(ward))

    ward.restarted(SENSORS_WITHOUT_FRIDGE)
    ward.turn()

    assert (name, "end") in headers(ward)
    assert ward.client.outbox.episodes() == []


def test_who_only_reads_ends_no_episode(ward: Ward) -> None:
    ward.restarted(FRIDGE)
    senses(ward, 9)

    ward.restarted()
    ward.turn()

    assert len(ward.client.outbox.episodes()) == 1


def opened(ward: Ward) -> list[content.Content]:
    """What was published, as its author may read it."""
    found = []
    for payload in ward.link.published:
        parcel = wire.read_parcel(payload)
        signed = parcel.load().signed
        said = signed.entry
        assert isinstance(said, Message)
        text = sealing.open_sealed(
            parcel.body or "",
            keys=ward.client.identity.opening,
            signer=signed.kid,
            author=said.author,
            mid=said.id,
            commitment=unb64url_hash(said.commitment, what="commitment"),
        )
        found.append(content.read(text.cty, text.content))
    return found


def test_what_had_to_be_dropped_is_counted_and_told(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("device.agent.MAX_UNSEALED", 3)
    ward.restarted(SENSORS)
    ward.gateway.reachable = False
    senses(ward, 1, 2, 3, 4, 5)

    ward.gateway.reachable = True
    ward.agent._missing.clear()
    ward.turn()
    ward.turn()

    *readings, gap = opened(ward)
    assert [said.value for said in readings if isinstance(said, Reading)] == [3, 4, 5]
    assert isinstance(gap, Gap)
    assert (gap.sensor, gap.lost, gap.reason) == ("fridge", 2, "unsealed")


def test_readings_are_dropped_before_an_alert_is(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("device.agent.MAX_UNSEALED", 3)
    ward.restarted(Config(to=("bob",), sensors={**FRIDGE.sensors, **SENSORS_WITHOUT_FRIDGE.sensors}))
    ward.gateway.reachable = False
    senses(ward, 9)
    for value in range(5):
        ward.agent._handle(sampled(Reading(sensor="pulse", value=value)))

    ward.gateway.reachable = True
    ward.agent._missing.clear()
    ward.turn()

    assert [header and header[1] for header in headers(ward)] == ["start", None, None]


def test_samples_that_come_too_fast_are_counted_and_told(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("device.agent.MAX_WAITING", 2)
    ward.restarted(SENSORS)
    intake = Intake("fridge", ward.agent._events)
    for value in range(5):
        intake(Reading(sensor="fridge", value=value))
    ward.turn()

    intake(Reading(sensor="fridge", value=9))
    ward.turn()
    ward.turn()

    *readings, gap = opened(ward)
    assert [said.value for said in readings if isinstance(said, Reading)] == [0, 1, 9]
    assert isinstance(gap, Gap)
    assert (gap.lost, gap.reason) == (3, "busy")


def test_the_heartbeat_says_that_nothing_was_recorded_while_it_was_away(ward: Ward) -> None:
    ward.restarted(SENSORS)
    senses(ward, 4.5)
    ward.link.published.clear()
    away = ward.client.outbox.counter("recorded") - 3_600_000
    ward.client.outbox.set_counter("recorded", away)

    ward.restarted(SENSORS)
    ward.turn()
    ward.turn()

    beats = [said for said in opened(ward) if isinstance(said, Heartbeat)]
    assert [(beat.from_, beat.sensors) for beat in beats] == [(away, {"fridge": 0, "pulse": 0})]
    assert ward.client.outbox.counter("recorded") == beats[0].to


def test_the_heartbeat_says_how_much_was_recorded(ward: Ward) -> None:
    ward.restarted(structs.replace(SENSORS, heartbeat=0.001))
    senses(ward, 1, 2, 3)
    ward.turn()
    ward.turn()

    beats = [said for said in opened(ward) if isinstance(said, Heartbeat)]
    assert sum(beat.sensors["fridge"] for beat in beats) == 3
    assert all(before.to == after.from_ for before, after in pairwise(beats))


# Running


def test_it_works_until_what_it_was_to_do_is_done(ward: Ward) -> None:
    ward.writes()
    published = threading.Event()

    def commit() -> bool:
        """Between two turns, the committer works."""
        if ward.link.published:
            published.set()
            ward.arrives(*ward.commits())
        return not ward.waiting()

    ward.agent.run(threading.Event(), until=commit)

    assert published.is_set()
    assert ward.waiting() == []


def test_a_command_that_waits_does_not_hold_up_the_end(ward: Ward) -> None:
    ward.client.write("command", Revoke, account=ward.bob.id, reason="left")
    stop = threading.Event()
    stop.set()

    ward.agent.run(stop)

    assert ward.client.outbox.waiting() == 1


def test_what_cannot_be_sent_does_not_hold_up_the_end(ward: Ward) -> None:
    ward.writes()
    ward.link.is_up = False
    stop = threading.Event()
    stop.set()

    ward.agent.run(stop)

    assert len(ward.waiting()) == 1


# Commands, and the link itself


def test_a_gateway_that_disowns_its_history_over_rest_is_caught_too(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    def disown(_parcel: Any) -> Any:
        raise Problem(409, "this chain never had that root", rule="history", refusal="a.signed.word")

    monkeypatch.setattr(ward.gateway, "submit", disown)

    with pytest.raises(TwoHistories, match="disowns its own history"):
        ward.client.say(Contact, action="request", peer=ward.carol.id)

    evidence = ward.home.book.evidence()
    assert evidence is not None
    assert evidence.shown == "a.signed.word"
    assert ward.client.outbox.waiting() == 1


def test_a_command_that_was_refused_later_does_not_hold_up_the_next_one(ward: Ward) -> None:
    ward.client.write("command", Contact, action="accept", peer=ward.carol.id)

    index = ward.client.say(Contact, action="request", peer=ward.carol.id)

    assert index == ward.world.chain.head.size - 1
    assert [rejected.rule for rejected in ward.client.outbox.rejected()] == ["contact"]


def test_a_command_that_is_refused_is_kept_apart_and_raised(ward: Ward) -> None:
    with pytest.raises(Refused, match="no request of that account to accept"):
        ward.client.say(Contact, action="accept", peer=ward.carol.id)

    assert ward.client.outbox.waiting() == 0


ADMITTED = b"\x20\x02\x00\x00"
"""A CONNACK."""


@pytest.mark.parametrize(
    "nonsense",
    [b"\xff" * 64, ADMITTED + b"\x30\x01\x00", ADMITTED + b"\x30\x05\x00\x02\xff\xff!"],
    ids=["no packet", "half a topic", "a topic that is no text"],
)
def test_a_broker_that_talks_nonsense_does_not_end_the_link(nonsense: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        link = Link(
            "127.0.0.1",
            server.getsockname()[1],
            account="a" * 26,
            password=lambda: "token",
            on_message=lambda _topic, _payload: None,
            on_up=lambda: None,
        )
        link.start()
        for _ in range(2):
            connection, _ = server.accept()
            with connection, suppress(ConnectionResetError):
                connection.recv(1024)
                connection.sendall(nonsense)
                while connection.recv(1024):
                    pass  # until the link closes it
        link.stop()
