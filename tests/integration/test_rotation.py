"""`blockpost device rotate`: new keys for an account, whatever moment the power fails in."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from chain import durable
from chain.entry import Key
from device import cli, identity, rotation
from device.client import Client, Home
from device.errors import Unreachable
from device.identity import KeySet
from device.keys import SigningSecret
from device.outbox import Queued
from provisioning.site import Site
from tests.homes import new_keys
from tests.sites import Done, added, client_of, ran, running_site

LEE, KIM = "dr.lee", "dr.kim"

KILLED = """
import os, pkgutil, signal, sys

owner, name, moment, home = sys.argv[1:]
owner = pkgutil.resolve_name(owner)
kept = getattr(owner, name)

def interrupted(*args, **kwargs):
    done = None if moment == "before" else kept(*args, **kwargs)
    os.kill(os.getpid(), signal.SIGKILL)
    return done

setattr(owner, name, interrupted)
from device import cli
cli.main(["--home", home, "rotate"])
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Two who are contacts."""
    with running_site(tmp_path_factory.mktemp("site")) as site:
        lee, kim = added(site, LEE), added(site, KIM)
        assert on(site, LEE, "contact", "request", kim.account).code == 0
        assert on(site, KIM, "contact", "accept", lee.account).code == 0
        yield site


def on(site: Site, handle: str, *words: str) -> Done:
    return ran(cli.main, "--home", site.home(handle), *words)


@pytest.fixture
def home(site: Site) -> Home:
    """Lee's, with the next keys made: that takes seconds."""
    home = Home(site.home(LEE))
    account = home.book.membership().account
    following = KeySet(account, SigningSecret.make(), new_keys().sealing)
    (home.directory / "successor.json").unlink(missing_ok=True)
    # Those of the tests before take a moment each, whenever a command reads them.
    for old in sorted(home.directory.glob(identity.GENERATIONS))[:-1]:
        old.unlink()
    durable.create(home.directory / "successor.json", following.to_json())
    return home


def kid(home: Home) -> str:
    return identity.load(home.directory).signing.thumbprint


def next_kid(home: Home) -> str:
    return identity.prepare(home.directory).signing.thumbprint


def chains_kid(site: Site) -> str:
    """The signing key that the chain has for Lee, as Kim finds it."""
    with client_of(site, KIM) as kim:
        kim.directory.addressee(LEE)
        (pin,) = [pin for pin in kim.book.pins() if pin.handle == LEE]
        return pin.sign.thumbprint


def works(site: Site, home: Home) -> None:
    """Lee writes, Kim reads it, and answers with what Lee can open."""
    assert on(site, LEE, "send", KIM, "with new keys").code == 0
    assert on(site, KIM, "inbox").out.endswith(" verified]\n")
    assert on(site, KIM, "send", LEE, "I see").code == 0
    assert "dr.kim: I see [entry" in on(site, LEE, "inbox").out
    assert chains_kid(site) == kid(home)
    with client_of(site, LEE) as client:
        assert client.outbox.waiting() == 0


def killed(home: Home, place: str, moment: str) -> None:
    owner, _, name = place.rpartition(".")
    words = [sys.executable, "-c", KILLED, owner, name, moment, str(home.directory)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr


def test_the_new_keys_are_in_force_here_and_on_the_chain(site: Site, home: Home) -> None:
    before, following = kid(home), next_kid(home)

    done = on(site, LEE, "rotate")

    assert (done.code, done.out) == (0, f"new keys: {following}\n")
    assert kid(home) == following != before
    assert not rotation.is_begun(home)
    works(site, home)


def test_keys_are_made_where_none_were_prepared(site: Site, home: Home) -> None:
    before = kid(home)
    (home.directory / "successor.json").unlink()

    done = on(site, LEE, "rotate")

    assert done.code == 0
    assert "making an RSA key" in done.err
    assert kid(home) != before
    works(site, home)


def test_what_was_sealed_for_the_old_keys_still_opens(site: Site, home: Home) -> None:
    assert on(site, KIM, "send", LEE, "for the old key").code == 0

    assert on(site, LEE, "rotate").code == 0

    assert "for the old key" in on(site, LEE, "inbox").out


@pytest.mark.parametrize(
    ("place", "moment", "announced"),
    [
        ("device.identity.prepare", "after", False),
        ("device.client.Client.write", "after", True),
        ("device.rotation._hand_in", "after", True),
        ("device.identity.adopt", "before", True),
    ],
    ids=["with keys made", "with the entry written", "with the entry committed", "with the receipt verified"],
)
def test_a_rotation_that_was_killed_goes_on(
    site: Site,
    home: Home,
    place: str,
    moment: str,
    announced: bool,  # noqa: FBT001
) -> None:
    before, following = kid(home), next_kid(home)
    killed(home, place, moment)
    assert kid(home) == before
    with closing(Client(home)) as client:
        assert (rotation.announced(client.outbox, identity.prepare(home.directory)) is not None) is announced

    done = on(site, LEE, "rotate")

    assert (done.code, done.err) == (0, done.err)
    assert kid(home) == following
    works(site, home)


def test_one_that_was_killed_with_the_keys_adopted_is_done(site: Site, home: Home) -> None:
    following = next_kid(home)

    killed(home, "device.identity.adopt", "after")

    assert kid(home) == following
    # The entry that is still in the outbox goes with the next command, and is receipted again.
    with client_of(site, LEE) as client:
        assert client.outbox.waiting() == 1
        client.send_commands()
    works(site, home)


def test_an_agent_that_starts_finishes_what_was_begun(site: Site, home: Home) -> None:
    following = next_kid(home)
    killed(home, "device.rotation._hand_in", "after")
    (home.directory / "agent.toml").write_text(
        f'to = ["{KIM}"]\n[sensors.door]\nmode = "poll"\nevery = 1\nunit = "Cel"\ncommand = ["echo", "4.5"]\n'
    )
    heard: list[str] = []
    process = site.device(LEE, "run", "--json", hear=lambda event: heard.append(event["event"]))
    try:
        while "receipted" not in heard:
            assert process.is_running
            time.sleep(0.1)
    finally:
        process.stop()

    assert kid(home) == following
    works(site, home)


def test_an_agent_leaves_keys_alone_that_nobody_announced(site: Site, home: Home) -> None:
    before = kid(home)

    assert rotation.resume(home) is False

    assert kid(home) == before


def test_no_agent_may_run_meanwhile(site: Site, home: Home) -> None:
    before = kid(home)
    heard: list[str] = []
    process = site.device(LEE, "inbox", "--follow", "--json", hear=lambda event: heard.append(event["text"]))
    try:
        on(site, KIM, "send", LEE, "are you there?")
        while "are you there?" not in heard:
            assert process.is_running
            time.sleep(0.1)
        done = on(site, LEE, "rotate")
    finally:
        process.stop()

    assert (done.code, kid(home)) == (1, before)
    assert "another agent is running on this account" in done.err


def test_messages_that_wait_go_first(site: Site, home: Home) -> None:
    before = kid(home)
    with client_of(site, LEE) as client:
        queued = client.write_message(client.directory.addressee(KIM), "not yet", cty="text/plain")

    done = on(site, LEE, "rotate")

    assert (done.code, kid(home)) == (1, before)
    assert "1 messages wait to be sent" in done.err
    with client_of(site, LEE) as client:
        client.outbox.reject(queued.id, "unknown", "the test is over")


def test_what_was_written_in_the_last_moment_is_set_apart_and_stops_nothing(
    site: Site, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_in = rotation._hand_in

    def with_a_message(old: Client, queued: Queued) -> None:
        old.write_message(old.directory.addressee(KIM), "just now", cty="text/plain")
        hand_in(old, queued)

    monkeypatch.setattr(rotation, "_hand_in", with_a_message)

    assert on(site, LEE, "rotate").code == 0

    rejected = [json.loads(line) for line in on(site, LEE, "outbox", "--json").out.splitlines()]
    assert [(line["rule"], line["reason"]) for line in rejected if line["rule"] == "key"] == [
        ("key", "it was signed just before the keys changed: send it again")
    ]
    works(site, home)


def test_commands_that_were_left_behind_go_with_the_key_that_signed_them(site: Site, home: Home) -> None:
    with client_of(site, LEE) as client:
        client.write(
            "command", Key, account=client.account, sign=client.identity.signing, seal=client.identity.sealing
        )

    assert on(site, LEE, "rotate").code == 0

    works(site, home)


def test_a_gateway_that_is_away_changes_nothing(
    site: Site, home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = kid(home)
    membership = home.book.membership()

    def nobody(*_: object) -> None:
        raise Unreachable("nobody there")

    monkeypatch.setattr("device.rest.Gateway.submit", nobody)
    done = on(site, LEE, "rotate")
    monkeypatch.undo()

    assert (done.code, kid(home)) == (1, before)
    assert "nobody there" in done.err
    assert home.book.membership() == membership
    assert on(site, LEE, "doctor").out.count("a change of keys was begun and not finished") == 1
    assert on(site, LEE, "rotate").code == 0
    works(site, home)


def test_who_has_a_password_is_told_that_the_page_has_the_old_keys(site: Site, home: Home) -> None:
    assert ran(cli.main, "--home", home.directory, "password", "--stdin", stdin="correct horse\n").code == 0

    done = on(site, LEE, "rotate")

    assert "set its password anew: blockpost device password" in done.err
