"""The chain that the vectors of entries, proofs and parties come from: the same bytes each time it is made."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import msgspec
from msgspec import structs

from chain.api import Party
from chain.chain import Committed
from chain.entry import Account, Key, SignedEntry, parse
from chain.identity import SigningKey
from chain.rulebook.context import Admitted
from chain.wire import Delivered, Submission
from gateway.rest.snapshot import Snapshot
from tests.vectors.forge import Json
from tests.world import Actor, World, ward


@contextmanager
def opened() -> Iterator[World]:
    """A chain in which everything has happened."""
    with TemporaryDirectory() as folder, ward(Path(folder)) as world:
        yield world


@contextmanager
def empty() -> Iterator[World]:
    """A chain with its gateway and its first admin."""
    with TemporaryDirectory() as folder, World(Path(folder), seed="vectors") as world:
        yield world


def entries(world: World) -> list[SignedEntry]:
    return [parse(world.chain.store.leaf(index)) for index in range(world.chain.head.size)]


def keys(world: World) -> dict[str, SigningKey]:
    """Every signing key there ever was, by thumbprint."""
    brought = [signed.entry.sign for signed in entries(world) if isinstance(signed.entry, Account | Key)]
    return {key.thumbprint: key for key in brought}


def delivered(world: World, index: int) -> Delivered:
    """An entry with its receipt, and with nothing that is only the gateway's word."""
    return _proof(Snapshot(world.chain).delivered([index])[0])


def party(world: World, actor: Actor) -> Party:
    now = Snapshot(world.chain)
    row = now.state.account(actor.id)
    assert row is not None
    found = now.party(row)
    return structs.replace(found, entries=[_proof(each) for each in found.entries])


def _proof(given: Delivered) -> Delivered:
    return Delivered(index=given.index, entry=given.entry, receipt=given.receipt)


def forced(world: World, submission: Submission) -> Delivered:
    """An entry that the gateway put on its chain against the rules, with a receipt that holds."""
    with patch("chain.rules.admit", lambda *_, **__: Admitted(frozenset())):
        (outcome,) = world.append(submission)
    assert isinstance(outcome, Committed)
    return delivered(world, outcome.index)


def plain(value: Any) -> Any:
    """As it is in JSON."""
    return json.loads(msgspec.json.encode(value))


def checked_by(world: World) -> Json:
    """What a client knows of a chain."""
    return {"key": world.chain.key.x, "origin": world.origin}
