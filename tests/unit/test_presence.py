import threading

import pytest

from gateway.presence import Presence

LIVE = {"alice", "bob", "fridge"}


@pytest.fixture
def presence() -> Presence:
    return Presence(LIVE.__contains__)


def test_who_is_connected_is_there_until_it_is_not(presence: Presence) -> None:
    presence.connected("fridge")
    presence.connected("fridge")
    assert presence.online() == {"fridge"}

    presence.disconnected("fridge")

    assert presence.online() == frozenset()


def test_whom_the_chain_does_not_know_is_never_there(presence: Presence) -> None:
    presence.connected("stranger")
    presence.disconnected("another")

    assert presence.online() == frozenset()


def test_a_person_is_there_until_the_last_page_is_closed(presence: Presence) -> None:
    presence.open_page("alice")
    presence.open_page("alice")

    presence.close_page("alice")
    assert presence.online() == {"alice"}

    presence.close_page("alice")
    assert presence.online() == frozenset()


def test_an_agent_and_a_page_of_one_account_count_once_and_each_by_itself(presence: Presence) -> None:
    presence.connected("alice")
    presence.open_page("alice")

    presence.disconnected("alice")
    assert presence.online() == {"alice"}

    presence.connected("alice")
    presence.close_page("alice")
    assert presence.online() == {"alice"}


def test_when_the_broker_is_lost_only_pages_count(presence: Presence) -> None:
    presence.connected("fridge")
    presence.connected("bob")
    presence.open_page("bob")

    presence.lose_sight()
    assert presence.online() == {"bob"}

    presence.connected("fridge")
    assert presence.online() == {"bob", "fridge"}


def test_it_is_the_same_object_until_somebody_comes_or_goes(presence: Presence) -> None:
    presence.open_page("alice")
    before = presence.online()

    presence.open_page("alice")
    presence.connected("alice")
    assert presence.online() is before

    presence.connected("bob")
    assert presence.online() is not before


def test_nothing_is_left_of_those_who_are_gone(presence: Presence) -> None:
    for account in LIVE:
        presence.connected(account)
        presence.open_page(account)
        presence.close_page(account)
        presence.disconnected(account)

    assert (presence._connected, dict(presence._pages)) == (set(), {})


def test_many_threads_may_tell_at_once(presence: Presence) -> None:
    def come_and_go() -> None:
        for _ in range(300):
            presence.open_page("alice")
            presence.connected("bob")
            presence.close_page("alice")

    threads = [threading.Thread(target=come_and_go) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert presence.online() == {"bob"}
