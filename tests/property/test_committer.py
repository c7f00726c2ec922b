"""Must hold: any bytes at all on any topic are answered or ignored, and never end the committer."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chain import wire
from chain.audit import audit
from chain.encoding import b64url, canonical
from chain.wire import Submission
from gateway.arrivals import Incoming
from gateway.committer import Committer
from gateway.site import Key
from tests.world import Actor, World


class Ward:
    def __init__(self, folder: Path) -> None:
        self.world = World(folder)
        self.alice, self.bob = self.world.join("alice"), self.world.join("bob")
        self.world.link(self.alice, self.bob.id)
        self.committer = Committer(self.world.chain, Key(self.world.gateway.keys._secret))

    def takes(self, *batch: Incoming) -> None:
        """Every message is answered, or is on no topic of an account."""
        answers = self.committer.commit(batch, self.world.now)
        self.world._tell()
        for answer in answers:
            if answer.topic.endswith("/refusal"):
                key = self.world.gateway.keys.public
                wire.read_refusal(answer.payload, key=key, origin=self.world.origin)


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ward]:
    ward = Ward(tmp_path_factory.mktemp("ward"))
    yield ward
    # Whatever got in by chance is as good as everything else.
    ward.world.chain.close()
    audit(ward.world.path)


QUICK = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
ACCOUNT = st.from_regex(r"\A[a-z2-7]{26}\Z")
TOPICS = st.one_of(
    st.text(max_size=80),
    ACCOUNT.map(lambda account: wire.up_topic(account, "entry")),
    ACCOUNT.map(lambda account: wire.down_topic(account, "entry")),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@QUICK
@given(topic=TOPICS, payload=st.binary(max_size=400))
def test_any_bytes_on_any_topic(ward: Ward, topic: str, payload: bytes) -> None:
    ward.takes(Incoming(topic, payload, 1, 1))


@QUICK
@given(payload=JSON.map(msgspec.json.encode))
def test_any_json_on_an_accounts_own_topic(ward: Ward, payload: bytes) -> None:
    ward.takes(own(ward.alice, payload))


@QUICK
@given(entry=st.text(max_size=300), salt=st.text(max_size=50), body=st.text(max_size=300))
def test_any_text_where_a_parcel_has_its_parts(ward: Ward, entry: str, salt: str, body: str) -> None:
    ward.takes(own(ward.alice, msgspec.json.encode({"entry": entry, "salt": salt, "body": body})))


@QUICK
@given(payload=JSON.map(msgspec.json.encode))
def test_any_json_where_an_entry_has_its_payload(ward: Ward, payload: bytes) -> None:
    header = canonical({"kid": ward.alice.keys.kid, "typ": "blockpost-entry"})
    signed = f"{b64url(header)}.{b64url(payload)}"
    leaf = f"{signed}.{b64url(ward.alice.keys.sign(signed.encode()))}"

    ward.takes(own(ward.alice, wire.encode(wire.Parcel(leaf))))


FIELDS = ("v", "chain", "id", "author", "stream", "seq", "at", "clock", "seen", "type", "to", "commitment")


@QUICK
@given(field=st.sampled_from(FIELDS), value=JSON)
def test_any_json_in_one_field_of_a_genuine_entry(ward: Ward, field: str, value: Any) -> None:
    said = msgspec.json.decode(ward.alice.writes(ward.bob.id).signed.signed.payload)
    payload = msgspec.json.encode({**said, field: value}, order="sorted")
    header = canonical({"kid": ward.alice.keys.kid, "typ": "blockpost-entry"})
    signed = f"{b64url(header)}.{b64url(payload)}"
    leaf = f"{signed}.{b64url(ward.alice.keys.sign(signed.encode()))}"

    ward.takes(own(ward.alice, wire.encode(wire.Parcel(leaf))))


@QUICK
@given(data=st.data())
def test_any_damage_to_a_genuine_parcel(ward: Ward, data: st.DataObject) -> None:
    payload = bytearray(payload_of(ward.alice.writes(ward.bob.id)))
    for _ in range(data.draw(st.integers(1, 4))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))

    ward.takes(own(ward.alice, bytes(payload)))


@QUICK
@given(text=st.text(max_size=200))
def test_any_text_in_the_body_of_an_admins_group(ward: Ward, text: str) -> None:
    admin, world = ward.world.admin, ward.world
    named = admin.groups(world.new_group(), ward.alice.id, name=text)

    ward.takes(own(admin, payload_of(named)))


def own(actor: Actor, payload: bytes) -> Incoming:
    return Incoming(wire.up_topic(actor.id, "entry"), payload, 1, 1)


def payload_of(submission: Submission) -> bytes:
    return wire.encode(wire.parcel(submission.signed.leaf, submission.body))
