"""Signatures checked by a process of their own: never laxer than on the spot, whatever becomes of the process."""

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from chain import wire
from chain.entry import SignedEntry
from chain.errors import Refused, Unverified
from chain.wire import Submission
from gateway.arrivals import Incoming
from gateway.checker import Checker
from gateway.committer import Committer
from gateway.site import Key
from tests.world import Actor, World, contracts_for


class Ward:
    """Two people in contact on a chain, and a checker over its state."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder)
        self.alice, self.bob = self.world.join("alice"), self.world.join("bob")
        self.world.link(self.alice, self.bob.id)
        self.checker = Checker(self.world.chain.state)

    def hand_over(self, *submissions: Submission) -> None:
        self.checker.begin()
        for submission in submissions:
            self.checker.add(submission.signed)
        self.checker.flush()

    def check(self, signed: SignedEntry, author: Actor) -> None:
        self.checker.check(signed, author.keys.public)

    def forged(self) -> Submission:
        """An entry of alice's that bob signed in her key's name."""
        return self.alice.writes(self.bob.id, sign_with=self.bob.keys.sign)

    def append(self, *submissions: Submission) -> list[str]:
        self.hand_over(*submissions)
        outcomes = self.world.chain.append(
            submissions, writer=self.world.writer, now=self.world.now, check=self.checker.check
        )
        return [outcome.rule if isinstance(outcome, Refused) else "committed" for outcome in outcomes]

    def process(self) -> psutil.Process:
        (found,) = [
            child for child in psutil.Process().children() if child.cmdline()[-1:] == ["gateway.checking"]
        ]
        return found


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[Ward]:
    ward = Ward(tmp_path)
    yield ward
    ward.checker.close()
    ward.world.close()


def test_a_batch_has_the_outcomes_it_has_without_a_checker(ward: Ward) -> None:
    batch = [ward.alice.writes(ward.bob.id) for _ in range(40)]
    batch.insert(20, ward.forged())

    outcomes = ward.append(*batch, batch[0])

    assert outcomes == ["committed"] * 20 + ["signature"] + ["committed"] * 21


def test_what_the_committer_says_itself_is_checked_with_its_batch(
    ward: Ward, caplog: pytest.LogCaptureFixture
) -> None:
    """A result that nobody asked for would be waited for, and the checker given up."""
    world, escalate = ward.world, contracts_for(ward.bob.id)["escalate"]
    world.commit(world.admin.installs("on-call", escalate))
    world.commit(ward.alice.alerts(ward.bob.id))
    world.now += 60_000
    assert world.chain.due(world.now)
    committer = Committer(world.chain, Key(world.gateway.keys._secret), ward.checker)
    message = ward.alice.writes(ward.bob.id)
    payload = wire.encode(wire.parcel(message.signed.leaf, message.body))

    committer.commit([Incoming(wire.up_topic(ward.alice.id, "entry"), payload, 1, 1)], world.now)

    assert not world.chain.due(world.now)
    assert "lost" not in caplog.text
    assert ward.process().is_running()


def test_what_was_refused_unchecked_does_not_shift_the_results_of_the_next_batch(ward: Ward) -> None:
    stranger = ward.world.stranger("mallory")
    unwanted = [stranger.writes(ward.bob.id), ward.alice.writes(ward.alice.id), ward.forged()]

    assert ward.append(*unwanted, *unwanted) == ["stranger", "contact", "signature"] * 2
    assert ward.append(ward.alice.writes(ward.bob.id), ward.forged()) == ["committed", "signature"]


def test_one_entry_handed_over_is_checked_under_the_key_that_it_names(ward: Ward) -> None:
    submission = ward.alice.writes(ward.bob.id)
    ward.hand_over(submission)

    ward.check(submission.signed, ward.alice)
    with pytest.raises(Unverified):
        ward.check(submission.signed, ward.bob)


def test_what_was_not_handed_over_is_checked_on_the_spot(ward: Ward) -> None:
    ward.hand_over()

    ward.check(ward.alice.writes(ward.bob.id).signed, ward.alice)
    with pytest.raises(Unverified):
        ward.check(ward.forged().signed, ward.alice)


def test_new_keys_are_used_from_the_entry_after_the_one_that_brings_them(ward: Ward) -> None:
    keys = ward.alice.fresh_keys()
    before, rotation = ward.alice.writes(ward.bob.id), ward.alice.gives_keys(keys)
    ward.alice.keys = keys

    assert ward.append(before, rotation, ward.alice.writes(ward.bob.id)) == ["committed"] * 3


@pytest.mark.parametrize("killed", ["before", "between"])
def test_without_its_process_everything_is_still_checked(ward: Ward, killed: str) -> None:
    batch = [ward.alice.writes(ward.bob.id), ward.forged(), ward.alice.writes(ward.bob.id)]
    if killed == "between":
        ward.hand_over(*batch)
    process = ward.process()
    process.kill()
    process.wait()

    assert ward.append(*batch) == ["committed", "signature", "committed"]
    assert ward.append(ward.forged(), ward.alice.writes(ward.bob.id)) == ["signature", "committed"]


def test_a_process_that_stands_still_does_not_hold_up_the_chain(ward: Ward) -> None:
    process = ward.process()
    process.suspend()

    outcomes = ward.append(ward.alice.writes(ward.bob.id), ward.forged())
    process.resume()

    assert outcomes == ["committed", "signature"]


def test_the_process_ends_with_its_committer(ward: Ward) -> None:
    process = ward.process()

    ward.checker.close()

    assert not process.is_running()
