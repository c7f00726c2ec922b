"""Who is told who is there: over REST, over event streams, and from the broker that knows it."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from chain import token, wire
from chain.api import Friend
from device.client import Client, Home
from device.link import Link
from gateway.link import Endpoint
from gateway.relay import MqttRelay
from gateway.rest import events
from gateway.site import Key
from provisioning import site as sites
from provisioning.admin import cli as admin
from tests.integration.test_rest_events import Page, a_page
from tests.site import Site, a_site
from tests.sites import added, ran, running_site
from tests.world import Actor

PATIENCE = 30


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(events, "LOOK_SECONDS", 0.01)
    with a_site(tmp_path) as made:
        yield made


def friends(site: Site, actor: Actor) -> dict[str, Friend]:
    answer = site.post(actor, "/friendslist", {})
    assert answer.json is not None
    return {line["id"]: Friend(**line) for line in answer.json["friends"]}


def line_of(site: Site, account: str) -> dict[str, Any]:
    answer = site.get(site.admin, "/v1/admin/accounts")
    assert answer.json is not None
    (line,) = (line for line in answer.json["accounts"] if line["account"] == account)
    return dict(line)


def told(page: Page) -> dict[str, Any]:
    return dict(page.next("presence")["data"])


# POST /friendslist


def test_a_contact_that_is_connected_is_online_and_was_seen_just_now(site: Site) -> None:
    site.relay.presence.connected(site.fridge.id)

    fridge = friends(site, site.alice)[site.fridge.id]

    assert (fridge.online, fridge.last_seen) == (True, site.clock())


def test_a_contact_that_is_away_was_last_seen_when_it_last_wrote(site: Site) -> None:
    before = friends(site, site.alice)[site.bob.id].last_seen
    index = site.write(site.bob, site.alice.id)
    wrote = site.world.chain.store.block(site.world.chain.store.height_of(index)).timestamp
    site.write(site.alice, site.bob.id)

    bob = friends(site, site.alice)[site.bob.id]

    assert (bob.online, bob.last_seen) == (False, wrote)
    assert before is not None
    assert wrote > before


def test_a_group_is_never_online(site: Site) -> None:
    site.relay.presence.connected(site.alice.id)

    group = friends(site, site.alice)[site.on_call]

    assert (group.online, group.last_seen) == (False, None)


def test_who_only_asked_is_not_told_who_is_there(site: Site) -> None:
    site.commit(site.carol.contact("request", site.alice.id))
    for actor in (site.alice, site.carol):
        site.relay.presence.connected(actor.id)

    asking = friends(site, site.carol)[site.alice.id]
    asked = friends(site, site.alice)[site.carol.id]

    for friend in (asking, asked):
        assert (friend.online, friend.last_seen) == (False, None)


def test_who_was_revoked_is_not_online_though_its_connection_lasts(site: Site) -> None:
    site.relay.presence.connected(site.bob.id)
    site.commit(site.admin.revokes(site.bob.id))

    bob = friends(site, site.alice)[site.bob.id]

    assert (bob.live, bob.online) == (False, False)
    assert line_of(site, site.bob.id)["online"] is False


def test_an_open_page_makes_its_person_online(site: Site) -> None:
    with a_page(site) as page:
        page.next("head")
        assert friends(site, site.bob)[site.alice.id].online

    assert not friends(site, site.bob)[site.alice.id].online


# GET /v1/admin/accounts


def test_an_admin_sees_of_everybody_whether_they_are_there(site: Site) -> None:
    site.relay.presence.connected(site.carol.id)
    (index,) = site.commit(site.fridge.alerts(site.on_call))

    carol, fridge = (line_of(site, actor.id) for actor in (site.carol, site.fridge))

    assert (carol["online"], carol["last_seen"]) == (True, site.clock())
    assert (fridge["online"], fridge["last_seen"]) == (False, site.world.chain.store.time_of(index))


# GET /v1/events


def test_a_page_is_told_when_a_contact_comes_and_goes(site: Site) -> None:
    with a_page(site) as page:
        page.next("head")

        site.relay.presence.connected(site.fridge.id)
        assert told(page) == {"id": site.fridge.id, "online": True}

        site.clock.now += events.PRESENCE_MS
        site.relay.presence.disconnected(site.fridge.id)
        assert told(page) == {"id": site.fridge.id, "online": False}


def test_a_page_is_not_told_of_others(site: Site) -> None:
    with a_page(site) as page:
        page.next("head")

        site.relay.presence.connected(site.carol.id)
        site.relay.presence.connected(site.bob.id)

        assert told(page)["id"] == site.bob.id


def test_a_page_is_not_told_of_who_was_there_before_it(site: Site) -> None:
    site.relay.presence.connected(site.bob.id)
    with a_page(site) as page:
        page.next("head")

        site.relay.presence.connected(site.fridge.id)

        assert told(page)["id"] == site.fridge.id


def test_who_comes_and_goes_within_a_second_did_neither(site: Site) -> None:
    with a_page(site) as page:
        page.next("head")
        site.relay.presence.connected(site.bob.id)
        assert told(page)["id"] == site.bob.id

        for _ in range(100):
            site.relay.presence.connected(site.fridge.id)
            site.relay.presence.disconnected(site.fridge.id)
        site.relay.presence.disconnected(site.bob.id)
        index = site.write(site.fridge, site.on_call)
        while int(page.next("entry")["id"]) != index:
            pass
        site.clock.now += events.PRESENCE_MS

        assert told(page) == {"id": site.bob.id, "online": False}


# From the broker


@pytest.fixture
def relay(site: Site) -> MqttRelay:
    """A relay without a broker: what came over its connection is put in by hand."""
    nowhere = Endpoint("127.0.0.1", 1, "web", show=lambda _client: None)
    return MqttRelay(nowhere, a_key(site.folder), site.relay.presence, origin=site.world.origin)


def a_key(folder: Path) -> Key:
    return Key.create(folder / "gateway.key")


@pytest.mark.parametrize(
    "payload", [b"", b"x", b"{}", b'{"online":1}', b'{"online":true,"more":1}', b'{"online":"true"}', b"\xff"]
)
def test_junk_on_a_status_topic_makes_nobody_online(site: Site, relay: MqttRelay, payload: bytes) -> None:
    topic = wire.up_topic(site.bob.id, "status")
    relay.start()
    for message in ((topic, payload), (wire.up_topic(site.carol.id, "status"), b'{"online":true}')):
        relay._arrived.put(message)

    until(lambda: site.carol.id in site.relay.presence.online())
    relay.stop()

    assert site.relay.presence.online() == {site.carol.id}


def test_a_status_of_nobody_or_on_another_topic_counts_for_nothing(site: Site, relay: MqttRelay) -> None:
    for topic in (wire.up_topic("a" * 26, "status"), "blockpost/v1/up/x/status", f"{wire.PREFIX}/up/status"):
        relay._take(topic, b'{"online":true}')

    assert site.relay.presence.online() == frozenset()


def until(found: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not found():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sites.Site]:
    with running_site(tmp_path_factory.mktemp("site")) as made:
        yield made


def link_of(client: Client) -> Link:
    member = client.book.membership()
    return Link(
        member.mqtt_host,
        member.mqtt_port,
        account=member.account,
        password=lambda: client.gateway.token(token.MQTT),
        on_message=lambda _topic, _payload: None,
        on_up=lambda: None,
    )


def test_a_device_is_online_from_its_connection_to_its_last_will(whole: sites.Site) -> None:
    member = added(whole, "fridge", kind="device")
    ran(admin.main, "--home", whole.home("admin"), "link", "fridge", "admin")
    with (
        closing(Client(Home(whole.home("fridge")))) as device,
        closing(Client(Home(whole.home("admin")))) as person,
    ):

        def is_online() -> bool:
            (line,) = (line for line in person.gateway.friends() if line.id == member.account)
            return line.online

        assert not is_online()
        link = link_of(device)
        link.start()
        until(is_online)

        sock = link._client.socket()
        assert sock is not None
        link._stopping.set()  # it does not come back
        sock.close()  # and says no goodbye: the broker says its last will

        until(lambda: not is_online())
        link.stop()

        again = link_of(device)
        again.start()
        until(is_online)
        again.stop()
        until(lambda: not is_online())


def test_while_the_broker_is_away_nobody_is_known_to_be_there(site: Site, relay: MqttRelay) -> None:
    relay._take(wire.up_topic(site.bob.id, "status"), b'{"online":true}')
    assert site.relay.presence.online() == {site.bob.id}

    relay._link._up = True
    relay._link._lost("connection closed")
    relay._take(*relay._arrived.get() or ("", b"none"))

    assert site.relay.presence.online() == frozenset()
