"""A sensor's alerts from end to end: a real agent, a real broker and gateway, and somebody who reads them."""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from chain.entry import Contact
from device import cli
from device.client import Home
from device.content import EPISODE, HEARTBEAT, READING, SETTINGS
from provisioning.site import Process, Site
from tests.sites import added, client_of, ran, running_site

LEE, FRIDGE = "dr.lee", "fridge-2"
PATIENCE = 30.0
STEPS = ("queued", "receipted")


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


class Fridge:
    """Its agent, and the thermometer in it: a file, whose number it prints."""

    def __init__(self, site: Site, folder: Path, settings: str) -> None:
        self._site = site
        self._thermometer = folder / "thermometer"
        self.shows("5")
        command = json.dumps(["cat", str(self._thermometer)])
        (site.home(FRIDGE) / "agent.toml").write_text(
            f'to = ["{LEE}"]\n[sensors.fridge]\nmode = "poll"\nevery = 0.2\ntimeout = 10\ncommand = {command}\n{settings}',
            "utf-8",
        )
        self._changed = threading.Condition()
        self._heard: list[dict[str, Any]] = []

    def shows(self, text: str) -> None:
        written = self._thermometer.with_name("written")
        written.write_text(text, "ascii")
        written.rename(self._thermometer)

    @contextmanager
    def running(self) -> Iterator[Process]:
        self._heard.clear()
        process = self._site.device(FRIDGE, "run", "--json", hear=self._hear)
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()

    def told(self, count: int) -> None:
        """Wait until so many messages of this run have their receipt."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self._receipted()) >= count, PATIENCE), self._heard

    def _receipted(self) -> set[str]:
        """
        What an agent left behind that was killed is receipted again, and is not meant; nor is what it says of its
        settings.
        """
        ids = {
            name: {
                each["id"] for each in self._heard if each["event"] == name and each.get("cty") != SETTINGS
            }
            for name in STEPS
        }
        return ids["queued"] & ids["receipted"]

    def _hear(self, event: dict[str, Any]) -> None:
        with self._changed:
            self._heard.append(event)
            self._changed.notify_all()


def inbox(site: Site) -> list[Any]:
    done = ran(cli.main, "--home", site.home(LEE), "inbox", "--json")
    assert (done.code, done.err) == (0, "")
    return [json.loads(line) for line in done.out.splitlines()]


@pytest.fixture
def fridge(site: Site, tmp_path: Path) -> Callable[[str], Fridge]:
    inbox(site)
    return lambda settings: Fridge(site, tmp_path, settings)


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

    received = inbox(site)
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

    assert alerts(inbox(site)) == [("physiological", "start", "high"), ("physiological", "end", "high")]


def test_no_signal_is_an_alert_of_its_own_and_no_reading(site: Site, fridge: Callable[[str], Fridge]) -> None:
    box = fridge('preset = "spo2"\nmust_last = 0\nstale_after = 1\nreport_every = 3600\n')
    box.shows("97")
    with box.running():
        box.told(1)
        box.shows("0")
        box.told(2)
        box.shows("98")
        box.told(3)

    received = inbox(site)
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

    (beat,) = [json.loads(event["text"]) for event in inbox(site) if event["cty"] == HEARTBEAT]
    assert beat["from"] == away
    assert beat["to"] - away >= 3_600_000
    assert beat["sensors"] == {"fridge": 0}
