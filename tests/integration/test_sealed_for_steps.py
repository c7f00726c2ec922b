"""An alert that nobody takes is opened by whom a step names, though the device that raised it is gone by then."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from chain.api import AlertHeader, AlertLine
from chain.contracts.terms import Escalate, EscalateParams, Step
from chain.entry import Contract
from chain.identity import account_id
from device import cli
from device.client import Client, Home
from device.content import EPISODE
from device.identity import KeySet
from device.keys import SigningSecret
from provisioning.admin import cli as admin_cli
from provisioning.site import Site
from tests.fridges import FRIDGE, Fridge
from tests.homes import keep_keys
from tests.sites import added, client_of, ran, running_site
from tests.vectors.people import person

LEE, KIM, GROUP = "dr.lee", "dr.kim", "on-call"
PATIENCE = 30.0

T = TypeVar("T")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A fridge may write to the group in which `LEE` is. `KIM` knows neither, and has a sealing key of their own."""
    with running_site(tmp_path_factory.mktemp("site")) as site:
        signing = SigningSecret.make()
        keep_keys(site.home(KIM), KeySet(account_id(signing.public), signing, person("bob").sealing))
        for handle in (LEE, KIM):
            added(site, handle)
        added(site, FRIDGE, kind="device")
        for words in (("group", GROUP, LEE), ("link", FRIDGE, GROUP)):
            assert ran(admin_cli.main, "--home", site.home("admin"), *words).code == 0
        yield site


def seen(look: Callable[[], T | None]) -> T:
    """What there is to see, once it is there."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = look()
        if found is not None:
            return found
        time.sleep(0.1)
    raise AssertionError("it did not come")


def install(site: Site, *parties: str) -> None:
    steps = [Step(party, 2) for party in parties]
    terms = Escalate(version=1, when="is_alert", params=EscalateParams(steps=steps, wait=60, laps=1))
    with client_of(site, "admin") as admin:
        admin.say(Contract, action="install", contract="night", terms=terms)


def account_of(site: Site, handle: str) -> str:
    return Home(site.home(handle)).book.membership().account


def newest(client: Client) -> AlertLine | None:
    return next(iter(client.gateway.alerts()), None)


def test_whom_a_step_names_opens_what_was_sealed_before_it(site: Site, tmp_path: Path) -> None:
    install(site, account_of(site, KIM))
    box = Fridge(site, tmp_path, [GROUP], 'high = 8\nreport_every = 3600\nunit = "Cel"\n')
    with box.running():
        box.told(1)
        box.shows("9.2")
        box.told(2)
    # The device is gone. All that was sealed is on the chain.
    with client_of(site, LEE) as lee, client_of(site, KIM) as kim:
        alert = seen(lambda: newest(lee))
        line = seen(lambda: newest(kim))
        opened = [kim.read(delivered, kim.committed(delivered)) for delivered in kim.gateway.alert(alert.id)]

    assert (line.id, line.step, line.contract) == (alert.id, 0, "night")
    texts = [json.loads(each.text) for each in opened if each is not None and each.text is not None]
    assert [text["what"] for text in texts] == ["high"]


def inbox(site: Site, handle: str, *words: str) -> list[tuple[str, str]]:
    """What it shows of alerts: the event, and the state that the alert is in."""
    done = ran(cli.main, "--home", site.home(handle), "inbox", "--json", *words)
    assert (done.code, done.err) == (0, "")
    events = [json.loads(line) for line in done.out.splitlines()]
    return [(each["event"], each["alert"]["state"]) for each in events if each["alert"]]


def test_it_is_in_the_inbox_of_both_and_once(site: Site) -> None:
    assert inbox(site, KIM) == inbox(site, LEE) == [("opened", "start")]
    assert inbox(site, KIM) == inbox(site, LEE) == []
    assert inbox(site, KIM, "--all") == inbox(site, LEE, "--all") == [("opened", "start")]


def test_so_is_what_was_sealed_while_the_gateway_was_away(site: Site, tmp_path: Path) -> None:
    box = Fridge(site, tmp_path, [GROUP], 'high = 8\nreport_every = 3600\nunit = "Cel"\npriority = "low"\n')
    book, fault = Home(site.home(FRIDGE)).book, AlertHeader("technical", "low")
    with box.running():
        seen(lambda: book.route(GROUP, fault))
        # What was left of the other alert ends first.
        box.told(2)
        before = box.queued(EPISODE)
        site.stop()
        box.shows("no number")
        alert = seen(lambda: box.queued(EPISODE) - before or None)
        site.start()
        box.arrived(alert)
    with client_of(site, KIM) as kim:
        seen(lambda: next((each for each in kim.gateway.alerts() if each.kind == "technical"), None))

    assert sorted(inbox(site, KIM)) == [("opened", "end"), ("opened", "start")]
