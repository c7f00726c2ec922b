"""Limits that people set by message: a real agent, a real broker and gateway, and those who ask."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chain.entry import Contact, Message
from device import cli
from device.changes import POSITION
from device.client import Home
from device.content import EPISODE, SETTINGS
from provisioning.site import Site
from tests.fridges import FRIDGE, PATIENCE, Fridge
from tests.sites import Done, added, client_of, ran, running_site

LEE, KIM = "dr.lee", "dr.kim"
LIMITS = 'high = 8\nclear_by = 0.5\nreport_every = 3600\nunit = "Cel"\n'


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Two clinicians that a fridge may write to."""
    with running_site(tmp_path_factory.mktemp("site")) as site:
        accounts = [added(site, handle).account for handle in (LEE, KIM)]
        added(site, FRIDGE, kind="device")
        fridge = Home(site.home(FRIDGE)).book.membership().account
        with client_of(site, "admin") as admin:
            for account in accounts:
                admin.say(Contact, action="link", of=fridge, peer=account)
        yield site


@pytest.fixture
def fridge(site: Site, tmp_path: Path) -> Iterator[Fridge]:
    """It alerts one of them, and nobody has set anything yet."""
    fridge = Fridge(site, tmp_path, [LEE], LIMITS)
    yield fridge
    with client_of(site, FRIDGE) as client:
        client.outbox.forget_limits("fridge")
        goes_on = bool(client.outbox.episodes())
    if goes_on:
        fridge.shows("5")
        with fridge.running():
            fridge.told(1)


def device(site: Site, handle: str, *words: str) -> Done:
    return ran(cli.main, "--home", site.home(handle), *words)


def asks(site: Site, handle: str, *words: str) -> str:
    """The id of the request."""
    done = device(site, handle, "set-limits", FRIDGE, "fridge", *words, "--json")
    assert (done.code, done.err) == (0, "")
    (receipted,) = [
        event for event in map(json.loads, done.out.splitlines()) if event["event"] == "receipted"
    ]
    return str(receipted["id"])


def answers(received: list[Any], request: str) -> list[Any]:
    """What the device said to a request."""
    return [
        json.loads(event["text"]) for event in received if event["cty"] == SETTINGS and event["re"] == request
    ]


def alerts(received: list[Any]) -> list[tuple[str, float]]:
    """State, and the limit that it is about."""
    return [
        (event["alert"]["state"], json.loads(event["text"])["limit"])
        for event in received
        if event["cty"] == EPISODE
    ]


def announced(fridge: Fridge, high: float) -> None:
    """Wait until the device has said that this is in force, and that nobody has set it."""
    deadline = time.monotonic() + PATIENCE
    wanted = {"sensor": "fridge", "high": high, "clear_by": 0.5, "priority": "medium", "unit": "Cel"}
    said: list[Any] = []
    while said[-1:] != [{"sensors": [wanted]}]:
        assert time.monotonic() < deadline, said
        said = [
            json.loads(event["text"])
            for event in fridge.inbox(LEE)
            if (event["cty"], event["re"]) == (SETTINGS, None)
        ]


def in_force(site: Site) -> dict[str, Any]:
    """What was set of the fridge."""
    with client_of(site, FRIDGE) as client:
        held = client.outbox.limits().get("fridge")
    return {} if held is None else held.given.given


def test_a_device_says_its_limits_when_it_begins_and_not_again(site: Site, fridge: Fridge) -> None:
    fridge.says(LIMITS.replace("8", "8.25"))
    with fridge.running():
        announced(fridge, 8.25)
    before = len(fridge.inbox(LEE))
    with fridge.running():
        fridge.told(1)

    assert SETTINGS not in {event["cty"] for event in fridge.inbox(LEE)[before:]}


def test_a_limit_that_a_person_sets_is_confirmed_and_in_force(site: Site, fridge: Fridge) -> None:
    with fridge.running():
        fridge.told(1)
        request = asks(site, LEE, "--high", "7")
        fridge.answered(request)
        fridge.shows("7.5")
        fridge.told(2)

    received = fridge.inbox(LEE)
    (answer,) = answers(received, request)
    (sensor,) = answer["sensors"]
    assert (sensor["high"], sensor["clear_by"], sensor["request"]) == (7, 0.5, request)
    assert sensor["by"] == Home(site.home(LEE)).book.membership().account
    assert "refused" not in answer
    assert alerts(received) == [("start", 7)]
    assert device(site, FRIDGE, "check-config").out.splitlines()[1] == (
        "  medium alert when above 7 Cel; over when 0.5 Cel inside again"
    )
    assert device(site, FRIDGE, "limits").out.startswith("fridge: high = 7.0, set by dr.lee on 20")
    assert "limits: fridge: high = 7.0, set by dr.lee on 20" in device(site, FRIDGE, "status").out


def test_a_limit_that_was_set_outlives_a_kill_of_the_agent(site: Site, fridge: Fridge) -> None:
    with fridge.running() as agent:
        fridge.told(1)
        request = asks(site, LEE, "--high", "7")
        fridge.answered(request)
        agent.kill()
    fridge.shows("7.5")
    with fridge.running():
        fridge.told(1)

    received = fridge.inbox(LEE)
    assert len(answers(received, request)) == 1
    assert alerts(received) == [("start", 7)]


@pytest.mark.parametrize("seconds", [0.6, 0.9, 1.2, 1.5])
def test_whenever_the_agent_is_killed_what_is_confirmed_is_in_force_and_nothing_else(
    site: Site, fridge: Fridge, seconds: float
) -> None:
    request = asks(site, LEE, "--high", "7")

    with fridge.running() as agent:
        time.sleep(seconds)
        agent.kill()

    with client_of(site, FRIDGE) as client:
        waiting = [queued.parcel.load().signed.entry for queued in client.outbox.pending("message", 100)]
        held = client.outbox.limits().get("fridge")
    confirmed = request in {said.re for said in waiting if isinstance(said, Message)}
    assert (held is not None) == (confirmed or bool(answers(fridge.inbox(LEE), request)))


def test_an_episode_that_goes_on_is_judged_by_the_new_limit(site: Site, fridge: Fridge) -> None:
    with fridge.running():
        fridge.told(1)
        fridge.shows("9")
        fridge.told(2)
        fridge.answered(asks(site, LEE, "--high", "8.75"))
        fridge.answered(asks(site, LEE, "--high", "10"))
        fridge.told(3)

    assert alerts(fridge.inbox(LEE)) == [("start", 8), ("end", 10)]


def test_a_contact_that_is_not_alerted_is_refused(site: Site, fridge: Fridge) -> None:
    with fridge.running():
        fridge.told(1)
        request = asks(site, KIM, "--high", "20")
        fridge.answered(request)

    assert answers(fridge.inbox(KIM), request) == [
        {"sensors": [], "refused": "there is no sensor 'fridge' here whose limits you may change"}
    ]
    assert in_force(site) == {}


def test_who_may_change_limits_can_be_said_in_the_settings(site: Site, fridge: Fridge) -> None:
    fridge.says(LIMITS, above=f'limits_from = ["{KIM}"]')
    with fridge.running():
        fridge.told(1)
        refused, taken = asks(site, LEE, "--high", "20"), asks(site, KIM, "--high", "7")
        fridge.answered(refused)
        fridge.answered(taken)

    assert [answer["refused"] for answer in answers(fridge.inbox(LEE), refused)] == [
        "there is no sensor 'fridge' here whose limits you may change"
    ]
    (answer,) = answers(fridge.inbox(KIM), taken)
    assert answer["sensors"][0]["high"] == 7
    assert in_force(site) == {"high": 7}


def test_limits_that_contradict_one_another_are_refused_in_words(site: Site, fridge: Fridge) -> None:
    with fridge.running():
        fridge.told(1)
        request = asks(site, LEE, "--low", "9")
        fridge.answered(request)

    (answer,) = answers(fridge.inbox(LEE), request)
    assert answer["refused"] == "fridge: low: want less than high, which is 8, got 9"
    assert answer["sensors"][0]["high"] == 8
    assert in_force(site) == {}


def test_an_older_request_that_arrives_late_changes_nothing(site: Site, fridge: Fridge) -> None:
    older = asks(site, LEE, "--high", "6", "--low", "1")
    newer = asks(site, LEE, "--high", "7")
    with fridge.running():
        fridge.answered(newer)
    assert in_force(site) == {"high": 7, "low": 1}
    with client_of(site, FRIDGE) as client:
        client.outbox.set_counter(POSITION, 0)

    with fridge.running():
        fridge.told(1)
        last = asks(site, LEE, "--must-last", "0")
        fridge.answered(last)

    received = fridge.inbox(LEE)
    assert [len(answers(received, request)) for request in (older, newer, last)] == [1, 1, 1]
    assert in_force(site) == {"high": 7, "low": 1, "must_last": 0}


def test_a_settings_file_that_says_something_else_counts_again(site: Site, fridge: Fridge) -> None:
    with fridge.running():
        fridge.told(1)
        fridge.answered(asks(site, LEE, "--high", "7"))
    fridge.says(LIMITS.replace("8", "9"))
    with fridge.running():
        announced(fridge, 9)

    assert device(site, FRIDGE, "limits").out == "all limits are those of the settings file\n"


def test_what_was_set_can_be_forgotten_while_the_agent_runs(site: Site, fridge: Fridge) -> None:
    with fridge.running():
        fridge.told(1)
        fridge.answered(asks(site, LEE, "--high", "7"))
        assert device(site, FRIDGE, "limits", "--forget", "fridge").code == 0
        announced(fridge, 8)
    again = device(site, FRIDGE, "limits", "--forget", "fridge")
    assert (again.code, again.err) == (
        1,
        "blockpost device limits: fridge: nobody has set limits of a sensor of this name\n",
    )


@pytest.mark.parametrize("words", [(), ("--must-last", "-1"), ("--high", "nan")])
def test_what_is_no_limit_is_not_asked_for(site: Site, words: tuple[str, ...]) -> None:
    assert device(site, LEE, "set-limits", FRIDGE, "fridge", *words).code == 1


@pytest.mark.parametrize("words", [("--priority", "urgent"), ("--high", "warm")])
def test_what_cannot_be_a_limit_is_a_mistake_of_usage(site: Site, words: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit):
        device(site, LEE, "set-limits", FRIDGE, "fridge", *words)
