"""
Trust: which checkpoints this device believes. The gateway's signature is not enough; each one has to
continue, or be a prefix of, the last one that was believed. A gateway that shows two histories is refused
from then on, and the evidence is kept.
"""

from collections.abc import Callable, Sequence

from chain import checkpoint, merkle
from chain.checkpoint import Checkpoint
from chain.encoding import unb64url_hash
from chain.entry import Seen
from chain.errors import Malformed, Unverified
from chain.receipt import Receipt
from chain.wire import Consistency
from device.addressbook import AddressBook, Evidence, Membership
from device.errors import Problem, TwoHistories

Prove = Callable[[int, int], Sequence[bytes]]
"""Asks the gateway for the consistency proof between two sizes."""

DENIALS = frozenset({400, 404})
"""
With these the gateway says that it has no proof. Others speak of the caller (a revoked account gets 401)
or of its own trouble, and are no evidence.
"""


class Trust:
    """
    What is believed so far; `accept` is the only way it grows. `now` gives ms since 1970.

    The address book has the last word: other processes of this account hold checkpoints against it, too.
    """

    def __init__(
        self, book: AddressBook, membership: Membership, prove: Prove, now: Callable[[], int]
    ) -> None:
        self.membership = membership
        self._book = book
        self._prove = prove
        self._now = now
        self._note: str | None = None
        self._version: tuple[int, ...] | None = None
        self.held = Checkpoint(self.membership.origin, 0, merkle.EMPTY_ROOT)
        self._recall()

    @property
    def seen(self) -> Seen:
        """What this device's entries say it has seen."""
        return self.held.seen

    def check(self) -> None:
        """Raise `TwoHistories` if the gateway was caught."""
        evidence = self._book.evidence()
        if evidence is not None:
            raise TwoHistories(f"this gateway is refused: {evidence.reason}")

    def accept(self, note: str, consistency: Consistency | None = None) -> Checkpoint:
        """
        Return the checkpoint of a signed note, once it is proven to be of the history that is held.

        `consistency` is the proof that came along, if one did; else the gateway is asked. Raises
        `Unverified` or `Malformed` for a note that is not the gateway's, `Unreachable` or `Problem` if it
        does not answer for it now, `TwoHistories` if it contradicts itself.
        """
        while True:
            self._recall()
            shown = self._verified(note)
            self._compare(shown, note, consistency)
            if shown.size <= self.held.size:
                return shown
            # On disk before anything is released on its word.
            self._version = self._book.replace_checkpoint(self._note, note)
            if self._version is not None:
                self.held, self._note = shown, note
                return shown

    def accept_head(self, ask: Callable[[], str]) -> Checkpoint:
        """
        Ask for the gateway's newest checkpoint, and accept it.

        It cannot be older than one that was shown before the question.
        """
        self._recall()
        before = self.held
        note = ask()
        shown = self._verified(note)
        if shown.size < before.size:
            raise self.catch(note, f"its history is {shown.size} entries long, and was {before.size} before")
        return self.accept(note)

    def accept_receipt(self, text: str, leaf: bytes, consistency: Consistency | None = None) -> Receipt:
        """Return the receipt that proves `leaf` committed, its checkpoint accepted."""
        receipt = Receipt.from_text(text)
        receipt.verify(leaf, origin=self.membership.origin, key=self.membership.gateway_key)
        self.accept(receipt.note, consistency)
        return receipt

    def catch(self, note: str, reason: str) -> TwoHistories:
        """Keep the evidence (`note` is what the gateway signed), and return the error to raise."""
        self._book.set_evidence(Evidence(held=self._note or "", shown=note, reason=reason, at=self._now()))
        return TwoHistories(f"this gateway shows another history than before: {reason}")

    def _recall(self) -> None:
        """Read what this account's processes hold; raise `TwoHistories` if one of them caught the gateway."""
        version = self._book.version()
        if version == self._version:
            return
        self.check()
        note = self._book.checkpoint()
        if note is not None and note != self._note:
            self.held, self._note = self._verified(note), note
        self._version = version

    def _verified(self, note: str) -> Checkpoint:
        return checkpoint.verify(note, origin=self.membership.origin, key=self.membership.gateway_key)

    def _compare(self, shown: Checkpoint, note: str, given: Consistency | None) -> None:
        """Return if one of the held and the shown checkpoint continues the other."""
        older, newer = sorted((self.held, shown), key=lambda each: each.size)
        # What came over the broker is worth trying, and proves nothing against the gateway.
        if newer is shown and given is not None and _continues(older, newer, given):
            return
        try:
            path = [] if older.size in (0, newer.size) else self._prove(older.size, newer.size)
            merkle.verify_consistency(older.size, newer.size, path, older.root, newer.root)
        except (Unverified, Problem) as error:
            if isinstance(error, Problem) and error.status not in DENIALS:
                raise
            raise self.catch(note, f"size {shown.size} against the {self.held.size} held: {error}") from error


def _continues(older: Checkpoint, newer: Checkpoint, given: Consistency) -> bool:
    if given.size != older.size:
        return False
    try:
        path = [unb64url_hash(value, what="consistency path") for value in given.path]
        merkle.verify_consistency(older.size, newer.size, path, older.root, newer.root)
    except (Malformed, Unverified):
        return False
    return True
