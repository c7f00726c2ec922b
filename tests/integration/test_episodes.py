"""A sensor's alerts from end to end: a real agent, a real broker and gateway, and somebody who reads them."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chain.entry import Contact
from device.client import Home
from device.content import EPISODE, HEARTBEAT, READING
from provisioning.site import Site
from tests.fridges import FRIDGE, Fridge
from tests.sites import added, client_of, running_site

LEE = "dr.lee"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A clinician, and a fridge that may write to them."""
    with running_site(tmp_path_factory.mktemp("site")) as site:
        lee = added(site, LEE)
        added(site, FRIDGE, kind="device")
        with client_of(site, "admin") as admin:
            fridge = Home(site.home(FRIDGE)).book.membership().account
            admin.say(Contact, action="link", of=fridge, peer=lee.account)
        yield site


@pytest.fixture
def fridge(site: Site, tmp_path: Path) -> Callable[[str], Fridge]:
    return lambda settings: Fridge(site, tmp_path, [LEE], settings)


def alerts(received: list[Any]) -> list[tuple[str, str, str]]:
    """Kind, state, and what it is about."""
    return [
        (event["alert"]["kind"], event["alert"]["state"], json.loads(event["text"])["what"])
        for event in received
        if event["cty"] == EPISODE
    ]


LIMITS = 'high = 8\nclear_by = 0.5\nreport_every = 3600\nunit = "Cel"\n'


def test_an_alert_outlives_a_kill_of_the_agent(site: Site, fridge: Callable[[str], Fridge]) -> None:
    box = fridge(LIMITS)
    with box.running() as agent:
        box.told(1)
        box.shows("9.2")
        box.told(2)
        agent.kill()
    with box.running():
        box.told(2)
        box.shows("7")
        box.told(3)

    received = box.inbox(LEE)
    assert alerts(received) == [
        ("physiological", "start", "high"),
        ("physiological", "continue", "high"),
        ("physiological", "end", "high"),
    ]
    assert len({event["alert"]["episode"] for event in received if event["cty"] == EPISODE}) == 1


def test_what_ended_while_the_agent_was_away_is_ended(site: Site, fridge: Callable[[str], Fridge]) -> None:
    box = fridge(LIMITS)
    with box.running() as agent:
        box.told(1)
        box.shows("9.2")
        box.told(2)
        agent.kill()
    box.shows("5")
    with box.running():
        box.told(2)

    assert alerts(box.inbox(LEE)) == [("physiological", "start", "high"), ("physiological", "end", "high")]


def test_no_signal_is_an_alert_of_its_own_and_no_reading(site: Site, fridge: Callable[[str], Fridge]) -> None:
    box = fridge('preset = "spo2"\nmust_last = 0\nstale_after = 1\nreport_every = 3600\n')
    box.shows("97")
    with box.running():
        box.told(1)
        box.shows("0")
        box.told(2)
        box.shows("98")
        box.told(3)

    received = box.inbox(LEE)
    assert alerts(received) == [("technical", "start", "impossible"), ("technical", "end", "impossible")]
    assert [json.loads(event["text"])["value"] for event in received if event["cty"] == READING] == [97]


def test_after_a_while_away_it_says_that_nothing_was_recorded(
    site: Site, fridge: Callable[[str], Fridge]
) -> None:
    box = fridge(LIMITS)
    with box.running() as agent:
        box.told(1)
        agent.stop()
    with client_of(site, FRIDGE) as client:
        away = client.outbox.counter("recorded") - 3_600_000
        client.outbox.set_counter("recorded", away)
    with box.running():
        box.told(2)

    (beat,) = [json.loads(event["text"]) for event in box.inbox(LEE) if event["cty"] == HEARTBEAT]
    assert beat["from"] == away
    assert beat["to"] - away >= 3_600_000
    assert beat["sensors"] == {"fridge": 0}
