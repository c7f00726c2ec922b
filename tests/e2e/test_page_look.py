"""Must hold: how every screen looks and reads, wide and narrow, light and dark, by eye, by axe and by keyboard alone."""

import json
import re
import shlex
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, FilePayload, Locator, Page, expect

from chain.contracts.terms import Escalate, EscalateParams, Step
from chain.entry import Contract, Key, Shift
from device.client import Home
from device.content import SETTINGS
from provisioning.site import command
from tests.homes import new_keys
from tests.look import Form, draw, look_at, turn
from tests.page import Person
from tests.sites import added, client_of, copied_chain, run_on
from tests.ward import ADMIN, DEVICE, GROUP, Ward

PASSWORD = "correct horse battery"
ANA, BEN, MIA = "Dr. Ana Silva", "Ben Okafor", "Mia Larsen"
DOCTORS, FRIDGE = "doctors", "Medicine fridge"
HOUR_MS = 3_600_000


class Scene(NamedTuple):
    """A ward on an ordinary afternoon."""

    ward: Ward
    admin: Person
    ana: Person


@pytest.fixture(scope="module")
def scene(ward: Ward) -> Scene:
    for handle, name in (("dr.silva", ANA), ("ben.okafor", BEN), ("mia.larsen", MIA)):
        ward.member(handle, PASSWORD, name=name)
    for handle, name in (("fridge-2", "Medicine fridge"), ("bed-4", "Monitor bed 4"), ("room-7", "Room 7")):
        added(ward.site, handle, kind="device", name=name)
        ward.admin("link", handle, GROUP)
    ward.admin("link", "dr.silva", "ben.okafor")
    ward.admin("link", "dr.silva", "mia.larsen")
    ward.let_in(ADMIN, PASSWORD)
    ward.on_call("dr.silva", "ben.okafor")
    _plan(ward)

    ana = ward.visitor()
    ana.log_in("dr.silva", PASSWORD)
    _talk(ward, ana)
    _watch(ward)
    _try_out(ward, ana)
    _alarm(ward, ana)
    _sense(ward, ana)
    admin = ward.visitor()
    admin.log_in(ADMIN, PASSWORD)
    return Scene(ward, admin, ana)


def _plan(ward: Ward) -> None:
    """Who is on, and to whom alerts go that nobody takes."""
    ward.admin("group", DOCTORS, "dr.silva", "mia.larsen")
    ward.admin("link", "fridge-2", "dr.silva")
    begins = int(time.time() * 1000) - HOUR_MS
    with client_of(ward.site, ADMIN) as admin:
        groups = {each.name: each.id for each in admin.gateway.groups()}
        party, doctors = groups[GROUP], groups[DOCTORS]
        ladder = EscalateParams(steps=[Step(doctors, 600), Step(party, 900)], wait=600, laps=2)
        terms = Escalate(version=1, when='priority == "high"', params=ladder)
        admin.say(Contract, action="install", contract="high-to-doctors", terms=terms)
        for handle in ("dr.silva", "ben.okafor"):
            account = Home(ward.site.home(handle)).book.membership().account
            admin.say(Shift, party=party, account=account, begins=begins, ends=begins + 8 * HOUR_MS)


def _watch(ward: Ward) -> None:
    """A device says what it watches for, to who may change that."""
    settings = 'to = ["dr.silva"]\n[sensors.fridge]\nmode = "poll"\nevery = 5\ncommand = ["echo", "5"]\n'
    limits = 'low = 2\nhigh = 8\nmust_last = 600\nclear_by = 0.5\nunit = "Cel"\n'
    (ward.site.home("fridge-2") / "agent.toml").write_text(settings + limits, "utf-8")
    told = Event()

    def hear(event: dict[str, Any]) -> None:
        if event["event"] == "queued" and event["cty"] == SETTINGS:
            told.set()

    agent = ward.site.device("fridge-2", "run", "--json", hear=hear)
    assert told.wait(30)
    assert agent.stop() == 0


def _try_out(ward: Ward, ana: Person) -> None:
    """Whoever holds a drill is not told of it as of an alert."""
    ben = ward.visitor()
    ben.log_in("ben.okafor", PASSWORD)
    ben.press(f"Hold a drill in {GROUP}")
    ben.press("Start the drill")
    ana.take("This is a drill")
    ana.take("This is a drill", "Resolve")
    expect(duty_of(ben, GROUP)).to_contain_text(f"taken by {ANA} after")


def duty_of(person: Person, group: str) -> Locator:
    return person.page.get_by_role("article", name=f"Duty in {group}", exact=True)


def _talk(ward: Ward, ana: Person) -> None:
    ana.open_chat(MIA)
    ana.say("Can you come at four?")
    ana.open_chat(BEN)
    ana.say("Bed 4 went to the ward round. Please look at the wound when they are back.")
    ward.agent("ben.okafor", "send", "dr.silva", "Will do. Shall I take the photograph for the record?")
    plan = FilePayload(
        name="wound plan.txt", mimeType="text/plain", buffer=b"Clean, dry, cover. Look again at 18:00."
    )
    ana.attach(plan)
    ana.reply("Will do. Shall I take the photograph for the record?", "Yes, and here is the plan.")
    ana.is_proven("Yes, and here is the plan.")


def _alarm(ward: Ward, ana: Person) -> None:
    ward.agent("room-7", "send", GROUP, "Call bell at the window bed", "--alert", "low")
    ward.agent(
        "fridge-2",
        "send",
        GROUP,
        "9.4 °C for 15 minutes",
        "--alert",
        "medium",
        "--technical",
    )
    ward.agent("bed-4", "send", GROUP, "Oxygen saturation 84 % for 2 minutes", "--alert", "high")
    ward.agent("bed-4", "send", GROUP, "Infusion pump: battery low", "--alert", "medium", "--technical")
    ana.take("Infusion pump: battery low")
    expect(ana.alerts("Taken")).to_have_count(1)


def _sense(ward: Ward, ana: Person) -> None:
    recording = ward.site.directory / "room.csv"
    recording.write_text("\n".join(["Temp", *(f"{21 + number % 7 / 10}" for number in range(24))]), "utf-8")
    play = shlex.join(command("device", "read", "replay", str(recording), "--column", "Temp", "--rate", "8"))
    words = json.dumps(["sh", "-c", f"{play}; exec sleep 600"])
    settings = f'to = ["{GROUP}"]\n[sensors.room]\nmode = "stream"\nunit = "Cel"\ncommand = {words}\n'
    (ward.site.home(DEVICE) / "agent.toml").write_text(settings, "utf-8")
    agent = ward.site.device(DEVICE, "run", "--json", hear=lambda _event: None)
    ana.open_chat(GROUP)
    ana.press("Readings")
    expect(ana.page.get_by_text(re.compile("24 readings"))).to_be_visible()
    assert agent.stop() == 0


def login(scene: Scene) -> Person:
    person = scene.ward.visitor()
    expect(person.screen("Log in")).to_be_visible()
    return person


def login_failed(scene: Scene) -> Person:
    person = scene.ward.visitor()
    person.try_to_log_in("dr.silva", "not the password")
    expect(person.trouble()).to_be_visible()
    return person


def forgot(scene: Scene) -> Person:
    person = scene.ward.visitor()
    person.press("I forgot my password")
    return person


def join_code(scene: Scene) -> Person:
    person = scene.ward.visitor()
    person.look_up("localhost:1/x/y")
    expect(person.trouble()).to_be_visible()
    return person


def join(scene: Scene) -> Person:
    person = scene.ward.visitor()
    person.look_up(scene.ward.code("nurse.one"), by_link=True)
    expect(person.page.get_by_label("Your name")).to_be_visible()
    return person


def matching(scene: Scene) -> Person:
    person = scene.ward.visitor()
    person.ask_to_join(scene.ward.code("nurse.four", match=True), "Max Four", PASSWORD)
    person.digits()
    return person


def recovery_code(scene: Scene) -> Person:
    person = scene.ward.visitor()
    person.join(scene.ward.code("nurse.two"), "Nora Two", PASSWORD)
    return person


def recovery_code_again(scene: Scene) -> Person:
    person = scene.ward.visitor()
    person.join(scene.ward.code("nurse.three"), "Theo Three", PASSWORD)
    person.press("I have written it down")
    return person


def restore(scene: Scene) -> Person:
    person = scene.ward.visitor()
    person.log_in("ben.okafor", PASSWORD)
    person.page.goto("/icon.svg")
    person.page.evaluate(FORGET)
    person.page.goto("/")
    expect(person.page.get_by_text("This browser lost your keys.")).to_be_visible()
    return person


FORGET = """async () => {
    for (const { name } of await indexedDB.databases())
        await new Promise((done, failed) => {
            const asked = indexedDB.deleteDatabase(name);
            asked.onsuccess = done;
            asked.onerror = asked.onblocked = failed;
        });
}"""
"""What a browser does that is short of room."""


def home(scene: Scene) -> Person:
    scene.ana.go_to("Home")
    expect(scene.ana.alerts()).to_have_count(3)
    return scene.ana


def conversation(scene: Scene) -> Person:
    home(scene).open_chat(BEN)
    expect(scene.ana.messages()).to_have_count(3)
    return scene.ana


def changed_keys(scene: Scene) -> Person:
    home(scene).open_chat(MIA)
    mia, keys = Home(scene.ward.site.home("mia.larsen")).book.membership(), new_keys()
    with client_of(scene.ward.site, ADMIN) as client:
        client.say(Key, account=mia.account, sign=keys.signing.public, seal=keys.sealing.public)
    expect(scene.ana.page.get_by_text(f"The keys of {MIA} have changed")).to_be_visible()
    return scene.ana


def thread(scene: Scene) -> Person:
    home(scene).alert("Oxygen saturation").get_by_role("link", name="Thread").click()
    expect(scene.ana.messages().filter(has_text="Oxygen saturation")).to_be_visible()
    return scene.ana


def readings(scene: Scene) -> Person:
    home(scene).open_chat(GROUP)
    scene.ana.press("Readings")
    shown = scene.ana.page.get_by_role("region", name="Readings", exact=True)
    shown.get_by_text("All", exact=True).click()
    expect(shown.get_by_role("img")).to_be_visible()
    return scene.ana


def proof(scene: Scene) -> Person:
    conversation(scene).open_proof("Yes, and here is the plan.")
    return scene.ana


def safety_code(scene: Scene) -> Person:
    conversation(scene).safety_words(BEN)
    expect(scene.ana.page.get_by_role("img", name=f"Safety code with {BEN}, as a QR code")).to_be_visible()
    return scene.ana


def add_friend(scene: Scene) -> Person:
    home(scene).press("Add a friend")
    return scene.ana


def friends(scene: Scene) -> Person:
    home(scene).go_to("Friends")
    return scene.ana


def sound_menu(scene: Scene) -> Person:
    home(scene).press("Sound on")
    expect(scene.ana.page.get_by_role("region", name="Sound")).to_be_visible()
    return scene.ana


def snooze(scene: Scene) -> Person:
    home(scene).take("Call bell at the window bed", "Snooze")
    scene.ana.page.get_by_role("radio", name="Until a time").check()
    expect(scene.ana.dialog("Snooze this alert").get_by_label("Until", exact=True)).to_be_visible()
    return scene.ana


def take_over(scene: Scene) -> Person:
    home(scene).press(f"Take over duty in {GROUP}")
    expect(scene.ana.dialog(f"Take over duty in {GROUP}").get_by_label("From")).to_contain_text(BEN)
    return scene.ana


def drill(scene: Scene) -> Person:
    home(scene).press(f"Hold a drill in {DOCTORS}")
    expect(scene.ana.dialog(f"Hold a drill in {DOCTORS}?")).to_be_visible()
    return scene.ana


def limits(scene: Scene) -> Person:
    home(scene).open_chat(FRIDGE)
    scene.ana.press("Limits")
    expect(scene.ana.page.get_by_text("Alert below 2 °C or above 8 °C for 10 min")).to_be_visible()
    return scene.ana


def limits_form(scene: Scene) -> Person:
    limits(scene).press("Change limits of fridge")
    scene.ana.page.get_by_label("Alert above (°C)").fill("nine")
    scene.ana.press("Ask the device")
    expect(scene.ana.page.get_by_text("Write a number in °C, as in 8.5.")).to_be_visible()
    return scene.ana


def alarm_load(scene: Scene) -> Person:
    home(scene).page.get_by_role("link", name="Alarm load").click()
    expect(scene.ana.page.get_by_role("table").first).to_contain_text(FRIDGE)
    return scene.ana


def account(scene: Scene) -> Person:
    home(scene).go_to("My account")
    expect(scene.ana.page.get_by_text("this browser", exact=True)).to_be_visible()
    return scene.ana


def part(scene: Scene, name: str) -> Person:
    page = scene.admin.page
    scene.admin.go_to("Admin")
    page.get_by_role("navigation", name="Administration").get_by_role("link", name=name).click()
    expect(page.get_by_role("table").first.or_(page.get_by_text("Newest checkpoint"))).to_be_visible()
    return scene.admin


def people(scene: Scene) -> Person:
    return part(scene, "People & devices")


def revoke(scene: Scene) -> Person:
    people(scene).press(f"Revoke {MIA}")
    scene.admin.press("Revoke for good")
    expect(scene.admin.page.get_by_text("This is not mia.larsen.")).to_be_visible()
    return scene.admin


def codes(scene: Scene) -> Person:
    return part(scene, "Join codes")


def new_code(scene: Scene) -> Person:
    codes(scene).page.get_by_label("Handle").fill("nurse.new")
    scene.admin.press("Make the code")
    expect(scene.admin.page.get_by_role("img", name="Join code for nurse.new, as a QR code")).to_be_visible()
    return scene.admin


def waiting(scene: Scene) -> Person:
    person = scene.ward.visitor()
    person.ask_to_join(scene.ward.code("nurse.five", match=True), "Ida Five", PASSWORD)
    codes(scene)
    expect(scene.admin.page.get_by_label("Six digits that nurse.five tells you")).to_be_visible()
    return scene.admin


def groups(scene: Scene) -> Person:
    return part(scene, "Contacts & groups")


def new_group(scene: Scene) -> Person:
    groups(scene).press("New group")
    scene.admin.press("Make the group")
    return scene.admin


def new_link(scene: Scene) -> Person:
    groups(scene).press("New link")
    scene.admin.page.get_by_role("radio", name="Medicine fridge").check()
    scene.admin.press("Next")
    return scene.admin


def shifts(scene: Scene) -> Person:
    groups(scene).press(f"Shifts of {GROUP}")
    expect(scene.admin.page.get_by_role("list", name=f"Planned shifts of {GROUP}")).to_contain_text(BEN)
    return scene.admin


def contracts(scene: Scene) -> Person:
    scene.admin.go_to("Admin")
    places = scene.admin.page.get_by_role("navigation", name="Administration")
    places.get_by_role("link", name="Contracts").click()
    expect(scene.admin.page.get_by_role("list", name="Steps of high-to-doctors")).to_contain_text(DOCTORS)
    return scene.admin


def sessions(scene: Scene) -> Person:
    return part(scene, "Sessions")


def chain(scene: Scene) -> Person:
    part(scene, "Chain").press("Check now")
    expect(scene.admin.page.get_by_text("Everything holds")).to_be_visible()
    return scene.admin


def audit(scene: Scene) -> Person:
    return part(scene, "Audit")


def refused(scene: Scene) -> Person:
    audit(scene).page.get_by_role("tab", name="What was refused").click()
    expect(scene.admin.page.get_by_text("Refused entries are not on the chain")).to_be_visible()
    return scene.admin


SCREENS: tuple[Callable[[Scene], Person], ...] = (
    login,
    login_failed,
    forgot,
    join_code,
    join,
    matching,
    recovery_code,
    recovery_code_again,
    restore,
    home,
    conversation,
    thread,
    readings,
    proof,
    safety_code,
    add_friend,
    friends,
    sound_menu,
    snooze,
    take_over,
    drill,
    limits,
    limits_form,
    alarm_load,
    account,
    changed_keys,
    people,
    revoke,
    codes,
    waiting,
    new_code,
    groups,
    new_group,
    new_link,
    shifts,
    contracts,
    sessions,
    chain,
    audit,
    refused,
)


@pytest.mark.parametrize("show", SCREENS, ids=[show.__name__.replace("_", "-") for show in SCREENS])
def test_a_screen_has_nothing_that_axe_minds_and_fits_on_a_narrow_page(
    scene: Scene, show: Callable[[Scene], Person]
) -> None:
    person = show(scene)

    look_at(person.page, show.__name__.replace("_", "-"))

    person.page.keyboard.press("Escape")


@pytest.mark.parametrize("width", [900, 1024, 1199, 1280])
def test_the_name_of_the_site_is_there_beside_an_admin_s_places(scene: Scene, width: int) -> None:
    page = people(scene).page
    turn(page, Form("light", width, 768))

    name = page.locator(".site-name")

    expect(name).to_be_visible()
    assert name.evaluate("each => each.scrollWidth <= each.clientWidth")
    draw(page, f"topbar-{width}")
    turn(page, Form("light", 1280, 800))


def test_a_locked_page_too(scene: Scene) -> None:
    home(scene).lock()

    look_at(scene.ana.page, "locked")

    scene.ana.unlock(PASSWORD)
    scene.ana.at_home()


def test_what_is_snoozed_does_not_look_as_if_it_were_taken(scene: Scene) -> None:
    ana = home(scene)
    ana.take("Call bell at the window bed", "Snooze")
    ana.page.get_by_role("radio", name="1 hour").check()
    ana.page.get_by_role("radio", name="Being repaired").check()
    ana.dialog("Snooze this alert").get_by_role("button", name="Snooze", exact=True).click()
    expect(ana.alerts("Snoozed")).to_contain_text("Nobody has taken it")

    look_at(ana.page, "snoozed")

    ana.take("Call bell at the window bed")
    ana.take("Call bell at the window bed", "Release")
    expect(ana.alerts()).to_have_count(3)


def test_that_nobody_answered_is_told_on_every_screen(scene: Scene) -> None:
    """An escalation of a second; who takes the alert ends it."""
    ana, ward = home(scene), scene.ward
    with client_of(ward.site, ADMIN) as admin:
        doctors = next(each.id for each in admin.gateway.groups() if each.name == DOCTORS)
        ladder = EscalateParams(steps=[Step(doctors, 0)], wait=1, laps=1)
        terms = Escalate(version=1, when='priority == "low"', params=ladder)
        admin.say(Contract, action="install", contract="low-to-doctors", terms=terms)
    ward.agent("room-7", "send", GROUP, "Call bell at the door bed", "--alert", "low")
    told = ana.page.get_by_role("list", name="Nobody answered")
    expect(told).to_contain_text("Nobody answered the alert from Room 7")

    look_at(ana.page, "nobody-answered")

    ana.go_to("My account")
    expect(told).to_be_visible()
    ana.lock()
    look_at(ana.page, "nobody-answered-locked")
    ana.unlock(PASSWORD)
    ana.go_to("Home")
    ana.take("Call bell at the door bed")
    ana.take("Call bell at the door bed", "Resolve")
    expect(told).to_be_hidden()
    with client_of(ward.site, ADMIN) as admin:
        admin.say(Contract, action="remove", contract="low-to-doctors")


def test_without_a_secure_context_the_page_says_what_to_do(scene: Scene, browser: Browser) -> None:
    """As if it were opened by the name of a machine, over plain HTTP."""
    address = "http://gateway.ward"
    context = browser.new_context()
    context.route(
        f"{address}/**",
        lambda route: route.fulfill(
            response=route.fetch(url=scene.ward.address + route.request.url.removeprefix(address))
        ),
    )
    page = context.new_page()

    page.goto(f"{address}/")

    expect(page.get_by_role("heading", name="This address is not secure")).to_be_visible()
    expect(page.get_by_role("link", name="https://gateway.ward/")).to_be_visible()
    expect(page.get_by_role("textbox")).to_have_count(0)
    look_at(page, "insecure")
    context.close()


def test_the_picture_of_the_page_shows_nothing_of_this_machine(scene: Scene) -> None:
    """The README has a copy of it."""
    page = conversation(scene).page
    turn(page, Form("light", 1280, 800))
    page.get_by_role("heading", name=re.compile("^Alerts 3 open")).scroll_into_view_if_needed()
    page.mouse.move(1270, 400)

    draw(page, "page")

    shown = page.locator("body").inner_text()
    assert [each for each in ("localhost", "127.0.0.1", str(scene.ward.tap.port)) if each in shown] == []


def test_a_page_that_is_to_keep_still_does(scene: Scene) -> None:
    page = home(scene).page
    moving = "() => document.getAnimations().filter(each => each.playState === 'running').length"
    assert page.evaluate(moving) > 0

    page.emulate_media(reduced_motion="reduce")

    page.wait_for_function(f"() => ({moving})() === 0")
    expect(scene.ana.alert("Oxygen saturation")).to_be_visible()
    draw(page, "home-still")
    page.emulate_media(reduced_motion="null")


def test_a_priority_is_told_without_any_colour(scene: Scene) -> None:
    page = home(scene).page

    page.emulate_media(forced_colors="active")

    for name in ("high", "medium", "low"):
        card = scene.ana.alerts().filter(has_text=f"{name} priority")
        expect(card.get_by_role("button", name="Take")).to_have_css("border-style", "solid")
        expect(card.locator("svg").first).to_be_visible()
    draw(page, "home-forced-colours")
    page.emulate_media(forced_colors="null")


# By keyboard alone


def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until it has the focus, as who has no mouse does."""
    expect(wanted).to_be_visible()
    for _ in range(60):
        page.keyboard.press("Tab")
        if wanted.evaluate("each => each === document.activeElement"):
            return
    pytest.fail(f"not reached with Tab: {wanted}")


def test_a_shift_passes_without_a_mouse(scene: Scene) -> None:
    scene.ward.member("kay.boards", PASSWORD, name="Kay Boards")
    scene.ward.member("lou.hand", PASSWORD, name="Lou Hand")
    scene.ward.on_call("dr.silva", "ben.okafor", "kay.boards")
    kay = scene.ward.visitor()
    page, keys = kay.page, kay.page.keyboard

    tab_to(page, page.get_by_label("Handle"))
    keys.type("kay.boards")
    tab_to(page, page.get_by_label("Password", exact=True))
    keys.type(PASSWORD)
    keys.press("Enter")
    kay.at_home()

    scene.ward.agent(DEVICE, "send", GROUP, "Call bell, room 3", "--alert", "low")
    tab_to(page, kay.alert("Call bell, room 3").get_by_role("button", name="Take"))
    keys.press("Enter")
    expect(kay.alert("Call bell, room 3")).to_contain_text("Taken by you")

    tab_to(page, kay.friend(GROUP))
    keys.press("Enter")
    tab_to(page, page.get_by_role("textbox", name=f"Message to {GROUP}"))
    keys.type("I go to room 3.")
    keys.press("Enter")
    kay.is_proven("I go to room 3.")

    tab_to(page, page.get_by_role("button", name="Add a friend"))
    keys.press("Enter")
    expect(kay.dialog("Add a friend").get_by_label("Handle")).to_be_focused()
    keys.type("lou.hand")
    keys.press("Enter")
    expect(kay.friend("Lou Hand")).to_be_visible()
    expect(page.get_by_role("button", name="Add a friend")).to_be_focused()

    tab_to(page, page.get_by_role("button", name="Menu of Kay Boards"))
    keys.press("Enter")
    tab_to(page, page.get_by_role("button", name="Lock now"))
    keys.press("Enter")
    expect(kay.screen("Locked")).to_be_visible()


NAMES_IN_ORDER = """() => [...document.querySelectorAll('a[href], button, input, select, textarea, summary')]
    .filter(each => each.checkVisibility({ visibilityProperty: true }) && !each.disabled)
    .filter(each => each.closest('dialog') || !document.querySelector('dialog[open]'))
    // Of radio buttons that belong together, Tab stops at the one that is chosen.
    .filter(each => each.type !== 'radio' || each.checked)
    .map(each => (each.dataset.order = each.dataset.order ?? `${each.tagName} ${Math.random()}`))"""


@pytest.mark.parametrize("show", [login, home, conversation, account, add_friend, snooze, people])
def test_tab_comes_to_everything_in_the_order_in_which_it_is_read(
    scene: Scene, show: Callable[[Scene], Person]
) -> None:
    page = show(scene).page
    wanted = page.evaluate(NAMES_IN_ORDER)
    page.evaluate("document.activeElement.blur()")

    reached: list[str] = []
    for _ in range(2 * len(wanted)):
        page.keyboard.press("Tab")
        here = page.evaluate("document.activeElement.dataset.order ?? null")
        if here is not None and here not in reached:
            reached.append(here)

    start = reached.index(wanted[0])
    assert reached[start:] + reached[:start] == wanted
    page.keyboard.press("Escape")


# What nobody may put into the page

INJECT = """async () => {
    const tried = {};
    const attempt = (name, act) => { try { act(); tried[name] = 'went through'; } catch (error) { tried[name] = error.name; } };
    const script = document.createElement('script');
    script.append(document.createTextNode('window.injected = true'));
    document.body.append(script);
    attempt('innerHTML', () => { document.body.insertAdjacentHTML('beforeend', '<img src=x onerror="window.injected = true">'); });
    attempt('script text', () => { document.createElement('script').text = 'window.injected = true'; });
    attempt('script address', () => { document.createElement('script').src = '/assets/x.js'; });
    attempt('own policy', () => { trustedTypes.createPolicy('mine', { createHTML: text => text }); });
    attempt('timer', () => { setTimeout('window.injected = true'); });
    const style = document.createElement('style');
    style.textContent = 'body { --injected: 1 }';
    document.head.append(style);
    tried['style'] = getComputedStyle(document.body).getPropertyValue('--injected') || 'no effect';
    tried['elsewhere'] = await fetch('https://example.org/').then(() => 'went through', error => error.name);
    tried['script'] = window.injected ? 'went through' : 'no effect';
    return tried;
}"""


def test_nothing_that_is_injected_runs(scene: Scene, browser: Browser) -> None:
    page = browser.new_page()
    answer = page.goto(scene.ward.address)
    assert answer is not None
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()

    tried = page.evaluate(INJECT)
    page.close()

    assert answer.headers["content-security-policy"] == documented_policy()
    assert tried == {
        "innerHTML": "TypeError",
        "script text": "TypeError",
        "script address": "TypeError",
        "own policy": "TypeError",
        "timer": "TypeError",
        "style": "no effect",
        "elsewhere": "TypeError",
        "script": "no effect",
    }


def documented_policy() -> str:
    document = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text("utf-8")
    found = re.search(r"`Content-Security-Policy`:\n\n```\n(.*?)\n```", document, re.DOTALL)
    assert found is not None
    return found[1].replace("\n", " ")


# The last one: no gateway is trusted after it.


def test_a_page_that_saw_two_histories_stops(scene: Scene) -> None:
    site = scene.ward.site
    before = copied_chain(site, "before")
    scene.ward.agent(DEVICE, "send", GROUP, "Call bell, room 9", "--alert", "low")
    expect(scene.ana.alert("Call bell, room 9")).to_be_visible()

    run_on(site, before)
    # One that has not seen what was taken away writes in its place.
    scene.ward.agent("fridge-2", "send", GROUP, "Door of the medicine fridge open", "--alert", "low")

    expect(scene.ana.screen("Stopped: the gateway showed two histories")).to_be_visible(timeout=60_000)
    look_at(scene.ana.page, "two-histories")
