"""Who may change a device's limits, by what the chain proves of them; against a real chain, without a network."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from chain.encoding import unb64url_hash
from device import sealing
from device.changes import POSITION, Changes
from device.client import Client, Read
from device.config import Config, Poll
from device.content import LIMITS, TEXT
from device.errors import Problem, Unreachable
from tests.homes import NearGateway, enrol, settle
from tests.world import Actor, World

if TYPE_CHECKING:
    from chain.entry import Message

NOT_YOURS = "there is no sensor 'fridge' here whose limits you may change"
HIGHER = '{"sensor":"fridge","set":{"high":9}}'


class Ward:
    """`alice` is a fridge, linked to a group of `bob` and the device `carol`; `dave` is a contact of hers."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        (folder / "world").mkdir()
        self.world = World(folder / "world")
        self.alice = enrol(self.world, "alice", kind="device")
        self.bob, self.dave = enrol(self.world, "bob"), enrol(self.world, "dave")
        self.carol = enrol(self.world, "carol", kind="device")
        self.group = self.world.group(self.bob, self.carol)
        self.world.link(self.alice, self.group)
        self.world.link(self.alice, self.dave.id)
        self.gateway = NearGateway(self.world, self.alice.id)
        patch.setattr("device.client.Gateway", lambda *_, **__: self.gateway)
        self.client = Client(settle(self.world, "alice", folder / "alice"))
        self.adopted: list[str] = []
        self.changes = self.of()

    def close(self) -> None:
        self.client.close()
        self.world.close()

    def of(self, *, to: str | None = None, limits_from: tuple[str, ...] | None = None) -> Changes:
        config = Config(
            to=(to or self.group,),
            sensors={"fridge": Poll(command=("true",), every=60, high=8)},
            limits_from=limits_from,
        )
        self.changes = Changes(
            self.client, config, adopt=lambda name, _: self.adopted.append(name), show=lambda _: None
        )
        return self.changes

    def asks(self, by: Actor, text: str = HIGHER, *, to: str | None = None, cty: str = LIMITS) -> None:
        (index,) = self.world.commit(by.writes(to or self.alice.id))
        (delivered,) = self.gateway.delivered(index)
        signed = self.client.committed(delivered)
        self.changes.heed(Read(index, cast("Message", signed.entry), by.id, by.name, cty, text))

    def answers(self) -> list[dict[str, Any]]:
        """What waits in the outbox, opened."""
        said = []
        for queued in self.client.outbox.pending("message", 100):
            submission = queued.parcel.load()
            entry = cast("Message", submission.signed.entry)
            opened = sealing.open_sealed(
                queued.parcel.body or "",
                keys=self.client.identity.opening,
                signer=submission.signed.kid,
                author=entry.author,
                mid=entry.id,
                commitment=unb64url_hash(entry.commitment, what="commitment"),
            )
            said.append({"to": entry.to, **json.loads(opened.content)})
        return said

    @property
    def high(self) -> float | None:
        return self.changes.config.sensors["fridge"].high


@pytest.fixture
def ward(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ward]:
    ward = Ward(tmp_path, monkeypatch)
    yield ward
    ward.close()


def refusals(ward: Ward) -> list[tuple[str, str | None]]:
    return [(answer["to"], answer.get("refused")) for answer in ward.answers()]


def test_a_member_of_the_group_that_is_alerted_may(ward: Ward) -> None:
    ward.asks(ward.bob)

    assert (ward.high, ward.adopted) == (9, ["fridge"])
    assert refusals(ward) == [(ward.bob.id, None)]


def test_a_device_may_not_whatever_group_it_is_in(ward: Ward) -> None:
    ward.asks(ward.carol)

    assert (ward.high, ward.adopted) == (8, [])
    assert refusals(ward) == [(ward.carol.id, "limits are changed by persons only")]


def test_a_contact_that_is_not_alerted_may_not_and_is_told_nothing(ward: Ward) -> None:
    ward.asks(ward.dave)

    assert ward.high == 8
    assert ward.answers() == [{"to": ward.dave.id, "sensors": [], "refused": NOT_YOURS}]


def test_those_that_the_settings_name_may_and_nobody_else(ward: Ward) -> None:
    ward.of(limits_from=("dave", "nobody-at-all"))

    ward.asks(ward.bob)
    assert ward.high == 8
    ward.asks(ward.dave)

    assert ward.high == 9
    assert refusals(ward) == [(ward.bob.id, NOT_YOURS), (ward.dave.id, None)]


def test_a_member_who_left_may_not(ward: Ward) -> None:
    ward.world.link(ward.alice, ward.bob.id)
    ward.world.commit(ward.world.admin.groups(ward.group, ward.carol.id))

    ward.asks(ward.bob)

    assert refusals(ward) == [(ward.bob.id, NOT_YOURS)]


def test_keys_that_an_admin_gave_somebody_change_nothing_until_they_are_trusted(ward: Ward) -> None:
    ward.client.directory.addressee(ward.group)
    keys = ward.bob.fresh_keys()
    ward.world.commit(ward.world.admin.gives_keys(keys, to=ward.bob.id))
    ward.bob.keys = keys

    ward.asks(ward.bob)
    ((_, refused),) = refusals(ward)
    assert (ward.high, refused) == (
        8,
        "your keys are new, and somebody has to confirm them at this device first",
    )

    ward.client.directory.take(ward.bob.id)
    ward.asks(ward.bob)
    assert ward.high == 9


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("high = 9", "limits: "),
        ('{"sensor":"fridge","set":{}}', "limits: want at least one of"),
        ('{"sensor":"door","set":{"high":9}}', "there is no sensor 'door' here"),
        ('{"sensor":"fridge","set":{"low":9}}', "fridge: low: want less than high, which is 8, got 9"),
    ],
)
def test_what_cannot_be_done_is_answered_with_the_reason(ward: Ward, text: str, reason: str) -> None:
    ward.asks(ward.bob, text)

    ((_, refused),) = refusals(ward)
    assert (refused or "").startswith(reason)
    assert ward.client.outbox.counter(POSITION) > 0


def test_a_message_that_asks_for_nothing_is_not_answered(ward: Ward) -> None:
    ward.asks(ward.bob, cty=TEXT)
    ward.asks(ward.bob, to=ward.group)

    assert (ward.high, ward.answers()) == (8, [])


def test_while_the_gateway_is_away_nothing_is_decided(ward: Ward) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ward.gateway, "account", fails(Unreachable("nobody there")))
        with pytest.raises(Unreachable):
            ward.asks(ward.bob)
    assert (ward.high, ward.answers(), ward.client.outbox.counter(POSITION)) == (8, [], 0)

    ward.asks(ward.bob)
    assert ward.high == 9


def fails(error: Exception) -> Callable[[str], Any]:
    def account(_account: str) -> Any:
        raise error

    return account


@pytest.mark.parametrize("status", [429, 503])
def test_while_the_gateway_is_too_busy_to_say_nothing_is_decided(
    ward: Ward, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr(ward.gateway, "account", fails(Problem(status, "later")))

    with pytest.raises(Problem):
        ward.asks(ward.bob)
    assert (ward.high, ward.answers()) == (8, [])


def test_whom_the_gateway_does_not_know_changes_nothing_and_holds_up_nobody(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ward.gateway, "account", fails(Problem(404, "no such account")))

    ward.asks(ward.bob)

    assert (ward.high, ward.answers()) == (8, [])


def test_an_answer_that_says_it_all_is_not_said_twice(ward: Ward) -> None:
    ward.of(to="dave")
    assert ward.changes.untold() == ["dave"]

    ward.asks(ward.dave)

    assert ward.changes.untold() == []


def test_whoever_comes_to_the_group_is_told_as_well(ward: Ward) -> None:
    def tells() -> None:
        for name in ward.changes.untold():
            to = ward.client.directory.addressee(name)
            report = ward.changes.report(name)
            ward.client.write_message(to, report.content, cty=report.cty, note=report.note)

    tells()
    assert ward.changes.untold() == []
    ward.world.commit(ward.world.admin.groups(ward.group, ward.bob.id, ward.carol.id, ward.dave.id))
    ward.client.directory.addressee(ward.group)

    assert ward.changes.untold() == [ward.group]
    tells()
    assert ward.changes.untold() == []
