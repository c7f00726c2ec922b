"""An annunciator from end to end: its real process and commands, a real broker and gateway, and somebody who takes alerts."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from chain.contracts.terms import Escalate, EscalateParams, Step
from chain.entry import Contact, Contract, Status
from device import cli
from device.client import Home
from device.patterns import EXAMPLE
from provisioning.admin.groups import define, new_group
from provisioning.site import Process, Site
from tests.sites import BOTH_KINDS, added, client_of, ran, running_site

pytestmark = BOTH_KINDS

LEE, FRIDGE, BELL, ON_CALL = "dr.lee", "fridge-2", "bell-1", "on-call"
PATIENCE = 30.0


@pytest.fixture(scope="module")
def lan(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, lan: bool) -> Iterator[Site]:  # noqa: FBT001 - a fixture
    """A clinician and a bell on call, and a fridge that may write to whoever is."""
    with running_site(tmp_path_factory.mktemp("site"), lan=lan) as site:
        lee, fridge = added(site, LEE), added(site, FRIDGE, kind="device")
        bell = added(site, BELL, kind="device")
        group = new_group()
        with client_of(site, "admin") as admin:
            define(admin, group, ON_CALL, [lee.account, bell.account])
            admin.say(Contact, action="link", of=fridge.account, peer=group)
        yield site


class Bell:
    """The annunciator of the site: what its commands wrote."""

    def __init__(self, site: Site, folder: Path) -> None:
        self._site, self._log = site, folder / "log"
        says = f'echo "$BLOCKPOST_SOUND $BLOCKPOST_PRIORITY $BLOCKPOST_COUNT $$" >> {self._log}'
        beeps, holds = json.dumps(["sh", "-c", says]), json.dumps(["sh", "-c", f"{says}; exec sleep 600"])
        tables = [f'[{name}]\nmode = "once"\ncommand = {beeps}\n' for name in ("low", "nobody", "fault")]
        (site.home(BELL) / "annunciator.toml").write_text(
            f'fault_after = 3\n[high]\nmode = "repeat"\nevery = 0.2\ncommand = {beeps}\n'
            f'[medium]\nmode = "hold"\ncommand = {holds}\n{"".join(tables)}[quiet]\ncommand = {beeps}\n',
            "utf-8",
        )

    @contextmanager
    def running(self) -> Iterator[Process]:
        process = self._site.device(BELL, "annunciate", hear=lambda _: None)
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                process.kill()

    @property
    def lines(self) -> list[list[str]]:
        return [line.split(" ") for line in self._log.read_text().splitlines()] if self._log.exists() else []

    def sounded(self, *wanted: str) -> list[str]:
        """Wait until the newest command that was run is one of these tables'; what it wrote."""
        deadline = time.monotonic() + PATIENCE
        while not self.lines or self.lines[-1][0] not in wanted:
            assert time.monotonic() < deadline, self.lines
            time.sleep(0.02)
        return self.lines[-1]


@pytest.fixture
def bell(site: Site, tmp_path: Path) -> Bell:
    return Bell(site, tmp_path)


def raised(site: Site, priority: str) -> str:
    """A new alert of the fridge's to whoever is on call: its id."""
    done = ran(
        cli.main, "--home", site.home(FRIDGE), "send", ON_CALL, "it is warm", "--alert", priority, "--json"
    )
    assert done.code == 0, done.err
    events: list[Any] = [json.loads(line) for line in done.out.splitlines()]
    (alert,) = [event for event in events if event["event"] == "alert"]
    return str(alert["id"])


def says(site: Site, about: str, state: str, **more: Any) -> None:
    with client_of(site, LEE) as lee:
        lee.say(Status, about=about, state=state, **more)


def test_an_alert_sounds_until_it_is_taken(site: Site, bell: Bell) -> None:
    with bell.running():
        bell.sounded("quiet")

        alert = raised(site, "high")
        assert bell.sounded("high")[1:3] == ["high", "1"]

        says(site, alert, "taken")
        bell.sounded("quiet")


def test_it_sounds_again_after_a_kill(site: Site, bell: Bell) -> None:
    with bell.running() as first:
        bell.sounded("quiet")
        alert = raised(site, "medium")
        held = int(bell.sounded("medium")[3])
        first.kill()
    gone(lambda: is_alive(held))

    with bell.running():
        gone(lambda: len(bell.lines) < 3)
        assert bell.sounded("medium")[1:3] == ["medium", "1"]

        says(site, alert, "resolved")
        bell.sounded("quiet")


def test_a_snooze_silences_it_and_ends(site: Site, bell: Bell) -> None:
    with bell.running():
        bell.sounded("quiet")
        alert = raised(site, "low")
        bell.sounded("low")

        says(site, alert, "snoozed", until=time.time_ns() // 1_000_000 + 4000, reason="care")
        bell.sounded("quiet")

        bell.sounded("low")
        says(site, alert, "taken")
        bell.sounded("quiet")


def test_nobody_answered_is_loud(site: Site, bell: Bell) -> None:
    with client_of(site, FRIDGE) as fridge:
        group = fridge.directory.addressee(ON_CALL).to
    params = EscalateParams(steps=[Step(to=group, after=0)], wait=1, laps=1)
    terms = Escalate(version=1, when='priority == "low"', params=params)
    with client_of(site, "admin") as admin:
        admin.say(Contract, action="install", contract="ward", terms=terms)
    try:
        with bell.running():
            bell.sounded("quiet")
            alert = raised(site, "low")
            assert bell.sounded("nobody")[1:3] == ["low", "1"]

            says(site, alert, "taken")
            bell.sounded("quiet")
    finally:
        with client_of(site, "admin") as admin:
            admin.say(Contract, action="remove", contract="ward")


def test_a_gateway_that_is_away_sounds_too_and_what_is_open_goes_on(site: Site, bell: Bell) -> None:
    with bell.running():
        bell.sounded("quiet")
        site.stop()
        try:
            bell.sounded("fault")
        finally:
            site.start()
        bell.sounded("quiet")


def test_one_that_was_away_hears_what_happened_meanwhile(site: Site, bell: Bell) -> None:
    alert = raised(site, "high")
    with bell.running():
        bell.sounded("high")
        says(site, alert, "taken")
        bell.sounded("quiet")


def is_alive(pid: int) -> bool:
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def gone(still: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while still():
        assert time.monotonic() < deadline
        time.sleep(0.02)


# Its settings


def test_the_example_is_printed_and_can_be_checked(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "annunciator.toml"
    example = ran(cli.main, "annunciate", "--example").out
    file.write_text(example, "utf-8")

    done = ran(cli.main, "annunciate", "--config", file, "--check")

    assert example == EXAMPLE
    assert done.code == 0
    assert "high: every 2 s aplay " in done.out
    assert "nobody: keeps running gpioset " in done.out
    assert "not heard: info\n" in done.out
    assert "fault sounds 60 s after the gateway was lost\n" in done.out


def test_an_installer_hears_a_command(site: Site, bell: Bell) -> None:
    done = ran(cli.main, "--home", site.home(BELL), "annunciate", "--test", "nobody")

    assert (done.code, done.err) == (0, "")
    assert [line[0] for line in bell.lines] == ["nobody"]


def test_an_installer_learns_what_is_wrong(site: Site, bell: Bell, tmp_path: Path) -> None:
    file = tmp_path / "annunciator.toml"
    file.write_text(
        '[high]\nmode = "once"\ncommand = ["false"]\n[fault]\nmode = "once"\ncommand = ["true"]\n'
    )

    wrong = ran(cli.main, "annunciate", "--config", file, "--test", "high")
    other = ran(cli.main, "annunciate", "--config", file, "--test", "low")
    missing = ran(cli.main, "--home", tmp_path, "annunciate", "--config", tmp_path / "none.toml")

    assert (wrong.code, wrong.err) == (1, "high: status 1\n")
    assert other.code == 1
    assert "--test: want one of high, fault, got 'low'" in other.err
    assert missing.code == 1
    assert "cannot be read" in missing.err


def test_an_account_that_somebody_else_works_for_is_told(site: Site, bell: Bell) -> None:
    """And sounds, since it hears nothing: the one that runs may be stopped."""
    with bell.running():
        bell.sounded("quiet")
        with bell.running() as second:
            bell.sounded("fault")
            second.stop()
    assert "another agent is running" in (Home(site.home(BELL)).directory.parent / f"{BELL}.log").read_text()
