"""Counters: messages of a rate, admins of a quorum, bodies that wait to be erased."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from chain import alerts
from chain.contracts import counters
from chain.contracts.counters import Counters, Kept
from chain.contracts.quorum import deed_of
from chain.contracts.terms import Quorum, QuorumParams, Rate, RateParams, Retain, RetainParams
from chain.entry import Approve
from tests.world import DAY, Actor, World

SECOND = 1000


@pytest.fixture
def kept() -> Iterator[Counters]:
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.executescript(alerts.SCHEMA + counters.SCHEMA)
    yield Counters(db)
    db.close()


# Rates


def test_a_time_begins_with_the_first_and_anew_with_the_first_after_it(kept: Counters) -> None:
    counts = []
    for clock in (0, 4 * SECOND, 9_999, 10_000, 15 * SECOND):
        counts.append(kept.count("few", "alice", 10, clock))
        kept.counted("few", "alice", 10, clock)

    assert counts == [0, 1, 2, 0, 1]


def test_each_is_counted_apart(kept: Counters) -> None:
    kept.counted("few", "alice", 10, 0)

    assert kept.count("few", "bob", 10, 0) == kept.count("many", "alice", 10, 0) == 0


def test_what_a_removed_contract_counted_is_forgotten(kept: Counters) -> None:
    kept.counted("few", "alice", 10, 0)

    kept.ended("few")

    assert kept.count("few", "alice", 10, 0) == 0


# What waits to be erased


def test_of_several_contracts_the_first_to_be_erases_a_body(kept: Counters) -> None:
    for contract, due in (("a-month", 30), ("a-week", 7), ("a-year", 365)):
        kept.keep(Kept(1, "message", contract, None, due))

    assert [(each.contract, each.due) for each in kept.due(1000)] == [("a-week", 7)]


def test_nothing_is_erased_before_it_is_due_and_then_in_order(kept: Counters) -> None:
    for idx, due in ((1, 30), (2, 10), (3, 20), (4, 10)):
        kept.keep(Kept(idx, f"message {idx}", "while", None, due))

    assert [each.idx for each in kept.due(20)] == [2, 4, 3]
    assert kept.next_due() == 10


def test_what_was_erased_otherwise_waits_no_more(kept: Counters) -> None:
    kept.keep(Kept(1, "message", "while", None, 10))

    kept.erased(1)

    assert (list(kept.due(10)), kept.next_due()) == ([], None)


# On a chain


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


@pytest.fixture
def pair(world: World) -> tuple[Actor, Actor]:
    alice, bob = world.join("alice"), world.join("bob")
    world.link(alice, bob.id)
    return alice, bob


def test_those_above_a_rate_are_refused_and_do_not_count(world: World, pair: tuple[Actor, Actor]) -> None:
    alice, bob = pair
    terms = Rate(version=1, when="true", params=RateParams(count=2, seconds=60, per="author"))
    world.commit(world.admin.installs("few", terms))
    world.commit(alice.writes(bob.id), alice.writes(bob.id))

    assert world.refusal(alice.writes(bob.id)).rule == "rate"
    world.commit(bob.writes(alice.id))
    assert world.passes(60) == []
    world.commit(alice.writes(bob.id))


def test_a_body_is_gone_when_its_time_is_over_and_one_that_was_redacted_is_not_erased_twice(
    world: World, pair: tuple[Actor, Actor]
) -> None:
    alice, bob = pair
    terms = Retain(version=1, when=f'author == "{alice.id}"', params=RetainParams(seconds=60))
    world.commit(world.admin.installs("a-minute", terms))
    first, second, other = world.commit(
        alice.writes(bob.id), gone := alice.writes(bob.id), bob.writes(alice.id)
    )
    world.commit(alice.redacts(gone))

    (deed,) = world.passes(60)

    assert deed.did == "erased"
    store = world.chain.store
    assert [store.body(idx) is None for idx in (first, second, other)] == [True, True, False]


def test_a_quorum_takes_admins_who_agree_to_that_very_deed_and_in_time(world: World) -> None:
    second = world.join("second", role="admin")
    world.join("third")
    terms = Quorum(version=1, when='type == "revoke"', params=QuorumParams(need=2, seconds=3600))
    world.commit(world.admin.installs("two", terms))
    leaver, stayer = world.join("leaver"), world.join("stayer")
    deed = deed_of(world.admin.revokes(leaver.id).signed.entry)
    assert world.refusal(world.admin.revokes(leaver.id)).rule == "quorum"

    world.commit(second.says(Approve, deed=deed))
    assert world.refusal(world.admin.revokes(stayer.id)).rule == "quorum"
    world.passes(2 * 3600)
    assert world.refusal(world.admin.revokes(leaver.id)).rule == "quorum"
    world.commit(second.says(Approve, deed=deed))
    world.commit(world.admin.revokes(leaver.id))

    assert world.dump()["approval"] == []


def test_an_admin_who_agrees_twice_is_one(world: World) -> None:
    world.join("second", role="admin")
    terms = Quorum(version=1, when='type == "revoke"', params=QuorumParams(need=2, seconds=3600))
    world.commit(world.admin.installs("two", terms))
    leaver = world.join("leaver")
    revoked = world.admin.revokes(leaver.id)

    world.commit(world.admin.says(Approve, deed=deed_of(revoked.signed.entry)))

    assert world.refusal(world.admin.revokes(leaver.id)).rule == "quorum"
    assert world.passes(DAY) == []
