"""Mosquitto as the gateway keeps it, with real certificates: who comes in, who reaches what, and who never does."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chain import wire
from tests.lan import Client, Lan, Process, clients, running

FRIDGE, CLINIC = "fridge" + "b" * 20, "clinic" + "c" * 20


@pytest.fixture(scope="module")
def lan(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lan]:
    lan = Lan(tmp_path_factory.mktemp("lan"))
    yield lan
    lan.world.close()


@pytest.fixture(scope="module")
def broker(lan: Lan) -> Iterator[Process]:
    with running(lan.site) as process:
        yield process


@pytest.fixture
def client(lan: Lan, broker: Process) -> Iterator[Callable[..., Client]]:
    with clients(lan) as make:
        yield make


def test_an_entry_goes_up_and_a_delivery_comes_down(lan: Lan, client: Callable[..., Client]) -> None:
    committer, fridge = client(lan.committer), client(lan.papers.client(FRIDGE))
    committer.subscribe(wire.UP_ENTRIES)
    fridge.subscribe(wire.down_topic(FRIDGE, "receipt"))

    fridge.publish(wire.up_topic(FRIDGE, "entry"), b"entry")
    committer.publish(wire.down_topic(FRIDGE, "receipt"), b"receipt")

    assert committer.receive().payload == b"entry"
    assert fridge.receive().payload == b"receipt"
