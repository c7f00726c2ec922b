import hmac
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from chain.encoding import b64url
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
    token = sessions.begin("alice", "v", "a browser")

    session = sessions.find(token)

    assert session is not None
    assert (session.account, session.verifier, session.expires) == ("alice", "v", START + IDLE)


def test_another_token_finds_nothing(sessions: Sessions) -> None:
    sessions.begin("alice", "v", "a browser")

    assert sessions.find("A" * 43) is None


def test_two_browsers_have_two_tokens_and_ending_one_leaves_the_other(sessions: Sessions) -> None:
    one, other = sessions.begin("alice", "v", "a browser"), sessions.begin("alice", "v", "a browser")

    sessions.end(one)

    assert sessions.find(one) is None
    assert sessions.find(other) is not None


def test_a_session_expires_unused(sessions: Sessions, clock: Clock) -> None:
    token = sessions.begin("alice", "v", "a browser")

    clock.now += IDLE

    assert sessions.find(token) is None
    assert sessions.use(token) is None


def test_use_keeps_a_session_and_looking_at_it_does_not(sessions: Sessions, clock: Clock) -> None:
    used, looked_at = sessions.begin("alice", "v", "a browser"), sessions.begin("alice", "v", "a browser")
    clock.now += IDLE - 1
    sessions.use(used)
    sessions.find(looked_at)

    clock.now += 1

    assert sessions.find(used) is not None
    assert sessions.find(looked_at) is None


def test_no_use_keeps_a_session_for_more_than_seven_days(sessions: Sessions, clock: Clock) -> None:
    token = sessions.begin("alice", "v", "a browser")
    while clock.now + IDLE // 2 < START + LONGEST_MS:
        clock.now += IDLE // 2
        assert sessions.use(token) is not None

    clock.now = START + LONGEST_MS

    assert sessions.use(token) is None


def test_a_session_survives_a_restart(sessions: Sessions, clock: Clock, tmp_path: Path) -> None:
    token = sessions.begin("alice", "v", "a browser")

    again = Sessions.open(tmp_path / "sessions.db", clock=clock, idle_ms=IDLE)

    assert again.find(token) == sessions.find(token)
    assert again.salt_for("nobody") == sessions.salt_for("nobody")
    again.close()


def test_what_is_kept_logs_nobody_in(sessions: Sessions, tmp_path: Path) -> None:
    token = sessions.begin("alice", "v", "a browser")

    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())

    assert token.encode() not in kept


def test_nobody_else_may_read_the_files(sessions: Sessions, tmp_path: Path) -> None:
    sessions.begin("alice", "v", "a browser")

    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_a_login_sweeps_out_what_has_expired(sessions: Sessions, clock: Clock, tmp_path: Path) -> None:
    sessions.begin("alice", "v", "a browser")
    clock.now += IDLE

    sessions.begin("bob", "v", "a browser")

    with sqlite3.connect(tmp_path / "sessions.db") as db:
        rows = db.execute("SELECT account FROM session").fetchall()
    db.close()
    assert rows == [("bob",)]


def test_each_browser_of_an_account_is_listed_in_order_and_no_other(sessions: Sessions, clock: Clock) -> None:
    for account, agent in (("alice", "Chrome on Linux"), ("bob", "a browser"), ("alice", "Safari on iPad")):
        sessions.begin(account, "v", agent)
        clock.now += 1

    listed = sessions.of("alice")

    assert [(each.account, each.agent, each.begun - START) for each in listed] == [
        ("alice", "Chrome on Linux", 0),
        ("alice", "Safari on iPad", 2),
    ]
    assert [each.account for each in sessions.after(listed[0].number)] == ["bob", "alice"]


def test_what_has_expired_is_not_listed_nor_found_by_its_id(sessions: Sessions, clock: Clock) -> None:
    sessions.begin("alice", "v", "a browser")
    (listed,) = sessions.of("alice")
    assert sessions.named(listed.id) == listed

    clock.now = listed.expires

    assert sessions.of("alice") == sessions.after(0) == []
    assert sessions.named(listed.id) is None


def test_a_session_is_ended_by_its_id_too_which_opens_nothing(sessions: Sessions) -> None:
    here, there = sessions.begin("alice", "v", "a browser"), sessions.begin("alice", "v", "a browser")
    session = sessions.find(there)
    assert session is not None
    assert sessions.find(session.id) is None

    sessions.end_named(session.id)

    assert sessions.find(there) is None
    assert sessions.find(here) is not None


FIRST_FORM = """
CREATE TABLE session (hash BLOB PRIMARY KEY, account TEXT NOT NULL, verifier TEXT NOT NULL,
    begun INTEGER NOT NULL, used INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE secret (one INTEGER PRIMARY KEY CHECK (one = 1), salts BLOB NOT NULL) STRICT;
INSERT INTO session VALUES (x'00', 'alice', 'v', 1763000000000, 1763000000000);
INSERT INTO secret VALUES (1, x'0102');
"""


def test_a_file_of_another_form_goes_on_working_with_its_salts_and_without_its_sessions(
    clock: Clock, tmp_path: Path
) -> None:
    path = tmp_path / "old.db"
    with closing(sqlite3.connect(path)) as old:
        old.executescript(FIRST_FORM)

    sessions = Sessions.open(path, clock=clock, idle_ms=IDLE)
    token = sessions.begin("bob", "v", "a browser")
    again = Sessions.open(path, clock=clock, idle_ms=IDLE)

    assert [each.account for each in sessions.after(0)] == ["bob"]
    assert again.find(token) == sessions.find(token) is not None
    salt = b64url(hmac.digest(b"\x01\x02", b"nobody", "sha256")[:16])
    assert again.salt_for("nobody") == sessions.salt_for("nobody") == salt
    sessions.close()
    again.close()


def test_made_up_salts_are_stable_and_differ(sessions: Sessions) -> None:
    assert sessions.salt_for("a") == sessions.salt_for("a") != sessions.salt_for("b")
    assert len(sessions.salt_for("a")) == 22
