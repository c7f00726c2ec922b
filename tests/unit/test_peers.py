"""Synapse beside ours: what can be said without Synapse. Nobody is asked on the network here."""

import base64
import json
import venv
from pathlib import Path
from typing import Any

import pytest

from bench import cli, peers, synapse
from bench.errors import BenchError
from bench.peers import Options, With
from bench.site import SEALED_BYTES
from bench.synapse import Device, Environment, Server


def test_an_event_is_as_long_as_one_of_our_sealed_messages() -> None:
    event = synapse.event("a session")

    assert event["algorithm"] == "m.megolm.v1.aes-sha2"
    assert len(event["ciphertext"]) == len(base64.urlsafe_b64encode(bytes(SEALED_BYTES)))


def test_it_listens_on_loopback_alone_and_limits_nobody(tmp_path: Path) -> None:
    told = synapse.settings(tmp_path, 8008)

    assert [(each["bind_addresses"], each["port"]) for each in told["listeners"]] == [(["127.0.0.1"], 8008)]
    assert told["database"]["name"] == "sqlite3"
    assert told["rc_message"]["per_second"] > 100_000
    assert json.loads(json.dumps(told)) == told


def test_where_it_cannot_be_installed_that_is_said_and_nothing_is_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    venv.create(tmp_path / "synapse", with_pip=False)

    code = cli.main(["peers", "--environment", str(tmp_path / "synapse"), "--directory", str(tmp_path)])

    assert code == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("blockpost bench peers: matrix-synapse: does not work here: ")


def test_an_environment_that_cannot_be_made_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(BenchError, match="matrix-synapse"):
        Environment(tmp_path / "file").install(lambda _text: None)


def test_a_server_that_is_away_does_not_answer() -> None:
    server = Server(1)

    assert not server.answers()
    with pytest.raises(BenchError, match="matrix-synapse: GET /anything"):
        server.ask("GET", "/anything")


class Sender(Device):
    """A device without a server."""

    def __init__(self, *, fails_at: int | None = None) -> None:
        self.sent = 0
        self._fails_at = fails_at

    def send(self) -> None:
        self.sent += 1
        if self.sent == self._fails_at:
            raise BenchError("no answer")


def test_each_device_sends_as_many_and_every_answer_counts() -> None:
    devices = [Sender(), Sender(), Sender()]

    answered = synapse.send_together(devices, 5)

    assert [device.sent for device in devices] == [5, 5, 5]
    assert len(answered) == 15
    assert answered == sorted(answered)


def test_a_device_without_an_answer_ends_the_run() -> None:
    with pytest.raises(BenchError, match="no answer"):
        synapse.send_together([Sender(), Sender(fails_at=2)], 3)


def test_the_best_of_both_are_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured = {1: With(1, 30.0, 900.0, 30.0), 8: With(8, 20.0, 3000.0, 150.0)}
    monkeypatch.setattr(peers, "_with", lambda _options, clients, *_: measured[clients])
    monkeypatch.setattr(Environment, "install", lambda *_: None)
    monkeypatch.setattr(Environment, "version", "1.0")
    wanted: dict[str, Any] = {"clients": (1, 8), "events": 1, "entries": 1, "rounds": 1, "environment": None}

    result = peers.measure(Options(**wanted, directory=tmp_path), lambda _text: None)

    assert (result.synapse, result.ours, result.ratio) == (30.0, 3000.0, 100.0)
    assert result.by_clients == [measured[1], measured[8]]
