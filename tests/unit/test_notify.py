"""What the service manager is told, by a gateway's process and by a device's."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from chain import notify
from provisioning.systemd import WATCHDOG_SECONDS


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield manager


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Its one number is the time."""
    now = [100.0]
    monkeypatch.setattr("chain.notify.time.monotonic", lambda: now[0])
    return now


def heard(manager: socket.socket) -> list[str]:
    said = []
    while True:
        try:
            said.append(manager.recv(1024).decode())
        except BlockingIOError:
            return said


def test_it_says_that_it_is_ready(manager: socket.socket) -> None:
    assert notify.is_asked()

    notify.ready()

    assert heard(manager) == ["READY=1"]


def test_a_loop_that_goes_round_is_heard_of_now_and_then(manager: socket.socket, clock: list[float]) -> None:
    heart = notify.Heart()
    for _ in range(100):
        heart.beat()
        clock[0] += notify.EVERY_SECONDS / 10

    assert heard(manager) == ["WATCHDOG=1"] * 10


def test_a_loop_that_stands_still_is_not(manager: socket.socket, clock: list[float]) -> None:
    heart = notify.Heart()
    heart.beat()
    heard(manager)

    clock[0] += 10 * notify.EVERY_SECONDS

    assert heard(manager) == []


def test_a_name_that_is_no_file_will_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    name = f"blockpost-{tmp_path.name}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"\0{name}")
        manager.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")

        notify.ready()

        assert heard(manager) == ["READY=1"]


def test_nobody_is_told_where_nobody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)

    assert not notify.is_asked()
    notify.ready()


def test_a_manager_that_is_gone_is_no_hindrance(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))

    notify.ready()


def test_several_beats_may_be_lost_before_a_process_is_started_again() -> None:
    assert WATCHDOG_SECONDS >= 4 * notify.EVERY_SECONDS
