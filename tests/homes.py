"""
Devices at home in a `World`: real key files, and a gateway that answers from the world's chain without a network.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

from chain import durable
from chain.api import AlertHeader, Intent, IntentAnswer, Party
from chain.errors import Refused
from chain.identity import account_id
from chain.wire import Delivered, Delivery, Parcel
from device.addressbook import Membership
from device.client import Home
from device.errors import Problem, Unreachable
from device.identity import KeySet
from device.keys import SigningSecret
from device.rest import Receipted
from gateway.rest.desk import Caller, Credential
from gateway.rest.intents import answered
from gateway.rest.snapshot import Snapshot
from tests.vectors.people import person
from tests.world import Actor, Keys, World


class PersonKeys(Keys):
    """The keys of one of the published test accounts: these can open what is sealed for them."""

    def __init__(self, name: str) -> None:
        secret = person(name)
        self.sign = lambda data: secret.signing.sign(bytes(data))
        self.public = secret.signing.public
        self.seal = secret.sealing.public


def enrol(world: World, name: str, *, kind: str = "person") -> Actor:
    """One of the test accounts joins the world under its name."""
    actor, code = world.stranger(name), world.code()
    actor.keys = PersonKeys(name)
    actor.id = account_id(actor.keys.public)
    invite = world.admin.invites(code, handle=name, kind=kind)
    world.commit(invite)
    world.commit(actor.joins(invite, code, kind=kind))
    world.commit(actor.introduces(name))
    return actor


def membership(world: World, account: str) -> Membership:
    return Membership(
        origin=world.origin,
        gateway_key=world.gateway.keys.public,
        http_host="127.0.0.1",
        http_port=1,
        mqtt_host="127.0.0.1",
        mqtt_port=1,
        pin=world.gateway.id,
        account=account,
        handle="me",
        kind="person",
        role="member",
        joined=True,
    )


def settle(world: World, name: str, folder: Path) -> Home:
    """The home of an enrolled test account."""
    keep_keys(folder, person(name))
    home = Home(folder)
    home.book.set_membership(membership(world, person(name).account_id))
    return home


def keep_keys(folder: Path, keys: KeySet) -> None:
    """Put keys where joining finds them."""
    folder.mkdir(mode=0o700)
    durable.create(folder / "keys-0001.json", keys.to_json())


def new_keys() -> KeySet:
    """Keys of a new account that can open: with the RSA key of a test account, for to make one takes seconds."""
    signing = SigningSecret.make()
    return KeySet(account_id(signing.public), signing, person("alice").sealing)


class NearGateway:
    """What `device.rest.Gateway` is over HTTP, for one account; a test may make it lie, or go away."""

    def __init__(self, world: World, account: str) -> None:
        self.world = world
        self.reachable = True
        self.asked: list[str] = []
        self._account = account

    def _now(self, question: str) -> Snapshot:
        self.asked.append(question)
        if not self.reachable:
            raise Unreachable("nobody there")
        return Snapshot(self.world.chain)

    def checkpoint(self) -> str:
        return self._now("checkpoint").note

    def consistency(self, old: int, new: int) -> Sequence[bytes]:
        return self._now("consistency").chain.consistency(old, new)

    def account(self, account: str) -> Party:
        now = self._now("account")
        row = now.state.account(account)
        if row is None:
            raise Problem(404, "no such account")
        return now.party(row)

    def intent(self, to: str, alert: AlertHeader | None = None, re: str | None = None) -> IntentAnswer:
        now = self._now("intent")
        row = now.state.account(self._account)
        assert row is not None
        me = Caller(row, now, cast("Credential", None))
        try:
            return answered(me, Intent(to, alert, re), self.world.now)
        except Refused as refusal:
            raise Problem(403, refusal.reason, rule=refusal.rule) from refusal

    def inbox(self, after: int, limit: int = 100) -> Delivery:
        now = self._now("inbox")
        return Delivery(after, now.delivered(now.state.received(self._account, after, limit)))

    def submit(self, parcel: Parcel) -> Receipted:
        self._now("submit")
        (outcome,) = self.world.append(parcel.load())
        if isinstance(outcome, Refused):
            raise Problem(403, outcome.reason, rule=outcome.rule)
        (receipt,) = self.world.chain.receipts([outcome.index])
        return Receipted(parcel.load().signed.entry.id, receipt.to_text())

    def token(self, _service: str) -> str:
        return "token"

    def delivered(self, *indices: int) -> list[Delivered]:
        """Entries of the chain, with their receipts."""
        return Snapshot(self.world.chain).delivered(indices)
