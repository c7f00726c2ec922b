"""Somebody who writes entries for an outbox, also in a process of its own that is killed."""

import random
import secrets
from multiprocessing.connection import Connection
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from chain import entry
from chain.author import Author
from chain.encoding import b64url
from chain.entry import Status
from chain.identity import SigningKey, account_id
from chain.wire import Parcel
from device.outbox import Outbox
from tests.world import NOTHING, ORIGIN, START


class Scribe:
    """Signs an entry for any number; an outbox does not look into them."""

    def __init__(self) -> None:
        self._secret = Ed25519PrivateKey.generate()
        self._public = SigningKey(b64url(self._secret.public_key().public_bytes_raw()))
        self.streams: list[str] = []
        self.parcels: list[Parcel] = []

    def write(self, stream: str, seq: int) -> Parcel:
        author = Author(
            origin=ORIGIN,
            account=account_id(self._public),
            stream=stream,
            kid=self._public.thumbprint,
            sign=self._secret.sign,
        )
        about = entry.new_id(START, secrets.token_bytes)
        parcel = author.parcel(Status, seq=seq, at=START, seen=NOTHING, about=about, state="seen")
        self.streams.append(stream)
        self.parcels.append(parcel)
        return parcel


def queue_some(path: Path, count: int) -> None:
    outbox, scribe = Outbox(path), Scribe()
    for _ in range(count):
        outbox.queue("message", scribe.write)
    outbox.close()


def work_until_killed(path: Path, seed: int, pipe: Connection) -> None:
    """Queue, release and refuse at random; tell of each only when the call has returned."""
    outbox, scribe, chance = Outbox(path), Scribe(), random.Random(seed)
    while True:
        match chance.choice(("queue", "queue", "queue", "release", "reject")):
            case "queue":
                queued = outbox.queue("message", scribe.write)
                pipe.send(("queued", queued.id, queued.seq))
            case "release":
                for queued in outbox.pending("message", 1):
                    pipe.send(("releasing", queued.id, queued.seq))
                    outbox.release([queued.id])
                    pipe.send(("released", queued.id, queued.seq))
            case "reject":
                for queued in outbox.pending("message", 1):
                    pipe.send(("rejecting", queued.id, queued.seq))
                    outbox.reject(queued.id, "contact", "no")
                    pipe.send(("rejected", queued.id, queued.seq))
