"""The docket: which contracts act on an entry, found with as few questions as may be, and never from memory that is stale."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from chain.chain import Chain
from chain.contracts import docket, subject
from chain.contracts.docket import Docket, judged
from chain.contracts.register import Contract, Register
from chain.contracts.terms import Access, Nothing
from chain.entry import Message
from chain.state import State
from chain.wire import Submission
from tests.unit.test_chain import FailingDisk
from tests.world import Actor, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


@pytest.fixture
def pair(world: World) -> tuple[Actor, Actor]:
    alice, bob = world.join("alice"), world.join("bob")
    world.link(alice, bob.id)
    return alice, bob


def refusing(when: str) -> Access:
    return Access(version=1, when=when, params=Nothing())


def message_of(submission: Submission) -> Message:
    said = submission.signed.entry
    assert isinstance(said, Message)
    return said


GUARDS = (
    *("true", "false", "is_group", "size > 10", "time > 0", "1 / (size - 16) > 0", 'author == "nobody"'),
    *(f'author_kind == "device" && size > {number}' for number in range(2 * docket.TOGETHER)),
    *('!is_alert && priority == ""', "size(author_groups) / 0 == 1", "is_reply || 1 / 0 > 1"),
)


def test_those_that_act_are_those_whose_guards_hold_or_fail_when_each_is_asked_alone(
    world: World, pair: tuple[Actor, Actor]
) -> None:
    alice, bob = pair
    register = Register(world.chain.store.db)
    for number, when in enumerate(GUARDS):
        register.install(Contract(f"c{number}", "hash", refusing(when), 1000 + number))
    state = State(world.chain.store.db)
    message = message_of(alice.writes(bob.id, "x" * 16))

    acting = Docket(state).of_message(message, world.now)

    values = subject.of_message(alice.id, bob.id, None, state)
    alone = judged(state.contracts.in_force(), values | subject.of_this_one(message, world.now))
    assert acting == alone
    assert [each.terms.when for each in acting.failed] == [GUARDS[5], *GUARDS[-2:]]
    assert [each.terms.when for each in acting.holding] == ["true", "size > 10", "time > 0", GUARDS[-3]]


def test_what_was_found_is_forgotten_when_somebody_becomes_somebody_else(
    world: World, pair: tuple[Actor, Actor]
) -> None:
    alice, bob = pair
    group = world.new_group()
    world.commit(world.admin.installs("not-they", refusing(f'"{group}" in author_groups')))
    world.commit(alice.writes(bob.id))

    world.commit(world.admin.groups(group, alice.id))

    assert world.refusal(alice.writes(bob.id)).rule == "contract"


def test_it_is_forgotten_within_a_block(world: World, pair: tuple[Actor, Actor]) -> None:
    alice, bob = pair
    before, after = alice.writes(bob.id), alice.writes(bob.id)

    outcomes = world.append(before, world.admin.installs("nobody", refusing("true")), after)

    assert [getattr(outcome, "rule", None) for outcome in outcomes] == [None, None, "contract"]


def test_a_guard_that_fails_denies_but_an_alert_is_delivered_and_the_block_says_so(
    world: World, pair: tuple[Actor, Actor]
) -> None:
    alice, bob = pair
    world.commit(world.admin.installs("broken", refusing("1 / 0 > 1")))

    assert world.refusal(alice.writes(bob.id)).rule == "contract"
    alarm = alice.alerts(bob.id)
    world.commit(alarm)

    (run,) = world.chain.store.block(world.chain.head.height).contracts
    assert run.effects == [f"failed {alarm.signed.entry.id}"]


def test_a_commit_that_fails_leaves_in_memory_what_is_on_disk(
    world: World, pair: tuple[Actor, Actor]
) -> None:
    alice, bob = pair
    message = alice.writes(bob.id)
    world.close()
    disk = sqlite3.connect(world.path, isolation_level=None, factory=FailingDisk)
    world.chain = Chain(disk, origin=world.origin, key=world.writer.key)
    assert world.chain.state.contracts.in_force() == ()

    with pytest.raises(sqlite3.OperationalError, match="disk"):
        world.append(world.admin.installs("nobody", refusing("true")), message)

    assert world.chain.state.contracts.in_force() == Register(disk).in_force() == ()
    world.commit(message)


def test_a_contract_that_is_replaced_is_the_youngest(world: World) -> None:
    for contract in ("one", "two", "one"):
        world.commit(world.admin.installs(contract, refusing("false")))

    in_force = world.chain.state.contracts.in_force()

    assert [each.id for each in in_force] == ["two", "one"]
    assert in_force == Register(world.chain.store.db).in_force()
    assert list(world.chain.state.contracts.idle()) == [(each.id, each.hash) for each in in_force]


def test_a_contract_stays_compiled_when_another_comes(world: World) -> None:
    world.commit(world.admin.installs("one", refusing("false")))
    (one,) = world.chain.state.contracts.in_force()

    world.commit(world.admin.installs("two", refusing("size > 1")))

    assert world.chain.state.contracts.in_force()[0] is one
