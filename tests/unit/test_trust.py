"""Which checkpoints a device believes, and what it keeps against a gateway that shows two histories."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from chain import checkpoint
from chain.checkpoint import Checkpoint
from chain.encoding import b64url
from chain.errors import Malformed, Unverified
from chain.wire import Consistency
from device.addressbook import AddressBook
from device.errors import Problem, TwoHistories, Unreachable
from device.trust import Trust
from tests.homes import membership
from tests.world import START, World

ACCOUNT = "a" * 26


class Story:
    """One history of the gateway: the notes it signed, by size, and its proofs. Another `tale` forks off after genesis."""

    def __init__(self, folder: Path, *, tale: str = "true") -> None:
        folder.mkdir()
        self.world = World(folder)
        self.notes = [self.world.chain.checkpoint()]
        for number in range(5):
            self.world.join(f"{tale}-{number}")
            self.notes.append(self.world.chain.checkpoint())

    def prove(self, old: int, new: int) -> Sequence[bytes]:
        return self.world.chain.consistency(old, new)

    def consistency(self, old: str, new: str) -> Consistency:
        sizes = [self.world.chain.verified(note).size for note in (old, new)]
        return Consistency(sizes[0], [b64url(value) for value in self.prove(sizes[0], sizes[1])])

    def sign(self, size: int, root: bytes = bytes(32)) -> str:
        """A note that the gateway signed without the entries it speaks of."""
        keys = self.world.gateway.keys
        return checkpoint.sign(Checkpoint(self.world.origin, size, root), key=keys.public, signer=keys.sign)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    return Story(tmp_path_factory.mktemp("stories") / "true")


@pytest.fixture(scope="module")
def fork(tmp_path_factory: pytest.TempPathFactory) -> Story:
    return Story(tmp_path_factory.mktemp("stories") / "forged", tale="forged")


@pytest.fixture
def book(story: Story, tmp_path: Path) -> AddressBook:
    book = AddressBook(tmp_path / "addressbook.json")
    book.set_membership(membership(story.world, ACCOUNT))
    return book


def never(_old: int, _new: int) -> Sequence[bytes]:
    raise AssertionError("there was no need to ask")


def trust_of(book: AddressBook, prove: Story | None) -> Trust:
    return Trust(book, book.membership(), prove.prove if prove else never, lambda: START)


def test_the_first_checkpoint_is_believed_and_written_down(story: Story, book: AddressBook) -> None:
    trust = trust_of(book, None)

    trust.accept(story.notes[2])

    assert book.checkpoint() == story.notes[2]
    assert trust.seen.size == story.world.chain.verified(story.notes[2]).size


def test_a_proof_that_came_along_is_enough(story: Story, book: AddressBook) -> None:
    trust = trust_of(book, None)
    trust.accept(story.notes[1])

    trust.accept(story.notes[3], story.consistency(story.notes[1], story.notes[3]))

    assert book.checkpoint() == story.notes[3]


def test_without_a_proof_the_gateway_is_asked(story: Story, book: AddressBook) -> None:
    trust = trust_of(book, story)
    trust.accept(story.notes[1])

    trust.accept(story.notes[3])

    assert book.checkpoint() == story.notes[3]


def test_a_proof_that_was_altered_on_the_way_is_no_evidence(story: Story, book: AddressBook) -> None:
    trust = trust_of(book, story)
    trust.accept(story.notes[1])
    genuine = story.consistency(story.notes[1], story.notes[3])

    trust.accept(story.notes[3], Consistency(genuine.size, [b64url(bytes(32))] * len(genuine.path)))

    assert book.checkpoint() == story.notes[3]
    assert book.evidence() is None


def test_a_smaller_checkpoint_that_is_a_prefix_is_fine_and_changes_nothing(
    story: Story, book: AddressBook
) -> None:
    trust = trust_of(book, story)
    trust.accept(story.notes[3])

    shown = trust.accept(story.notes[1])

    assert shown.size < trust.held.size
    assert book.checkpoint() == story.notes[3]


def test_the_same_checkpoint_again_needs_no_proof(story: Story, book: AddressBook) -> None:
    trust = trust_of(book, None)

    assert trust.accept(story.notes[1]) == trust.accept(story.notes[1])


def test_another_root_for_the_same_size_is_a_second_history(
    story: Story, fork: Story, book: AddressBook
) -> None:
    trust = trust_of(book, None)
    trust.accept(story.notes[3])

    with pytest.raises(TwoHistories, match="two roots for one size"):
        trust.accept(fork.notes[3])

    assert book.checkpoint() == story.notes[3]


@pytest.mark.parametrize("later", [2, 4])
def test_what_its_own_proofs_do_not_join_is_a_second_history(
    story: Story, fork: Story, book: AddressBook, later: int
) -> None:
    trust = trust_of(book, fork)
    trust.accept(story.notes[3])

    with pytest.raises(TwoHistories, match="does not continue"):
        trust.accept(fork.notes[later])

    evidence = book.evidence()
    assert evidence is not None
    assert (evidence.held, evidence.shown, evidence.at) == (story.notes[3], fork.notes[later], START)


def test_a_proof_from_the_forger_does_not_help_it(story: Story, fork: Story, book: AddressBook) -> None:
    trust = trust_of(book, fork)
    trust.accept(story.notes[3])

    with pytest.raises(TwoHistories):
        trust.accept(fork.notes[4], fork.consistency(fork.notes[3], fork.notes[4]))


@pytest.mark.parametrize("status", [400, 404])
def test_a_gateway_that_has_no_proof_for_what_it_signed_is_caught(
    story: Story, book: AddressBook, status: int
) -> None:
    def prove(_old: int, _new: int) -> Sequence[bytes]:
        raise Problem(status, "want sizes of at most 5")

    trust = Trust(book, book.membership(), prove, lambda: START)
    trust.accept(story.notes[3])

    with pytest.raises(TwoHistories, match="sizes of at most 5"):
        trust.accept(story.notes[1])


@pytest.mark.parametrize(
    "error", [Problem(401, "who are you?"), Problem(500, "oh"), Unreachable("away"), Malformed("no JSON")]
)
def test_a_gateway_that_does_not_answer_now_is_neither_believed_nor_caught(
    story: Story, book: AddressBook, error: Exception
) -> None:
    def prove(_old: int, _new: int) -> Sequence[bytes]:
        raise error

    trust = Trust(book, book.membership(), prove, lambda: START)
    trust.accept(story.notes[1])

    with pytest.raises(type(error)):
        trust.accept(story.notes[3])

    assert book.checkpoint() == story.notes[1]
    assert book.evidence() is None


def test_a_head_that_is_shorter_than_before_is_a_second_history(story: Story, book: AddressBook) -> None:
    trust = trust_of(book, story)
    trust.accept(story.notes[3])

    with pytest.raises(TwoHistories, match="entries long, and was"):
        trust.accept_head(lambda: story.notes[2])


def test_a_head_may_be_older_than_what_was_shown_while_it_was_on_its_way(
    story: Story, book: AddressBook
) -> None:
    trust, agent = trust_of(book, story), trust_of(book, story)
    trust.accept(story.notes[1])

    def ask() -> str:
        agent.accept(story.notes[3])
        return story.notes[2]

    trust.accept_head(ask)

    assert book.checkpoint() == story.notes[3]


def test_two_processes_never_set_the_checkpoint_back(story: Story, book: AddressBook) -> None:
    slow, fast = trust_of(book, story), trust_of(book, story)
    slow.accept(story.notes[1])
    fast.accept(story.notes[4])

    slow.accept(story.notes[2])

    assert book.checkpoint() == story.notes[4]
    assert slow.held == fast.held


def test_what_one_process_saw_holds_for_the_other(story: Story, fork: Story, book: AddressBook) -> None:
    one, other = trust_of(book, fork), trust_of(book, story)
    other.accept(story.notes[2])

    with pytest.raises(TwoHistories):
        one.accept(fork.notes[4])
    with pytest.raises(TwoHistories, match="is refused"):
        other.accept(story.notes[3])


def test_the_evidence_is_kept_before_anybody_is_told(
    story: Story, fork: Story, book: AddressBook, tmp_path: Path
) -> None:
    trust = trust_of(book, None)
    trust.accept(story.notes[3])

    with pytest.raises(TwoHistories) as caught:
        trust.accept(fork.notes[3])

    evidence = AddressBook(tmp_path / "addressbook.json").evidence()
    assert evidence is not None
    assert evidence.reason in str(caught.value)


def test_a_caught_gateway_stays_refused_over_a_restart(story: Story, fork: Story, book: AddressBook) -> None:
    trust = trust_of(book, None)
    trust.accept(story.notes[3])
    with pytest.raises(TwoHistories):
        trust.accept(fork.notes[3])

    with pytest.raises(TwoHistories, match="is refused"):
        trust_of(book, story)


def test_the_first_piece_of_evidence_is_kept(story: Story, fork: Story, book: AddressBook) -> None:
    trust = trust_of(book, None)
    trust.accept(story.notes[3])
    with pytest.raises(TwoHistories):
        trust.accept(fork.notes[3])
    first = book.evidence()

    trust.catch(fork.notes[4], "something else")

    assert book.evidence() == first


def test_a_note_that_another_key_signed_is_not_the_gateways(
    story: Story, book: AddressBook, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    with World(tmp_path / "elsewhere", seed="another gateway") as elsewhere:
        note = elsewhere.chain.checkpoint()

    with pytest.raises(Unverified, match="not signed by the gateway's key"):
        trust_of(book, None).accept(note)

    assert book.checkpoint() is None
    assert book.evidence() is None


def test_a_note_of_another_chain_is_refused(story: Story, book: AddressBook, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    with World(tmp_path / "elsewhere", origin="ward8.example/abc") as elsewhere:
        note = elsewhere.chain.checkpoint()

    with pytest.raises(Unverified, match="want origin"):
        trust_of(book, None).accept(note)


def test_a_receipt_is_believed_only_with_its_checkpoint(story: Story, fork: Story, book: AddressBook) -> None:
    trust = trust_of(book, fork)
    trust.accept(story.notes[3])
    chain = fork.world.chain
    (receipt,) = chain.receipts([4])

    with pytest.raises(TwoHistories):
        trust.accept_receipt(receipt.to_text(), chain.store.leaf(4))


def test_a_receipt_of_another_entry_is_refused_and_no_evidence(story: Story, book: AddressBook) -> None:
    trust = trust_of(book, story)
    chain = story.world.chain
    (receipt,) = chain.receipts([4])

    with pytest.raises(Unverified, match="does not lead to the root"):
        trust.accept_receipt(receipt.to_text(), chain.store.leaf(5))

    assert book.checkpoint() is None
    assert book.evidence() is None


def test_a_receipts_checkpoint_is_on_disk_when_it_is_believed(story: Story, book: AddressBook) -> None:
    trust = trust_of(book, story)
    chain = story.world.chain
    (receipt,) = chain.receipts([4])

    trust.accept_receipt(receipt.to_text(), chain.store.leaf(4))

    assert book.checkpoint() == receipt.note


def test_an_empty_history_with_a_root_is_refused(story: Story, book: AddressBook) -> None:
    trust = trust_of(book, story)
    trust.accept(story.notes[1])

    with pytest.raises(TwoHistories):
        trust.accept(story.sign(0))
