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
from chain.errors import ChainError
from chain.receipt import Receipt
from chain.wire import Consistency
from device.addressbook import AddressBook, Evidence, Membership
from device.errors import Problem, TwoHistories

Prove = Callable[[int, int], Sequence[bytes]]
"""Asks the gateway for the consistency proof between two sizes."""


class Trust:
    """What is believed so far; `accept` is the only way it grows. `now` gives ms since 1970."""

    def __init__(
        self, book: AddressBook, membership: Membership, prove: Prove, now: Callable[[], int]
    ) -> None:
        self.membership = membership
        self._book = book
        self._prove = prove
        self._now = now
        self._note = book.checkpoint()
        self.held = Checkpoint(self.membership.origin, 0, merkle.EMPTY_ROOT)
        if self._note is not None:
            self.held = self._verified(self._note)
        self.check()

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
        `Unverified` or `Malformed` for a note that is not the gateway's, `Unreachable` if it cannot be asked,
        `TwoHistories` if it contradicts itself.
        """
        self.check()
        shown = self._verified(note)
        older, newer = sorted((self.held, shown), key=lambda each: each.size)
        try:
            merkle.verify_consistency(
                older.size, newer.size, self._path(older, newer, consistency), older.root, newer.root
            )
        except (ChainError, Problem) as error:
            raise self.catch(note, f"size {shown.size} against the {self.held.size} held: {error}") from error
        if shown.size > self.held.size:
            # On disk before anything is released on its word.
            self._book.set_checkpoint(note)
            self.held, self._note = shown, note
        return shown

    def accept_head(self, note: str) -> Checkpoint:
        """Accept the gateway's newest checkpoint: it cannot be older than one that it showed before."""
        shown = self._verified(note)
        if shown.size < self.held.size:
            raise self.catch(
                note, f"its history is {shown.size} entries long, and was {self.held.size} before"
            )
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

    def _verified(self, note: str) -> Checkpoint:
        return checkpoint.verify(note, origin=self.membership.origin, key=self.membership.gateway_key)

    def _path(self, older: Checkpoint, newer: Checkpoint, given: Consistency | None) -> Sequence[bytes]:
        if older.size in (0, newer.size):
            return []
        if given is not None and given.size == older.size and newer is not self.held:
            return [unb64url_hash(value, what="consistency path") for value in given.path]
        return self._prove(older.size, newer.size)
