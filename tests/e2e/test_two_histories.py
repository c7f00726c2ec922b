"""
Must hold: a device refuses a gateway that shows it a shorter or different history, and says so in
`device status`. That gateway is played by the real one, with its own key, over a file that was tampered with.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from device import cli
from device.client import Home
from device.content import TEXT
from device.outbox import Outbox
from provisioning.admin import cli as admin
from provisioning.site import Site
from tests.sites import BOTH_KINDS, Done, client_of, copied_chain, enter, invited, ran, run_on, running_site

TAMPERED = pytest.mark.parametrize("history", ["shorter", "longer"], indirect=True, scope="module")
AGENT = """
to = ["admin"]
[sensors.one]
mode = "poll"
every = 1
command = ["echo", "1"]
"""


class Ward:
    """
    A gateway with an admin and one device, which has committed two messages and has a third one waiting.

    `chains` are what the gateway may show from now on.
    """

    def __init__(self, site: Site) -> None:
        self.site = site
        code = invited(site, "sensor-1", kind="device")
        self.chains = {"stranger": copied_chain(site, "stranger")}
        enter(site, "sensor-1", code)
        self._admin("link", "sensor-1", "admin")
        self.chains["shorter"] = copied_chain(site, "shorter")
        other_admin = shutil.copytree(site.home("admin"), site.home("admin-elsewhere"))
        for text in ("one", "two"):
            assert ran(cli.main, "--home", site.home("sensor-1"), "send", "admin", text).code == 0
        self.chains["honest"] = copied_chain(site, "honest")
        self.show("shorter")
        for number in range(3):
            assert ran(admin.main, "--home", other_admin, "invite", f"nobody-{number}").code == 0
        self.chains["longer"] = copied_chain(site, "longer")
        site.stop()
        self._leave_one_waiting()

    def _admin(self, *words: str) -> None:
        assert ran(admin.main, "--home", self.site.home("admin"), *words).code == 0

    def show(self, name: str) -> None:
        run_on(self.site, self.chains[name])

    def _leave_one_waiting(self) -> None:
        home = Home(self.site.home("sensor-1"))
        home.settings_file.write_text(AGENT, "utf-8")
        with client_of(self.site, "sensor-1") as client:
            client.write_message(client.directory.addressee("admin"), "three", cty=TEXT)


class Device:
    """The ward's device as it was before it met the gateway anew."""

    def __init__(self, directory: Path) -> None:
        self.home = Home(directory)

    def __call__(self, *words: str) -> Done:
        return ran(cli.main, "--home", self.home.directory, *words)

    def status(self) -> tuple[int, Any]:
        done = self("status", "--json")
        return done.code, json.loads(done.out)

    def waiting(self) -> int:
        with closing(Outbox(self.home.outbox_file)) as outbox:
            return outbox.waiting()


pytestmark = BOTH_KINDS


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory, *, lan: bool) -> Iterator[Ward]:
    with running_site(tmp_path_factory.mktemp("ward"), lan=lan) as site:
        yield Ward(site)


@pytest.fixture(scope="module")
def history(request: pytest.FixtureRequest, ward: Ward) -> str:
    """The gateway shows this history now."""
    ward.show(request.param)
    return str(request.param)


@pytest.fixture
def device(ward: Ward, tmp_path: Path) -> Device:
    return Device(shutil.copytree(ward.site.home("sensor-1"), tmp_path / "home"))


@TAMPERED
def test_status_says_that_the_gateway_is_refused_and_why(history: str, device: Device) -> None:
    code, status = device.status()

    assert (code, status["gateway"], status["reachable"]) == (1, "refused", True)
    assert {"shorter": "entries long", "longer": "consistency proof"}[history] in status["reason"]


@TAMPERED
def test_a_caught_gateway_is_not_asked_again(history: str, device: Device) -> None:
    device.status()

    code, status = device.status()
    sent = device("send", "admin", "four")

    assert (code, status["gateway"], status["reachable"]) == (1, "refused", False)
    assert sent.code == 1
    assert "this gateway is refused" in sent.err


@TAMPERED
@pytest.mark.parametrize(
    "words",
    [("send", "admin", "four"), ("inbox",), ("inbox", "--follow"), ("run",)],
    ids=["send", "inbox", "follow", "run"],
)
def test_the_first_command_that_meets_it_ends_and_releases_nothing(
    history: str, device: Device, words: tuple[str, ...]
) -> None:
    done = device(*words)

    assert done.code == 1
    assert "another history than before" in done.err
    assert device.home.book.evidence() is not None
    assert device.waiting() >= 1


@TAMPERED
def test_what_waits_can_still_be_seen(history: str, device: Device) -> None:
    device.status()

    done = device("outbox")

    assert (done.code, done.out.count("waiting")) == (0, 1)


@pytest.mark.parametrize("history", ["stranger"], indirect=True, scope="module")
def test_a_gateway_that_does_not_know_the_device_is_refused_but_not_caught(
    history: str, device: Device
) -> None:
    code, status = device.status()

    assert (code, status["gateway"]) == (1, "refused")
    assert device.home.book.evidence() is None


@pytest.mark.parametrize("history", ["honest"], indirect=True, scope="module")
def test_the_true_history_is_trusted_and_what_waited_goes_out(history: str, device: Device) -> None:
    sent = device("send", "admin", "four")
    code, status = device.status()

    assert (sent.code, sent.err) == (0, "")
    assert (code, status["gateway"], status["reason"], status["waiting"]) == (0, "trusted", None, 0)
