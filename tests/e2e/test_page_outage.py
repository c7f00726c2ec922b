"""Must hold: whatever dies or is cut off, what people and devices write arrives once, in order, and in every window."""

import json
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Page, Route, expect

from device.agent import Agent
from device.content import READING, TEXT
from tests.page import Person
from tests.sites import client_of, crash, processes_of
from tests.ward import DEVICE, GROUP, Ward

LEE, KIM = "Dr.Lee", "Nurse.Kim"
PASSWORD = "correct horse battery"
TALL = {"width": 1280, "height": 12_000}
"""Only the messages in sight are in the page: these are all of them."""

PER_SECOND = 2
COUNTER = (
    f"import itertools, time\nfor n in itertools.count(1): print(n, flush=True), time.sleep({1 / PER_SECOND})"
)
COUNTED = re.compile(r"^count (\d+)$")
COMES_BACK_MS = 60_000
"""A page tries again after 15 seconds at the latest, and the machine may be slow."""


class Pair(NamedTuple):
    lee: Person
    kim: Person


@pytest.fixture(scope="module")
def pair(ward: Ward) -> Pair:
    """Two people on call, each at a page that shows the group's conversation."""
    for handle in ("dr.lee", "nurse.kim"):
        ward.member(handle, PASSWORD)
    ward.on_call("dr.lee", "nurse.kim")
    ward.admin("link", "dr.lee", "nurse.kim")
    pair = Pair(ward.visitor(viewport=TALL), ward.visitor(viewport=TALL))
    for person, handle in zip(pair, ("dr.lee", "nurse.kim"), strict=True):
        person.log_in(handle, PASSWORD)
        person.open_chat(GROUP)
        person.say(f"Good morning from {handle}.")
        person.is_proven(f"Good morning from {handle}.")
    ward.agent(DEVICE, "send", GROUP, "Good morning, everybody.")
    arrives(pair, "Good morning, everybody.")
    return pair


def is_back(person: Person) -> None:
    expect(person.lamp()).to_have_text("Live", timeout=COMES_BACK_MS)


def arrives(pair: Pair, text: str) -> None:
    """In each window once, with its proof."""
    for person in pair:
        expect(person.message(text)).to_have_count(1, timeout=COMES_BACK_MS)
        person.is_proven(text)


def test_what_is_written_while_the_gateway_is_away_waits_and_arrives_once_when_it_is_back(
    ward: Ward, pair: Pair
) -> None:
    lee, kim = pair
    before = lee.texts()
    with away(ward):
        for person in pair:
            expect(person.lamp()).to_have_text("Offline")
            expect(person.page.get_by_text("No connection to the gateway")).to_be_visible()
        lee.say("Are you there?")
        kim.say("Yes, but is it?")
        lee.say("It will come back.")
        with client_of(ward.site, DEVICE) as client:
            client.write_message(client.directory.addressee(GROUP), "The device, too.", cty=TEXT)
        expect(lee.message("It will come back.")).to_contain_text("Waiting to be sent")
        expect(kim.message("It will come back.")).to_have_count(0)
    ward.agent(DEVICE, "send", GROUP, "And it is.")

    for text in ("Are you there?", "Yes, but is it?", "It will come back.", "The device, too.", "And it is."):
        arrives(pair, text)
    assert lee.texts() == kim.texts()
    assert len(lee.texts()) == len(before) + 5
    assert lee.texts().index("Are you there?") < lee.texts().index("It will come back.")


@contextmanager
def away(ward: Ward) -> Iterator[None]:
    """Without the gateway: all of it was killed at once, and comes back on the same port."""
    crash(ward.site)
    try:
        yield
    finally:
        ward.site.start()


def test_a_page_that_is_loaded_while_the_gateway_does_not_answer_comes_back_by_itself(pair: Pair) -> None:
    lee, _ = pair
    before = lee.texts()
    with unanswered(lee.page):
        lee.reload()
        expect(lee.screen("Blockpost is starting")).to_be_visible()

    is_back(lee)
    lee.reads(before)


@contextmanager
def unanswered(page: Page) -> Iterator[None]:
    """The page itself comes, but whatever it asks for finds nobody."""

    def nobody(route: Route) -> None:
        if route.request.resource_type == "fetch":
            route.abort("connectionrefused")
        else:
            route.continue_()

    page.route("**/*", nobody)
    yield
    page.unroute("**/*", nobody)


def test_cut_after_cut_and_kill_after_kill_nothing_is_lost_doubled_or_out_of_order(
    ward: Ward, pair: Pair
) -> None:
    lee, kim = pair
    said = []
    with counting(ward) as queued:
        for round_number, blow in enumerate(("cut", "web", "commit", "cut", "broker", "everything", "cut")):
            strike(ward, blow)
            for person, name in ((lee, "Lee"), (kim, "Kim")):
                said.append(f"{name} in round {round_number}, after {blow}")
                person.say(said[-1])
            arrives(pair, said[-2])
            arrives(pair, said[-1])
    drain(ward)
    counted = len(queued)

    for person in pair:
        expect(person.message(f"count {counted}")).to_have_count(1, timeout=COMES_BACK_MS)
        texts = person.texts()
        numbers = [int(found[1]) for found in map(COUNTED.match, texts) if found]
        assert numbers == list(range(1, counted + 1))
        assert [text for text in texts if text in said and text.startswith("Lee")] == said[::2]
        assert [text for text in texts if text in said and text.startswith("Kim")] == said[1::2]
    assert lee.texts() == kim.texts()
    assert counted > PER_SECOND * 7


def strike(ward: Ward, blow: str) -> None:
    match blow:
        case "cut":
            ward.tap.cut()
        case "everything":
            with away(ward):
                pass
        case part:
            for process in processes_of(ward.site, part):
                process.kill()


@contextmanager
def counting(ward: Ward) -> Iterator[list[str]]:
    """Let the device tell the group one number after the other; what is given has the ids of the messages."""
    home = ward.site.home(DEVICE)
    # A JSON list of strings is a TOML one.
    settings = {
        "to": [GROUP],
        "sensors.count.mode": "stream",
        "sensors.count.command": [sys.executable, "-c", COUNTER],
    }
    lines = [f"{name} = {json.dumps(value)}\n" for name, value in settings.items()]
    (home / "agent.toml").write_text("".join(lines), "utf-8")
    queued: list[str] = []

    def hear(event: dict[str, Any]) -> None:
        if event["event"] == "queued" and event["cty"] == READING:
            queued.append(event["id"])

    device = ward.site.device(DEVICE, "run", "--json", hear=hear)
    try:
        yield queued
    finally:
        device.stop()


def drain(ward: Ward) -> None:
    """Let the device send what it has not got rid of."""
    with client_of(ward.site, DEVICE) as client:
        Agent(client, lambda _: None).run(threading.Event(), until=lambda: client.outbox.waiting() == 0)


def test_two_tabs_of_one_browser_that_both_write_lose_nothing_and_are_refused_nothing(pair: Pair) -> None:
    lee, kim = pair
    tab = lee.another_tab()
    for person in (lee, tab):
        person.open_chat(KIM)
    kim.open_chat(LEE)

    here = [f"Here {number}" for number in range(8)]
    there = [f"There {number}" for number in range(8)]
    for one, other in zip(here, there, strict=True):
        lee.say(one)
        tab.say(other)

    for person in (lee, tab, kim):
        for text in (here[-1], there[-1]):
            person.is_proven(text)
        texts = person.texts()
        assert [text for text in texts if text.startswith("Here")] == here
        assert [text for text in texts if text.startswith("There")] == there
        assert len(texts) == len(here) + len(there)
        expect(person.page.get_by_role("heading", name="Not sent yet")).to_have_count(0)
