"""Must hold: an alert that nobody takes reaches further people, in their pages; and they see who is to answer, and who did."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Locator, expect

from chain.contracts.terms import Escalate, EscalateParams, Step
from chain.entry import Contract, Shift
from tests.page import Person, Which
from tests.sites import client_of
from tests.ward import ADMIN, DEVICE, DEVICE_TITLE, GROUP, Ward

PASSWORD = "correct horse battery"
ANA, BEN = "Ana", "Ben"
SECOND = "second-line"
HOUR = 3_600_000
LATER = 600
"""Seconds that no test waits for."""


class Called(NamedTuple):
    """Ana and Ben are on call, and Cleo comes second: neither the device nor they ever had her as a contact."""

    ana: Person
    ben: Person
    cleo: Person


@pytest.fixture(scope="module")
def groups(ward: Ward) -> dict[str, str]:
    """The ids of the two groups, by name."""
    for handle in Called._fields:
        ward.member(handle, PASSWORD)
    ward.on_call("ana", "ben")
    ward.admin("group", SECOND, "cleo")
    with client_of(ward.site, ADMIN) as admin:
        return {str(group.name): group.id for group in admin.gateway.groups()}


@pytest.fixture(scope="module")
def people(ward: Ward, groups: dict[str, str]) -> Called:
    called = Called(ward.visitor(), ward.visitor(), ward.visitor())
    for person, handle in zip(called, Called._fields, strict=True):
        person.log_in(handle, PASSWORD)
    return called


@pytest.fixture(autouse=True)
def _nothing_is_left(people: Called) -> Iterator[None]:
    """Each test begins on a quiet ward."""
    yield
    for person in people:
        person.go_to("Home")
        steps: tuple[tuple[Which, str], ...] = (("Open", "Take"), ("Snoozed", "Take"), ("Taken", "Resolve"))
        for which, deed in steps:
            buttons = person.alerts(which).get_by_role("button", name=deed, exact=True)
            while left := buttons.count():
                buttons.first.click()
                expect(buttons).to_have_count(left - 1)
    for person in people:
        expect(person.page).to_have_title("Blockpost")
        expect(person.alerts("Taken")).to_have_count(0)


def escalates(ward: Ward, groups: dict[str, str], *, wait: int) -> None:
    """From the first group to the second after a second; `wait` seconds later nobody has answered."""
    steps = [Step(groups[SECOND], 1)]
    terms = Escalate(version=1, when="is_alert", params=EscalateParams(steps=steps, wait=wait, laps=1))
    with client_of(ward.site, ADMIN) as admin:
        admin.say(Contract, action="install", contract="on-call", terms=terms)


def raised(ward: Ward, text: str, priority: str) -> None:
    ward.agent(DEVICE, "send", GROUP, text, "--alert", priority)


def says(card: Locator, words: str | re.Pattern[str]) -> None:
    """One of the things that a card tells of its alert."""
    expect(card.get_by_role("listitem").filter(has_text=words).first).to_be_visible()


def test_who_was_never_a_contact_sees_it_opens_it_and_takes_it(
    ward: Ward, people: Called, groups: dict[str, str]
) -> None:
    escalates(ward, groups, wait=LATER)
    raised(ward, "oxygen line 3 low", "high")

    card = people.cleo.alert("oxygen line 3 low")
    expect(card.get_by_role("heading")).to_have_text(f"Alert from {DEVICE_TITLE}")
    says(people.ana.alert("oxygen line 3 low"), f"Reached {SECOND}")
    expect(people.ana.page).to_have_title("(1) Blockpost")

    people.cleo.take("oxygen line 3 low")

    says(card, "Taken by you")
    for person in (people.ana, people.ben):
        says(person.alert("oxygen line 3 low"), re.compile("^Taken by "))
        expect(person.page).to_have_title("Blockpost")


def test_that_nobody_answered_is_said_on_every_page(
    ward: Ward, people: Called, groups: dict[str, str]
) -> None:
    escalates(ward, groups, wait=1)
    raised(ward, "bed 9 rings", "high")

    banners = [person.page.get_by_role("list", name="Nobody answered", exact=True) for person in people]
    for banner in banners:
        expect(banner).to_contain_text(f"Nobody answered the alert from {DEVICE_TITLE}")

    people.ben.take("bed 9 rings")

    for banner in banners:
        expect(banner).to_be_hidden()


def test_a_snooze_has_an_end_and_a_reason(ward: Ward, people: Called, groups: dict[str, str]) -> None:
    escalates(ward, groups, wait=LATER)
    raised(ward, "door of room 7", "low")
    expect(people.cleo.alert("door of room 7")).to_be_visible()

    people.ana.take("door of room 7", "Snooze")
    dialog = people.ana.dialog("Snooze this alert")
    dialog.get_by_label("1 hour").check()
    dialog.get_by_label("Being repaired").check()
    dialog.get_by_role("button", name="Snooze", exact=True).click()

    for person in people:
        card = person.alerts("Snoozed").filter(has_text="door of room 7")
        says(card, re.compile(r"^Snoozed until .* by .*: Being repaired\. Nobody has taken it$"))


def test_a_shift_is_taken_over_with_a_note(ward: Ward, people: Called, groups: dict[str, str]) -> None:
    escalates(ward, groups, wait=LATER)
    with client_of(ward.site, "ana") as ana:
        account = ana.account
    now = time.time_ns() // 1_000_000
    with client_of(ward.site, ADMIN) as admin:
        admin.say(Shift, party=groups[GROUP], account=account, begins=now - HOUR, ends=now + HOUR)
    duty = people.ben.page.get_by_role("article", name=f"Duty in {GROUP}")
    expect(duty).to_contain_text(f"{ANA} until ")

    people.ben.press(f"Take over duty in {GROUP}")
    dialog = people.ben.dialog(f"Take over duty in {GROUP}")
    dialog.get_by_label("Hand-over note").fill("Bed 5 is to be turned at four.")
    dialog.get_by_role("button", name="Take over", exact=True).click()

    expect(dialog).to_be_hidden()
    expect(duty).to_contain_text("You until ")
    expect(people.ana.page.get_by_role("article", name=f"Duty in {GROUP}")).to_contain_text(f"{BEN} until ")
    people.ana.open_chat(GROUP)
    expect(people.ana.messages().filter(has_text="Bed 5 is to be turned at four.")).to_be_visible()
    with client_of(ward.site, ADMIN) as admin, client_of(ward.site, "ben") as ben:
        admin.say(Shift, party=groups[GROUP], instead=ben.account, begins=now - HOUR, ends=now + HOUR)


def test_a_limit_set_on_the_page_is_confirmed_by_the_device_and_alerted_by(
    ward: Ward, people: Called, groups: dict[str, str], tmp_path: Path
) -> None:
    escalates(ward, groups, wait=LATER)
    ana = people.ana
    ward.admin("link", DEVICE, "ana")
    probe = tmp_path / "probe"
    probe.write_text("5\n", "ascii")
    (ward.site.home(DEVICE) / "agent.toml").write_text(
        f'to = ["{GROUP}"]\n[sensors.fridge]\nmode = "poll"\nevery = 1\nunit = "Cel"\nhigh = 8\n'
        f"command = {json.dumps(['cat', str(probe)])}\n",
        "utf-8",
    )
    agent = ward.site.device(DEVICE, "run", "--json", hear=lambda _event: None)
    try:
        ana.open_chat(DEVICE_TITLE)
        ana.press("Limits")
        sensor = ana.page.get_by_role("article", name="Sensor fridge")
        expect(sensor).to_contain_text("Alert above 8 °C")

        ana.press("Change limits of fridge")
        dialog = ana.dialog("Limits of fridge")
        dialog.get_by_label("Alert above (°C)").fill("7")
        dialog.get_by_role("button", name="Ask the device", exact=True).click()

        expect(sensor).to_contain_text("Alert above 7 °C")
        expect(sensor).to_contain_text(re.compile(f"Set by {ANA}, .*; confirmed by the device"))
        probe.write_text("7.5\n", "ascii")
        for person in people:
            expect(person.alert("fridge")).to_contain_text("7.5")
        # Who is no contact of the device comes to its limits by the alert that it raised.
        people.ben.alert("fridge").get_by_role("link", name="Thread").click()
        people.ben.press("Limits")
        expect(people.ben.page.get_by_role("article", name="Sensor fridge")).to_contain_text(
            "Alert above 7 °C"
        )
        people.ben.press("Change limits of fridge")
        dialog = people.ben.dialog("Limits of fridge")
        dialog.get_by_label("Alert above (°C)").fill("6.5")
        dialog.get_by_role("button", name="Ask the device", exact=True).click()
        expect(sensor).to_contain_text("Alert above 6.5 °C")
        probe.write_text("5\n", "ascii")
        says(people.ben.alert("fridge"), "Ended")
    finally:
        agent.stop()


def test_a_drill_is_an_alert_that_says_so(ward: Ward, people: Called, groups: dict[str, str]) -> None:
    escalates(ward, groups, wait=LATER)
    people.ana.press(f"Hold a drill in {GROUP}")
    people.ana.dialog(f"Hold a drill in {GROUP}?").get_by_role("button", name="Start the drill").click()

    card = people.ben.alerts().filter(has=people.ben.page.get_by_text("Drill", exact=True))
    card.get_by_role("button", name="Take", exact=True).click()

    duty = people.ana.page.get_by_role("article", name=f"Duty in {GROUP}")
    expect(duty).to_contain_text(re.compile(f"Last drill .*, taken by {BEN} after "))
