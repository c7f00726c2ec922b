"""Server-sent events, read from the application as a server would."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from chain import wire
from gateway import web_worker
from gateway.rest import events
from gateway.rest.events import Seats
from gateway.rest.problems import Crowded
from gateway.sessions import HOUR_MS
from tests.site import Site, a_site


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(events, "LOOK_SECONDS", 0.01)
    with a_site(tmp_path) as made:
        yield made


Event = dict[str, Any]


def parse(chunk: bytes) -> Event:
    lines = dict(line.split(": ", 1) for line in chunk.decode().splitlines() if ": " in line)
    return lines | {"data": json.loads(lines["data"])} if "data" in lines else lines


class Page:
    """An open page: `next` waits for the next event of a kind."""

    def __init__(self, response: TestResponse) -> None:
        assert response.status_code == 200
        assert response.content_type == "text/event-stream"
        self._chunks = iter(response.response)

    def next(self, kind: str) -> Event:
        for chunk in self._chunks:
            assert isinstance(chunk, bytes)
            event = parse(chunk)
            if event.get("event") == kind:
                return event
        raise AssertionError("the stream has ended")

    def chunk(self) -> bytes:
        chunk = next(self._chunks)
        assert isinstance(chunk, bytes)
        return chunk

    def indices(self, count: int) -> list[int]:
        return [int(self.next("entry")["id"]) for _ in range(count)]

    def has_ended(self) -> bool:
        return next(self._chunks, None) is None


@contextmanager
def a_page(site: Site, query: str = "", **headers: str) -> Iterator[Page]:
    response = site.app.test_client().get(
        f"/v1/events{query}", headers=site.bearer(site.alice) | headers, buffered=False
    )
    yield Page(response)
    response.close()


def test_an_entry_is_told_with_its_proof_under_its_index(site: Site) -> None:
    last = site.write(site.bob, site.alice.id)
    with a_page(site, f"?after={last}") as page:
        index = site.write(site.bob, site.alice.id, "sealed")

        event = page.next("entry")

    assert int(event["id"]) == event["data"]["index"] == index
    assert event["data"]["body"] == "sealed"


def test_a_page_that_comes_back_gets_what_it_missed_once(site: Site) -> None:
    written = [site.write(site.bob, site.alice.id) for _ in range(3)]
    with a_page(site, f"?after={written[0] - 1}") as page:
        before = page.indices(2)
    written += [site.write(site.bob, site.alice.id) for _ in range(2)]

    # The browser repeats the address of its page, and says in the header what came last.
    with a_page(site, f"?after={written[0] - 1}", **{"Last-Event-ID": str(before[-1])}) as page:
        after = page.indices(3)

    assert before + after == written


def test_many_entries_are_told_in_order_over_several_looks(site: Site) -> None:
    written = [site.write(site.bob, site.alice.id) for _ in range(7)]

    with a_page(site, f"?after={written[0] - 1}&limit=2") as page:
        told = page.indices(7)

    assert told == written


def test_a_checkpoint_is_told_at_most_once_a_second(site: Site) -> None:
    with a_page(site) as page:
        first = page.next("head")["data"]["checkpoint"]
        quiet = site.write(site.bob, site.alice.id)
        told = page.next("entry")
        while int(told["id"]) != quiet:
            told = page.next("entry")
        site.clock.now += 1_000

        second = page.next("head")["data"]["checkpoint"]

    verified = site.world.chain.verified
    assert verified(second).size == site.world.chain.head.size == verified(first).size + 1


def test_a_silent_stream_shows_that_it_is_alive(site: Site) -> None:
    with a_page(site, f"?after={site.world.chain.head.size}") as page:
        page.next("head")
        site.clock.now += 15_000

        assert page.chunk() == b":\n\n"


def test_a_stream_ends_with_its_account(site: Site) -> None:
    with a_page(site, f"?after={site.world.chain.head.size}") as page:
        page.next("head")
        site.commit(site.admin.revokes(site.alice.id))

        assert "live account" in page.next("end")["data"]["detail"]
        assert page.has_ended()


@pytest.mark.parametrize("told", ["over MQTT", "by nobody"])
def test_it_does_so_as_soon_as_that_is_on_the_chain(
    site: Site, monkeypatch: pytest.MonkeyPatch, told: str
) -> None:
    monkeypatch.setattr(events, "LOOK_SECONDS", 3_600)
    heads = site.relay.heads
    # It would wait for an hour.
    limit = threading.Timer(30, heads.close)
    limit.start()
    with a_page(site, f"?after={site.world.chain.head.size}") as page:
        page.next("head")
        revocation = site.admin.revokes(site.alice.id)
        if told == "over MQTT":
            site.commit(revocation)
        else:
            site.world.commit(revocation)
            threading.Thread(target=web_worker._follow, args=(site.chains, heads)).start()

        assert page.next("end")
    limit.cancel()
    heads.close()


@pytest.mark.parametrize("how", ["logout", "expiry"])
def test_a_stream_ends_with_its_session(site: Site, how: str) -> None:
    browser = site.browser(site.alice)
    response = browser.get("/v1/events", buffered=False)
    page = Page(response)
    page.next("head")
    if how == "logout":
        browser.post("/logout", json={})
    else:
        site.clock.now += 12 * HOUR_MS

    page.next("end")

    assert page.has_ended()
    response.close()


def test_streams_end_when_the_server_goes_down(site: Site) -> None:
    with a_page(site) as page:
        page.next("head")

        site.relay.heads.close()

        while not page.has_ended():
            pass


def test_one_account_cannot_take_all_seats() -> None:
    seats = Seats(most=3, most_of_one=2)
    seats.take("alice")
    seats.take("alice")
    with pytest.raises(Crowded):
        seats.take("alice")

    seats.take("bob")

    with pytest.raises(Crowded):
        seats.take("carol")
    seats.leave("alice")
    seats.take("carol")


def test_a_closed_page_leaves_its_seat(site: Site) -> None:
    for _ in range(2 * events.MOST_OF_ONE):
        with a_page(site) as page:
            page.chunk()


def test_too_many_pages_are_asked_to_come_back_later(site: Site) -> None:
    open_pages = [_opened(site) for _ in range(events.MOST_OF_ONE)]

    crowded = _opened(site)

    assert {page.status_code for page in open_pages} == {200}
    assert (crowded.status_code, crowded.headers["Retry-After"]) == (503, "2")
    for page in open_pages:
        page.close()


def _opened(site: Site) -> TestResponse:
    return site.app.test_client().get("/v1/events", headers=site.bearer(site.alice), buffered=False)


def test_asking_only_for_the_headers_takes_no_seat(site: Site) -> None:
    browser, headers = site.browser(), site.bearer(site.alice)

    asked = [browser.head("/v1/events", headers=headers) for _ in range(2 * events.MOST_OF_ONE)]

    assert {answer.status_code for answer in asked} == {200}


@pytest.mark.parametrize("last", ["x", "-5", "1.5"])
def test_a_last_event_id_that_is_not_ours_is_refused(site: Site, last: str) -> None:
    headers = site.bearer(site.alice) | {"Last-Event-ID": last}

    assert site.app.test_client().get("/v1/events", headers=headers).status_code == 400


def test_what_is_told_is_what_the_inbox_holds(site: Site) -> None:
    inbox = wire.read_delivery(site.get(site.alice, "/v1/inbox").data)

    with a_page(site) as page:
        told = page.indices(len(inbox.entries))

    assert told == [delivered.index for delivered in inbox.entries]
