from pathlib import Path

import pytest

from device.child import environment
from device.lines import Lines
from device.sensors import Silence, backoff, next_due


@pytest.mark.parametrize(
    ("now", "due"),
    [(100.0, 110.0), (101.5, 110.0), (110.0, 110.0), (110.5, 120.0), (155.0, 160.0), (99.0, 110.0)],
)
def test_polls_keep_their_beat_and_skip_what_they_overran(now: float, due: float) -> None:
    assert next_due(100.0, every=10.0, now=now) == due


def test_a_stream_that_keeps_ending_is_started_ever_more_seldom() -> None:
    pauses = [0.0]
    for _ in range(8):
        pauses.append(backoff(pauses[-1], lived=0.1))

    assert pauses[1:] == [1, 2, 4, 8, 16, 32, 60, 60]


def test_a_stream_that_lived_long_enough_is_forgiven() -> None:
    assert backoff(60, lived=59.9) == 60
    assert backoff(60, lived=60.0) == 1


def test_silence_is_news_when_the_time_is_up_and_has_not_been_told() -> None:
    assert not Silence(since=5).is_news(14.9, timeout=10)
    assert Silence(since=5).is_news(15, timeout=10)
    assert not Silence(since=5, told=True).is_news(99, timeout=10)


def test_lines_are_given_once_they_are_whole() -> None:
    lines = Lines(limit=10)

    assert lines.feed(b"3") == []
    assert lines.feed(b"6.6\n\n3") == [b"36.6", b""]
    assert lines.feed(b"7\n") == [b"37"]


def test_of_an_oversize_line_one_byte_too_many_is_kept() -> None:
    lines = Lines(limit=3)

    assert lines.feed(b"12345") == []
    assert lines.feed(b"67890") == []
    assert lines.feed(b"\nok\n12345\n") == [b"1234", b"ok", b"1234"]


def test_a_sensor_sees_the_way_and_the_language_but_no_credentials() -> None:
    own = {
        "PATH": "/usr/bin",
        "LC_ALL": "C.UTF-8",
        "TZ": "Europe/Vienna",
        "CREDENTIALS_DIRECTORY": "/run/credentials",
        "NOTIFY_SOCKET": "/run/systemd/notify",
        "DATABASE_PASSWORD": "hunter2",
    }

    assert environment(own, own_commands=Path("/opt/blockpost/bin")) == {
        "PATH": "/usr/bin:/opt/blockpost/bin",
        "LC_ALL": "C.UTF-8",
        "TZ": "Europe/Vienna",
    }


def test_a_sensor_finds_commands_where_the_agent_has_no_path_at_all() -> None:
    path = environment({}, own_commands=Path("/opt/blockpost/bin"))["PATH"]

    assert "/usr/bin" in path or "/bin" in path
    assert path.endswith(":/opt/blockpost/bin")
