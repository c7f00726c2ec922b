"""The keeper on a real Mosquitto: starting, changing certificates, ending, and everything that can be in its way."""

import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from chain import wire
from gateway import cli
from tests.lan import Lan, Process, running, until
from tests.mqtt import Client, clients
from tests.sites import ran

FRIDGE = "fridge" + "b" * 20
UP, DOWN = f"{wire.PREFIX}/up", f"{wire.PREFIX}/down"


@pytest.fixture
def lan(tmp_path: Path) -> Iterator[Lan]:
    lan = Lan(tmp_path)
    yield lan
    lan.world.close()


@pytest.fixture
def client(lan: Lan) -> Iterator[Callable[..., Client]]:
    with clients(lan.client) as make:
        yield make


def shown(lan: Lan) -> bytes | None:
    """The certificate that the broker shows."""
    with lan.raw(lan.web) as connection:
        return connection.getpeercert(binary_form=True)


def test_what_it_writes_is_for_the_gateway_alone(lan: Lan) -> None:
    with running(lan.site):
        folder = lan.site.directory / "broker"

        assert {path.name for path in folder.iterdir()} == {
            "acl",
            "authorities.pem",
            "mosquitto.conf",
            "revoked.pem",
        }
        assert folder.stat().st_mode & 0o777 == 0o700
        assert all(path.stat().st_mode & 0o777 == 0o600 for path in folder.iterdir())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_both(lan: Lan, number: signal.Signals) -> None:
    with running(lan.site) as broker:
        child = broker.mosquitto

        assert broker.end(number) == 0

        assert not child.is_running()


def test_mosquitto_does_not_outlive_a_keeper_that_is_killed(lan: Lan) -> None:
    broker = Process(lan.site, "broker")
    broker.ready()
    child = broker.mosquitto

    broker.end(signal.SIGKILL)

    until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
    with running(lan.site):
        assert lan.admits(lan.web)


def test_it_ends_when_mosquitto_does_and_says_so(lan: Lan) -> None:
    broker = Process(lan.site, "broker")
    broker.ready()

    broker.mosquitto.kill()

    until(lambda: broker.process.poll() is not None)
    assert broker.process.returncode == 1
    assert "mosquitto: ended with code -9" in broker.log


def test_a_port_that_another_program_has_is_said_in_our_words(lan: Lan) -> None:
    with socket.create_server(lan.address):
        broker = Process(lan.site, "broker")
        until(lambda: broker.process.poll() is not None)

    assert broker.process.returncode == 1
    assert f"cannot listen on 127.0.0.1 port {lan.port}: another program listens there" in broker.log
    assert "Traceback" not in broker.log


def test_without_mosquitto_it_says_how_to_get_it(lan: Lan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.broker.keeper.PLACES", ())
    monkeypatch.setenv("PATH", "/nowhere")

    done = ran(cli.main, "broker", lan.site.directory)

    assert done.code == 1
    assert "not installed; run: apt install mosquitto" in done.err


def test_an_old_mosquitto_is_refused(lan: Lan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "bin" / "mosquitto"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho mosquitto version 1.6.12\nexit 3\n")
    old.chmod(0o700)
    monkeypatch.setenv("PATH", f"{old.parent}:{os.environ['PATH']}")

    done = ran(cli.main, "broker", lan.site.directory)

    assert done.code == 1
    assert "want version 2.0.0 or newer, got 1.6.12" in done.err


@pytest.mark.parametrize("name", ["server.pem", "crl.pem", "issuing.crt"])
def test_without_its_certificates_it_does_not_start(lan: Lan, name: str) -> None:
    (lan.papers.files.directory / name).unlink()

    done = ran(cli.main, "broker", lan.site.directory)

    assert done.code == 1
    assert name in done.err


def test_a_renewed_server_certificate_is_shown_and_nobody_is_disconnected(
    lan: Lan, client: Callable[..., Client]
) -> None:
    with running(lan.site) as broker:
        committer, child, before = client(lan.committer), broker.mosquitto.pid, shown(lan)

        lan.papers.renew_server()

        until(lambda: shown(lan) != before)
        committer.publish(f"{DOWN}/{FRIDGE}/entry")
        assert committer.is_up
        assert broker.mosquitto.pid == child


def test_with_another_authority_it_is_started_anew_and_the_certificates_of_both_hold(lan: Lan) -> None:
    old = lan.papers.client(FRIDGE)
    with running(lan.site) as broker:
        child = broker.mosquitto

        lan.papers.replace_authority()

        until(lambda: not child.is_running() and broker.logged(" ready ", 2))
        assert lan.admits(old)
        assert lan.admits(lan.papers.client(FRIDGE, name="new"))
        assert lan.admits(lan.committer)


def test_a_certificate_that_does_not_fit_is_not_taken_over(lan: Lan) -> None:
    with running(lan.site) as broker:
        before = shown(lan)

        lan.papers.files.server.write_bytes(b"junk")
        until(lambda: broker.logged("certificates not taken over"))

        assert shown(lan) == before
        lan.papers.renew_server()
        until(lambda: shown(lan) != before)


def test_one_that_does_not_answer_is_noticed_and_so_is_its_return(lan: Lan) -> None:
    with running(lan.site) as broker:
        child = broker.mosquitto
        child.suspend()
        try:
            until(lambda: broker.logged("mosquitto silent"))
        finally:
            child.resume()

        until(lambda: broker.logged(" ready ", 2))


def test_the_service_manager_hears_that_it_is_ready_and_goes_on(lan: Lan, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(20)
        with running(lan.site, NOTIFY_SOCKET=str(tmp_path / "notify")):
            said = [manager.recv(100) for _ in range(3)]

    assert said == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"]


def test_a_client_that_reads_nothing_does_not_take_the_broker_away(
    lan: Lan, client: Callable[..., Client]
) -> None:
    everything = f"{DOWN}/{FRIDGE}/#".encode()
    body = b"\x00\x01" + len(everything).to_bytes(2, "big") + everything + b"\x00"
    subscribe = b"\x82" + bytes([len(body)]) + body
    with running(lan.site) as broker:
        committer = client(lan.committer)
        with lan.raw(lan.papers.client(FRIDGE)) as hog:
            hog.sendall(b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01x" + subscribe)
            assert hog.recv(4)
            for _ in range(2000):
                committer.paho.publish(f"{DOWN}/{FRIDGE}/entry", bytes(500_000), 1).wait_for_publish(5)
                if not committer.is_up:
                    break

        until(lambda: broker.logged("its memory is full") and broker.logged(" ready ", 2))
        back = client(lan.committer)
        back.publish(f"{DOWN}/{FRIDGE}/entry")


def test_a_failed_handshake_is_told_with_what_was_wrong(lan: Lan) -> None:
    expired = lan.papers.client(FRIDGE, days=-1)
    with running(lan.site) as broker:
        assert not lan.admits(expired)

        until(lambda: broker.logged("certificate verify failed"))
