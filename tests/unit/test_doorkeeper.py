"""Whom the embedded broker lets in: live accounts of the chain, by tokens of their own current key."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from chain import token
from gateway.broker.door import NotAdmitted
from gateway.doorkeeper import Doorkeeper
from tests.world import START, Actor, World

NOW = START / 1000


class Blind:
    """Stands for a chain on a disk that fails."""

    def __getattr__(self, name: str) -> object:
        raise sqlite3.OperationalError("disk I/O error")


class Door:
    def __init__(self, folder: Path) -> None:
        self.world = World(folder)
        self.alice, self.bob = self.world.join("alice"), self.world.join("bob")
        self.doorkeeper = Doorkeeper(self.world.chain, lambda: NOW)

    def token(
        self,
        actor: Actor,
        *,
        of: str | None = None,
        origin: str | None = None,
        service: str = token.MQTT,
        age: float = 0,
    ) -> str:
        return token.make(
            of or actor.id,
            audience=token.audience(origin or self.world.origin, service),
            now=NOW - age,
            kid=actor.keys.kid,
            signer=actor.keys.sign,
        )

    def admit(self, actor: Actor, password: str, *, client_id: str | None = None) -> None:
        self.doorkeeper.admit(client_id or actor.id, actor.id, password)


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    door = Door(tmp_path_factory.mktemp("door"))
    yield door
    door.world.close()


def test_a_live_account_comes_in_with_its_own_token(door: Door) -> None:
    door.admit(door.alice, door.token(door.alice))


@pytest.mark.parametrize("name", ["gateway", "gateway.web"])
def test_the_gateway_comes_in_as_committer_and_as_web_server(door: Door, name: str) -> None:
    gateway = door.world.gateway

    door.admit(gateway, door.token(gateway), client_id=name.replace("gateway", gateway.id))


@pytest.mark.parametrize("theirs", ["alice", "gateway"])
def test_nobody_else_is_a_web_server(door: Door, theirs: str) -> None:
    owner = door.alice if theirs == "alice" else door.world.gateway

    with pytest.raises(NotAdmitted, match="client id"):
        door.admit(door.alice, door.token(door.alice), client_id=f"{owner.id}.web")


def test_nobody_takes_anothers_client_id(door: Door) -> None:
    with pytest.raises(NotAdmitted, match="client id"):
        door.admit(door.alice, door.token(door.alice), client_id=door.bob.id)


@pytest.mark.parametrize("password", ["", "secret", "a.b.c", "\N{SNOWMAN}"])
def test_what_is_no_token_opens_nothing(door: Door, password: str) -> None:
    with pytest.raises(NotAdmitted, match="want a token"):
        door.admit(door.alice, password)


def test_an_expired_token_opens_nothing(door: Door) -> None:
    with pytest.raises(NotAdmitted, match="expired"):
        door.admit(door.alice, door.token(door.alice, age=token.LIFETIME + token.LEEWAY + 1))


def test_a_token_of_the_future_opens_nothing(door: Door) -> None:
    with pytest.raises(NotAdmitted, match="not yet valid"):
        door.admit(door.alice, door.token(door.alice, age=-token.LEEWAY - 1))


def test_a_token_for_rest_opens_nothing_here(door: Door) -> None:
    with pytest.raises(NotAdmitted, match="audience"):
        door.admit(door.alice, door.token(door.alice, service=token.REST))


def test_a_token_for_another_chain_opens_nothing(door: Door) -> None:
    with pytest.raises(NotAdmitted, match="audience"):
        door.admit(door.alice, door.token(door.alice, origin="ward8.example/abc"))


def test_another_accounts_token_opens_nothing(door: Door) -> None:
    with pytest.raises(NotAdmitted, match="another account's"):
        door.admit(door.alice, door.token(door.bob))


def test_a_token_that_another_account_signed_opens_nothing(door: Door) -> None:
    with pytest.raises(NotAdmitted, match="another account's"):
        door.admit(door.alice, door.token(door.bob, of=door.alice.id))


def test_a_token_in_the_name_of_a_key_that_did_not_sign_it_opens_nothing(door: Door) -> None:
    forged = token.make(
        door.alice.id,
        audience=token.audience(door.world.origin, token.MQTT),
        now=NOW,
        kid=door.alice.keys.kid,
        signer=door.bob.keys.sign,
    )

    with pytest.raises(NotAdmitted, match="signature does not hold"):
        door.admit(door.alice, forged)


def test_a_stranger_stays_outside(door: Door) -> None:
    stranger = door.world.stranger("stranger")

    with pytest.raises(NotAdmitted, match="no such live account"):
        door.admit(stranger, door.token(stranger))


def test_a_revoked_account_stays_outside(door: Door) -> None:
    leaver = door.world.join("leaver")
    door.world.commit(door.world.admin.revokes(leaver.id))

    with pytest.raises(NotAdmitted, match="no such live account"):
        door.admit(leaver, door.token(leaver))


def test_a_revoked_key_opens_nothing(door: Door) -> None:
    loser = door.world.join("loser")
    door.world.commit(door.world.admin.revokes(loser.id, key=loser.keys.kid))

    with pytest.raises(NotAdmitted, match="key in force"):
        door.admit(loser, door.token(loser))


def test_after_a_rotation_only_the_new_key_opens(door: Door) -> None:
    rotator = door.world.join("rotator")
    before, keys = door.token(rotator), rotator.fresh_keys()
    door.world.commit(rotator.gives_keys(keys))
    rotator.keys = keys

    door.admit(rotator, door.token(rotator))
    with pytest.raises(NotAdmitted, match="not current"):
        door.admit(rotator, before)


# Who may stay


def test_whom_an_admin_revokes_is_expelled_and_nobody_else(tmp_path: Path) -> None:
    door = Door(tmp_path)
    connected = {door.alice.id, door.bob.id}
    assert door.doorkeeper.expelled(connected) == set()

    door.world.commit(door.world.admin.revokes(door.alice.id))

    assert door.doorkeeper.expelled(connected) == {door.alice.id}
    door.world.close()


def test_who_came_in_just_before_the_revocation_was_seen_is_expelled_too(tmp_path: Path) -> None:
    door = Door(tmp_path)
    door.world.commit(door.world.admin.revokes(door.alice.id))
    assert door.doorkeeper.expelled({door.bob.id}) == set()

    assert door.doorkeeper.expelled({door.alice.id, door.bob.id}) == {door.alice.id}
    door.world.close()


def test_whose_key_was_revoked_is_expelled(tmp_path: Path) -> None:
    door = Door(tmp_path)
    door.world.commit(door.world.admin.revokes(door.alice.id, key=door.alice.keys.kid))

    assert door.doorkeeper.expelled({door.alice.id}) == {door.alice.id}
    door.world.close()


def test_nobody_comes_in_while_the_chain_cannot_be_read(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = door.token(door.alice)
    monkeypatch.setattr(door.world.chain, "state", Blind())

    with pytest.raises(NotAdmitted, match="the chain cannot be read now"):
        door.admit(door.alice, shown)


def test_while_the_chain_cannot_be_read_that_is_said_once_and_whoever_is_revoked_goes_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    door = Door(tmp_path)
    here = {door.alice.id, door.bob.id}
    assert door.doorkeeper.expelled(here) == set()
    door.world.commit(door.world.admin.revokes(door.bob.id))

    with monkeypatch.context() as failing:
        failing.setattr(door.world.chain, "store", Blind())
        assert [door.doorkeeper.expelled(here) for _ in range(3)] == [set()] * 3

    assert caplog.messages == ["nobody can be expelled reason=disk I/O error"]
    assert door.doorkeeper.expelled(here) == {door.bob.id}
    door.world.close()
