"""Handing on an alert to somebody who came to the group later, through a real gateway."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from chain.entry import Contact
from device import cli
from device.client import Home
from device.content import FORWARD
from provisioning.admin import cli as admin
from provisioning.site import Site
from tests.sites import Done, added, client_of, ran, running_site

LEE, KIM, FRIDGE = "dr.lee", "dr.kim", "fridge-2"
WORDS = "the fridge is open"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A fridge that may write to a ward, in which there is one clinician."""
    with running_site(tmp_path_factory.mktemp("site")) as site:
        for handle in (LEE, KIM):
            added(site, handle)
        added(site, FRIDGE, kind="device")
        done = ran(admin.main, "--home", site.home("admin"), "group", "ward", LEE)
        assert done.code == 0, done.err
        fridge = Home(site.home(FRIDGE)).book.membership().account
        with client_of(site, "admin") as client:
            (ward,) = client.gateway.groups()
            client.say(Contact, action="link", of=fridge, peer=ward.id)
        yield site


def device(site: Site, handle: str, *words: str) -> Done:
    return ran(cli.main, "--home", site.home(handle), *words)


def opened(site: Site, handle: str) -> list[dict[str, Any]]:
    done = device(site, handle, "inbox", "--all", "--json")
    assert (done.code, done.err) == (0, "")
    return [event for event in map(json.loads, done.out.splitlines()) if event["event"] == "opened"]


def sends(site: Site, handle: str, to: str, *more: str) -> str:
    """The id of the message."""
    done = device(site, handle, "send", to, WORDS, "--json", *more)
    assert done.code == 0, done.err
    # What waited goes first.
    *_, last = [event for event in map(json.loads, done.out.splitlines()) if event["event"] == "receipted"]
    return str(last["id"])


def test_a_newcomer_reads_an_alert_that_a_member_hands_on(site: Site) -> None:
    alert = sends(site, FRIDGE, "ward", "--alert", "high")
    done = ran(admin.main, "--home", site.home("admin"), "group", "ward", LEE, KIM)
    assert done.code == 0, done.err

    handed_on = device(site, LEE, "forward", alert, "ward")

    assert (handed_on.code, handed_on.err) == (0, "")
    (event,) = [event for event in opened(site, KIM) if event["cty"] == FORWARD]
    assert event["re"] == alert
    original = event["original"]
    assert (original["event"], original["id"], original["from"]) == ("opened", alert, FRIDGE)
    assert (original["text"], original["alert"]["priority"]) == (WORDS, "high")
    shown = device(site, KIM, "inbox", "--all").out
    assert f"{FRIDGE}: {WORDS} [entry {original['index']}, verified; handed on by {LEE}]" in shown


def test_what_the_author_did_not_say_is_shown_as_not_proven(site: Site) -> None:
    alert = sends(site, FRIDGE, "ward", "--alert", "high")
    with client_of(site, LEE) as lee:
        forged = json.dumps({"about": alert, "cty": "text/plain", "content": "all is well", "fk": "A" * 43})
        queued = lee.write_message(lee.directory.addressee("ward"), forged, cty=FORWARD, re=alert)
    sends(site, LEE, "ward")

    (event,) = [event for event in opened(site, KIM) if event["id"] == queued.id]
    assert event["original"] == {"event": "unproven", "reason": "forward: not what its author said"}
    assert f"{LEE}: (handed on, not proven) all is well" in device(site, KIM, "inbox", "--all").out


def test_a_message_that_one_cannot_open_is_not_handed_on(site: Site) -> None:
    note = sends(site, LEE, "ward")

    unknown = device(site, FRIDGE, "forward", note, "ward")
    mistyped = device(site, LEE, "forward", "../x", "ward")

    assert (unknown.code, mistyped.code) == (1, 1)
    assert "Traceback" not in unknown.err + mistyped.err
