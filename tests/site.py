"""
A ward with its REST application over a real chain: an admin, people, a device, a group, and links between them.

The relay appends to the chain in this process, where the real one asks the committer over MQTT.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from chain import body, entry, token, wire
from chain.body import Card, Login
from chain.encoding import b64url, digest
from chain.entry import Profile
from chain.errors import Malformed, Refused, Unverified
from chain.wire import ReceiptOf, Refusal, Submission
from gateway.joins import Joins
from gateway.presence import Presence
from gateway.pulse import Meter, Pulses
from gateway.relay import Answer, Heads, SignedRefusal
from gateway.rest.app import create_app
from gateway.rest.snapshot import Chains
from gateway.sessions import HOUR_MS, Sessions
from gateway.site import Settings
from tests.world import START, Actor, World

if TYPE_CHECKING:
    from gateway.rest.certificates import Lan

IDLE_MS = 12 * HOUR_MS
AHEAD = 86_400_000
"""The web server's clock runs ahead of the world's: what the world writes later is never in its future."""


class Clock:
    def __init__(self) -> None:
        self.now = START + AHEAD

    def __call__(self) -> int:
        return self.now


class ChainRelay:
    """A `Relay` that is its own committer."""

    def __init__(self, world: World) -> None:
        self.heads = Heads()
        self.presence = Presence(world.chain.state.is_live)
        self.pulses = Pulses()
        self.pulses.hear(Meter().pulse())
        self.handed_in = 0
        self._world = world
        self._lock = threading.Lock()

    def submit(self, parcel: bytes, entry_id: str) -> Answer:
        with self._lock:
            self.handed_in += 1
            try:
                (outcome,) = self._world.append(wire.read_parcel(parcel).load())
            except (Malformed, Unverified) as error:
                outcome = Refused("malformed", str(error))
            if isinstance(outcome, Refused):
                return self._refusal(parcel, outcome)
            self.heads.announce(self._world.chain.head.size)
            (receipt,) = self._world.chain.receipts([outcome.index])
            return ReceiptOf(entry_id, receipt.to_text())

    def _refusal(self, parcel: bytes, refused: Refused) -> SignedRefusal:
        says = Refusal(
            chain=self._world.origin,
            rule=refused.rule,
            reason=refused.reason,
            digest=b64url(digest(parcel)),
            at=self._world.now,
        )
        keys = self._world.gateway.keys
        return SignedRefusal(wire.sign_refusal(says, kid=keys.kid, signer=keys.sign).decode(), says)


class Site:
    """`alice` and `bob` are contacts and on call; `fridge` is linked to that group; `carol` knows nobody."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder)
        self.clock = Clock()
        self.relay = ChainRelay(self.world)
        self.folder = folder
        self.static = folder / "static"
        self.chains = Chains(self.world.path)
        self.sessions = self.open_sessions()
        self.joins = Joins.open(folder / "joins.db", clock=self.clock)
        self.lan: Lan | None = None
        self.app = self.build()
        self.admin = self.world.admin
        self.alice, self.bob, self.carol = (self.world.join(name) for name in ("alice", "bob", "carol"))
        self.fridge = self.world.device("fridge-2")
        self.on_call = self.world.group(self.alice, self.bob)
        self.world.link(self.fridge, self.on_call)
        self.commit(self.alice.contact("request", self.bob.id), self.bob.contact("accept", self.alice.id))
        for actor in (self.admin, self.alice, self.bob, self.carol):
            self.commit(self.profile(actor))

    def open_sessions(self) -> Sessions:
        return Sessions.open(self.folder / "sessions.db", clock=self.clock, idle_ms=IDLE_MS)

    def build(self) -> Flask:
        """The application anew, as after a restart of the web server."""
        return create_app(
            chains=self.chains,
            sessions=self.sessions,
            joins=self.joins,
            relay=self.relay,
            settings=Settings(),
            pin=self.world.gateway.id,
            static=self.static,
            refused=self.folder / "refusals.db",
            version="0",
            clock=self.clock,
            lan=self.lan,
        )

    # What happens on the chain

    def commit(self, *submissions: Submission) -> list[int]:
        indices = self.world.commit(*submissions)
        self.relay.heads.announce(self.world.chain.head.size)
        return indices

    def profile(self, actor: Actor, password: str = "", recovery: str | None = None) -> Submission:
        """With a password, and maybe a recovery code: `key_of` makes of either what a browser shows."""
        login = Login(
            salt=entry.new_stream(self.world.source),
            verifier=b64url(digest(key_of(actor, password))),
            recovery=None if recovery is None else b64url(digest(key_of(actor, recovery))),
        )
        card = Card(actor.name, actor.name.title(), login)
        return actor.says(Profile, beside=body.document(card, self.world.source))

    def write(self, author: Actor, to: str, content: str = '{"sealed":true}') -> int:
        (index,) = self.commit(author.writes(to, content))
        return index

    # Who asks

    def token(self, actor: Actor, *, skew: float = 0, service: str = token.REST) -> str:
        return token.make(
            actor.id,
            audience=token.audience(self.world.origin, service),
            now=self.clock() / 1000 + skew,
            kid=actor.keys.kid,
            signer=actor.keys.sign,
        )

    def bearer(self, actor: Actor) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token(actor)}"}

    def get(self, actor: Actor, path: str, **extra: Any) -> TestResponse:
        return self.app.test_client().get(path, headers=self.bearer(actor), **extra)

    def post(self, actor: Actor, path: str, document: Any) -> TestResponse:
        return self.app.test_client().post(path, headers=self.bearer(actor), json=document)

    def submit(self, actor: Actor, submission: Submission) -> TestResponse:
        return self.post(actor, "/v1/entries", parcel_of(submission))

    def browser(self, actor: Actor | None = None) -> FlaskClient:
        """A browser of its own; logged in, if an actor is named."""
        browser = self.app.test_client()
        if actor is not None:
            response = log_in(browser, actor)
            assert response.status_code == 200, response.text
        return browser


@contextmanager
def a_site(folder: Path) -> Iterator[Site]:
    site = Site(folder)
    try:
        yield site
    finally:
        site.chains.close()
        site.sessions.close()
        site.joins.close()
        site.world.close()


def key_of(actor: Actor, password: str = "") -> bytes:
    """What a browser derives from the password, or from the recovery code."""
    return sha256(f"{actor.name} {password}".encode()).digest()


def log_in(browser: FlaskClient, actor: Actor, password: str = "") -> TestResponse:
    return browser.post("/login", json={"handle": actor.name, "key": b64url(key_of(actor, password))})


def parcel_of(submission: Submission) -> dict[str, Any]:
    parcel = wire.parcel(submission.signed.leaf, submission.body)
    made = {"entry": parcel.entry, "salt": parcel.salt, "body": parcel.body}
    return {name: value for name, value in made.items() if value is not None}
