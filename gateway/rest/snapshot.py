"""The chain as one request sees it: one moment of it, proven under one checkpoint."""

import queue
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from chain.api import Party
from chain.body import Body, Card, GroupName, Invitation
from chain.chain import Chain
from chain.identity import account_id
from chain.state import AccountRow
from chain.wire import Delivered
from gateway.committer import delivery_of
from gateway.errors import Undecided

MOST_OPEN = 8
"""More threads than this do not read faster, and each open chain has a page cache of its own."""

CACHE_KIB = 512
"""Of that cache: the system keeps the pages of the file once, for all of them."""

TRIES = 20
PAUSE = 0.002
"""Seconds. A block is on disk a moment before its checkpoint is signed."""

BUDGET = 4 * 2**20
"""Bytes of entries and bodies after which a page is full."""


class Snapshot:
    """Answers from one read transaction, so that nothing moves between two questions."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.state = chain.state
        # What it remembers may be of an earlier moment.
        self.state.contracts.forget()
        self.note = chain.checkpoint()
        self.size = chain.verified(self.note).size

    @property
    def gateway(self) -> str:
        """The gateway's own account."""
        return account_id(self.chain.key)

    def card(self, account: str) -> Card | None:
        """What the account's profile says, unless it was erased."""
        index = self.state.profile_index(account)
        body = None if index is None else self.chain.store.body(index)
        return None if body is None else body.read(Card)

    def last_wrote(self, account: str) -> int | None:
        """When the newest entry of `account` came into a block, in ms."""
        index = self.state.last_of(account)
        return None if index is None else self.chain.store.time_of(index)

    def group_name(self, index: int) -> str | None:
        """The name in the group entry at `index`, unless it was erased."""
        body = self.chain.store.body(index)
        return None if body is None else body.read(GroupName).name

    def asks_to_match(self, index: int) -> bool:
        """Whether an admin is to compare six digits with whoever joins by the invite entry at `index`."""
        body = self.chain.store.body(index)
        return body is not None and body.read(Invitation).match

    def delivered(self, indices: Iterable[int], *, budget: int | None = None) -> list[Delivered]:
        """The entries with bodies and receipts; with a `budget`, the first ones that fit it, but at least one."""
        taken: list[tuple[int, bytes, Body | None]] = []
        size = 0
        for index in indices:
            leaf, body = self.chain.store.leaf(index), self.chain.store.body(index)
            size += len(leaf) + (len(body.content) if body else 0)
            if taken and budget is not None and size > budget:
                break
            taken.append((index, leaf, body))
        if any(index >= self.size for index, _, _ in taken):
            raise Undecided("the newest block has no checkpoint yet")
        receipts = self.chain.receipts((index for index, _, _ in taken), note=self.note)
        return [
            delivery_of(index, leaf, body, receipt.to_text(), self.chain.store.time_of(index))
            for (index, leaf, body), receipt in zip(taken, receipts, strict=True)
        ]

    def party(self, row: AccountRow) -> Party:
        """The account, and the proof of its keys."""
        card = self.card(row.id)
        return Party(
            account=row.id,
            kind=row.kind,
            role=row.role,
            live=row.live,
            entries=self.delivered(keys.idx for keys in self.state.keys(row.id)),
            handle=card.handle if card else None,
            name=card.name if card else None,
        )


class Chains:
    """A chain file, opened a few times over: opening costs a millisecond, a transaction a tenth of it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._places: queue.LifoQueue[Chain | None] = queue.LifoQueue()
        self._unsigned = 0
        """The size at which the newest block has no checkpoint, and gets none, as where the disk has failed."""
        for _ in range(MOST_OPEN):
            self._places.put(None)

    @property
    def file(self) -> Path:
        return self._path

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """One moment of the chain. Hold it briefly, and never while waiting for somebody."""
        chain = self._places.get()
        try:
            chain = chain or self._opened()
            yield self._begin(chain)
        finally:
            if chain is not None:
                chain.store.db.rollback()
            self._places.put(chain)

    def _opened(self) -> Chain:
        chain = Chain.open(self._path)
        chain.store.db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        return chain

    def close(self) -> None:
        """Close what is open. Nobody may be reading."""
        for _ in range(MOST_OPEN):
            if chain := self._places.get():
                chain.close()

    def _begin(self, chain: Chain) -> Snapshot:
        for _ in range(TRIES):
            chain.store.db.execute("BEGIN")
            now, size = Snapshot(chain), chain.store.head().size
            if size in (now.size, self._unsigned):
                return now
            chain.store.db.rollback()
            time.sleep(PAUSE)
        chain.store.db.execute("BEGIN")
        self._unsigned = chain.store.head().size
        return Snapshot(chain)
