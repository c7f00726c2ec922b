"""What a device's doctor finds at home, and what follows from what the gateway says."""

from contextlib import closing
from pathlib import Path

import pytest
from msgspec import structs

from chain import token
from chain.finding import Finding
from device import cli, doctor
from device.addressbook import Evidence
from device.client import Home
from device.errors import NotJoined
from device.outbox import Outbox
from tests.homes import settle
from tests.outboxes import Scribe
from tests.sites import ran
from tests.world import World

AGENT = """\
to = ["on-call"]
[sensors.load]
command = ["{command}", "device", "read", "load"]
mode = "poll"
every = 10
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    with World(tmp_path) as world:
        return settle(world, "alice", tmp_path / "alice")


def found(home: Home) -> dict[str, Finding]:
    return {each.what: each for each in doctor.examine(home)}


def test_who_never_joined_has_nothing_to_be_looked_at(tmp_path: Path) -> None:
    with pytest.raises(NotJoined):
        doctor.examine(Home(tmp_path))


def test_a_gateway_that_is_away_is_a_problem(home: Home) -> None:
    after = found(home)

    assert {what for what, each in after.items() if each.level == "problem"} == {"broker", "gateway"}
    assert {what for what, each in after.items() if each.level == "ok"} >= {"files", "agent.toml", "outbox"}


def test_joining_that_was_not_finished_is_a_problem(home: Home) -> None:
    home.book.set_membership(structs.replace(home.book.membership(), joined=False))

    assert "not finished" in found(home)["account"].detail


def test_keys_that_others_may_read_are_a_problem(home: Home) -> None:
    (home.directory / "keys-0001.json").chmod(0o644)

    after = found(home)

    assert (after["files"].level, after["account"].level) == ("problem", "problem")


def test_evidence_against_the_gateway_is_a_problem_and_nobody_is_asked(home: Home) -> None:
    home.book.set_evidence(Evidence(held="", shown="", reason="it shrank", at=1))

    after = found(home)

    assert after["trust"].detail == "the gateway is refused: it shrank"
    assert "gateway" not in after


def test_settings_that_are_wrong_are_named(home: Home) -> None:
    home.settings_file.write_text("to = 7\n", "utf-8")

    settings = found(home)["agent.toml"]

    assert settings.level == "problem"
    assert "to" in settings.detail


@pytest.mark.parametrize(("command", "level"), [("blockpost", "ok"), ("no-such-command", "problem")])
def test_a_sensors_command_has_to_be_there(home: Home, command: str, level: str) -> None:
    home.settings_file.write_text(AGENT.format(command=command), "utf-8")

    assert found(home)["agent.toml"].level == level


def test_what_was_refused_and_what_waits_for_long_are_warnings(home: Home) -> None:
    with closing(Outbox(home.outbox_file)) as outbox:
        queued = outbox.queue("message", Scribe().write)
        assert found(home)["outbox"].level == "ok"
        outbox.reject(queued.id, "contact", "no")

    assert found(home)["outbox"] == doctor.of_outbox(0, 1)
    assert doctor.of_outbox(0, 1).level == doctor.of_outbox(doctor.MANY_WAITING + 1, 0).level == "warning"


@pytest.mark.parametrize("sign", [1, -1])
def test_a_clock_that_differs_is_a_warning(sign: int) -> None:
    limit = token.LEEWAY * 1000 // 2

    assert doctor.of_offset(sign * limit).level == "ok"
    assert doctor.of_offset(sign * (limit + 1)).level == "warning"


def test_the_command_ends_with_1_if_there_is_a_problem(home: Home) -> None:
    done = ran(cli.main, "--home", home.directory, "doctor")

    assert done.code == 1
    assert "problem  gateway" in done.out


def test_an_outbox_that_cannot_be_read_is_a_problem(home: Home) -> None:
    home.outbox_file.write_bytes(b"hello" * 1000)

    assert found(home)["outbox"].level == "problem"
