import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.sessions import HOUR_MS, LONGEST_MS, Sessions

START = 1_763_000_000_000
IDLE = 12 * HOUR_MS


class Clock:
    now = START

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sessions(tmp_path: Path, clock: Clock) -> Iterator[Sessions]:
    opened = Sessions.open(tmp_path / "sessions.db", clock=clock, idle_ms=IDLE)
    yield opened
    opened.close()


def test_a_token_finds_its_session(sessions: Sessions) -> None:
    token = sessions.begin("alice", "v")

    session = sessions.find(token)

    assert session is not None
    assert (session.account, session.verifier, session.expires) == ("alice", "v", START + IDLE)


def test_another_token_finds_nothing(sessions: Sessions) -> None:
    sessions.begin("alice", "v")

    assert sessions.find("A" * 43) is None


def test_two_browsers_have_two_tokens_and_ending_one_leaves_the_other(sessions: Sessions) -> None:
    one, other = sessions.begin("alice", "v"), sessions.begin("alice", "v")

    sessions.end(one)

    assert sessions.find(one) is None
    assert sessions.find(other) is not None


def test_a_session_expires_unused(sessions: Sessions, clock: Clock) -> None:
    token = sessions.begin("alice", "v")

    clock.now += IDLE

    assert sessions.find(token) is None
    assert sessions.use(token) is None


def test_use_keeps_a_session_and_looking_at_it_does_not(sessions: Sessions, clock: Clock) -> None:
    used, looked_at = sessions.begin("alice", "v"), sessions.begin("alice", "v")
    clock.now += IDLE - 1
    sessions.use(used)
    sessions.find(looked_at)

    clock.now += 1

    assert sessions.find(used) is not None
    assert sessions.find(looked_at) is None


def test_no_use_keeps_a_session_for_more_than_seven_days(sessions: Sessions, clock: Clock) -> None:
    token = sessions.begin("alice", "v")
    while clock.now + IDLE // 2 < START + LONGEST_MS:
        clock.now += IDLE // 2
        assert sessions.use(token) is not None

    clock.now = START + LONGEST_MS

    assert sessions.use(token) is None


def test_a_session_survives_a_restart(sessions: Sessions, clock: Clock, tmp_path: Path) -> None:
    token = sessions.begin("alice", "v")

    again = Sessions.open(tmp_path / "sessions.db", clock=clock, idle_ms=IDLE)

    assert again.find(token) == sessions.find(token)
    assert again.salt_for("nobody") == sessions.salt_for("nobody")
    again.close()


def test_what_is_kept_logs_nobody_in(sessions: Sessions, tmp_path: Path) -> None:
    token = sessions.begin("alice", "v")

    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())

    assert token.encode() not in kept


def test_nobody_else_may_read_the_files(sessions: Sessions, tmp_path: Path) -> None:
    sessions.begin("alice", "v")

    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_a_login_sweeps_out_what_has_expired(sessions: Sessions, clock: Clock, tmp_path: Path) -> None:
    sessions.begin("alice", "v")
    clock.now += IDLE

    sessions.begin("bob", "v")

    with sqlite3.connect(tmp_path / "sessions.db") as db:
        rows = db.execute("SELECT account FROM session").fetchall()
    db.close()
    assert rows == [("bob",)]


def test_made_up_salts_are_stable_and_differ(sessions: Sessions) -> None:
    assert sessions.salt_for("a") == sessions.salt_for("a") != sessions.salt_for("b")
    assert len(sessions.salt_for("a")) == 22
