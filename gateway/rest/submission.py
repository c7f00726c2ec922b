"""An entry on its way to the committer, and the receipt on its way back."""

from http import HTTPStatus

from flask import Response
from msgspec import Struct

from chain.entry import Count, EntryId, SignedEntry
from chain.errors import Malformed, Unverified
from chain.receipt import Receipt
from gateway.errors import Undecided
from gateway.relay import Relay, SignedRefusal
from gateway.rest.documents import answer
from gateway.rest.problems import Declined
from gateway.rest.snapshot import Chains, Snapshot


class Receipted(Struct, frozen=True):
    """The answer to an entry that was handed in: it is on the chain, at `index`, and `receipt` proves it."""

    id: EntryId
    index: Count
    receipt: str


class Submissions:
    """Hands entries in. No snapshot is held while the committer is waited for."""

    def __init__(self, chains: Chains, relay: Relay) -> None:
        self._chains = chains
        self._relay = relay

    def submit(self, parcel: bytes, signed: SignedEntry) -> Response:
        """Answer with a receipt; raise `Declined` or `Undecided`. What is committed already is not sent again."""
        with self._chains.snapshot() as now:
            key, origin = now.chain.key, now.chain.origin
            receipt = _committed(now, signed)
        if receipt is None:
            outcome = self._relay.submit(parcel, signed.entry.id)
            if isinstance(outcome, SignedRefusal):
                raise Declined(outcome)
            receipt = outcome.receipt
        try:
            proof = Receipt.from_text(receipt)
            proof.verify(signed.leaf, origin=origin, key=key)
        except (Malformed, Unverified) as error:
            raise Undecided(f"what came back is no receipt of this entry: {error}") from error
        return answer(Receipted(signed.entry.id, proof.index, receipt), HTTPStatus.CREATED)


def _committed(now: Snapshot, signed: SignedEntry) -> str | None:
    found = now.chain.store.find(signed.entry.id)
    if found is None or found[1] != signed.leaf or found[0] >= now.size:
        return None
    (receipt,) = now.chain.receipts([found[0]], note=now.note)
    return receipt.to_text()
