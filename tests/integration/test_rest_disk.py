"""What the web server answers while the disk fails: problems and no accidents, and what can be read is read."""

import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import Halted
from gateway.pulse import Meter
from gateway.rest import events
from gateway.rest.problems import COMPLAINT_SECONDS, Complaint
from gateway.rest.snapshot import TRIES, Chains
from gateway.sessions import SLIDE_MS
from tests.integration.test_rest_events import a_page
from tests.site import Site, a_site

REASON = "the disk of chain.db failed: disk I/O error (SQLITE_IOERR_FSYNC)"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(events, "LOOK_SECONDS", 0.01)
    with a_site(tmp_path) as made:
        yield made


def halts(site: Site, reason: str | None) -> None:
    """The committer says so."""
    meter = Meter()
    meter.halt(reason)
    site.relay.pulses.hear(meter.pulse())


def fails(site: Site, code: int, text: str) -> None:
    """Whatever is asked of the chain from now on."""
    error = sqlite3.OperationalError(text)
    error.sqlite_errorcode = code

    def snapshot() -> Any:
        raise error

    site.chains.snapshot = snapshot  # type: ignore[method-assign]


def test_a_halted_gateway_is_not_well_and_says_why(site: Site) -> None:
    halts(site, REASON)

    answer = site.browser().get("/healthz")

    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["detail"] == REASON


def test_it_is_counted(site: Site) -> None:
    assert "blockpost_committer_halted 0.0" in site.browser().get("/metrics").text

    halts(site, REASON)

    assert "blockpost_committer_halted 1.0" in site.browser().get("/metrics").text


def test_what_is_handed_in_is_refused_at_once_and_the_rest_goes_on(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = site.write(site.bob, site.alice.id)

    def submit(_parcel: bytes, _entry_id: str) -> Any:
        raise Halted(REASON)

    monkeypatch.setattr(site.relay, "submit", submit)

    refused = site.submit(site.alice, site.alice.writes(site.bob.id, "late"))
    read = site.get(site.alice, f"/v1/inbox?after={index - 1}")

    assert refused.status_code == 503
    assert refused.json is not None
    assert refused.json["type"] == "urn:blockpost:problem:halted"
    assert refused.json["detail"] == REASON
    assert read.status_code == 200
    assert read.json is not None
    assert [entry["index"] for entry in read.json["entries"]] == [index]


def test_open_pages_are_told_when_it_begins_and_when_it_is_over(site: Site) -> None:
    with a_page(site) as page:
        page.next("head")

        halts(site, REASON)
        begun = page.next("halted")
        halts(site, None)
        over = page.next("halted")

    assert (begun["data"], over["data"]) == ({"reason": REASON}, {"reason": None})


def test_a_page_that_comes_later_is_told_first(site: Site) -> None:
    halts(site, REASON)

    with a_page(site) as page:
        assert page.next("halted")["data"] == {"reason": REASON}


def test_what_the_disk_does_not_give_is_a_problem(site: Site) -> None:
    fails(site, sqlite3.SQLITE_IOERR, "disk I/O error")

    answer = site.browser().get("/v1/site")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert answer.json is not None
    assert answer.json["type"] == "urn:blockpost:problem:diskfault"
    assert answer.json["detail"] == "the gateway's disk failed: disk I/O error"


def test_what_a_full_disk_does_not_take_is_a_problem(site: Site) -> None:
    fails(site, sqlite3.SQLITE_FULL, "database or disk is full")

    answer = site.browser().get("/v1/site")

    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["detail"] == "the gateway's disk is full"


def test_an_open_page_ends_with_the_disk_and_without_a_word(site: Site) -> None:
    with a_page(site) as page:
        page.next("head")
        fails(site, sqlite3.SQLITE_IOERR, "disk I/O error")

        assert page.has_ended()


def test_the_log_is_not_flooded(caplog: pytest.LogCaptureFixture) -> None:
    times = iter((100.0, 101.0, 100.0 + COMPLAINT_SECONDS))
    complaint = Complaint(lambda: next(times))

    for _ in range(3):
        complaint.make(sqlite3.OperationalError("disk I/O error"))

    assert caplog.messages == ["request not answered reason=disk I/O error"] * 2
    assert {level for _, level, _ in caplog.record_tuples} == {logging.ERROR}


def test_who_is_logged_in_stays_so_where_nothing_can_be_written_down(site: Site) -> None:
    browser = site.browser(site.alice)
    site.clock.now += 2 * SLIDE_MS
    site.sessions._db.execute("PRAGMA query_only = ON")

    assert browser.post("/friendslist", json={}).status_code == 200


def test_a_block_that_gets_no_signature_is_waited_for_once(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.write(site.bob, site.alice.id)
    with site.chains.snapshot() as now:
        size = now.size
    monkeypatch.setattr(site.world.chain, "sign_head", lambda _writer: None)
    site.write(site.bob, site.alice.id)
    pauses: list[float] = []
    monkeypatch.setattr("gateway.rest.snapshot.time.sleep", pauses.append)
    chains = Chains(site.world.path)

    for _ in range(3):
        with chains.snapshot() as now:
            assert now.size == size

    chains.close()
    assert len(pauses) == TRIES
