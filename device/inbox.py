"""
The inbox: what others addressed to this account, each entry verified, opened if it can be, and shown once.

Its position is the last index that the chain proved and that was shown; nothing unproven moves it.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from msgspec import structs

from chain.entry import SignedEntry, Tick
from chain.errors import ChainError
from chain.wire import Delivered
from device.client import Client, Read
from device.content import FORWARD
from device.errors import Problem, Untrusted

log = logging.getLogger(__name__)

PAGE = 100
"""Entries asked for at a time."""

CAME = -1
"""An alert whose messages come to the inbox; of another one it is written down which tick brought it."""


class Inbox:
    """
    `take` and `catch_up` hand out events to show; what was handed out is done when the next is asked for.

    `heed` is told of each message before. If it raises, that message is not done.
    """

    def __init__(
        self, client: Client, *, name: str = "inbox", heed: Callable[[Read], None] = lambda _: None
    ) -> None:
        """Two readers of one account, by their names, have positions of their own: neither takes anything from the other."""
        self._client, self._name, self._heed = client, name, heed

    @property
    def position(self) -> int:
        return self._client.outbox.counter(self._name)

    def rewind(self) -> None:
        """Begin again with the first."""
        self._client.outbox.set_counter(self._name, 0)

    def catch_up(self) -> Iterator[dict[str, Any]]:
        """Ask for everything after the position. Raises what `take` does, `Unreachable` or `Problem`."""
        for entries in self.pages():
            yield from self.take(entries)

    def take(self, entries: Iterable[Delivered]) -> Iterator[dict[str, Any]]:
        """
        Read what is new among the entries.

        Raises `ChainError` for one that is not proven to be on the chain: what comes after it is left alone, too.
        """
        for delivered, signed in self.committed(entries):
            try:
                read = self._client.read(delivered, signed)
            except (ChainError, Untrusted) as error:
                # The gateway put it on the chain all the same: that is worth telling, and no reason to stop here.
                log.warning("entry not proven index=%d reason=%s", delivered.index, error)
                yield {"event": "unproven", "index": delivered.index, "reason": str(error)}
            else:
                if read is not None:
                    self._heed(read)
                    yield self._shown(read)
                elif isinstance(signed.entry, Tick):
                    yield from self._brought(delivered.index, signed.entry)

    def _brought(self, index: int, tick: Tick) -> Iterator[dict[str, Any]]:
        """The messages of alerts that have come to concern this account, which an inbox does not get: once."""
        for about in [deed.about for deed in tick.did if deed.did in ("step", "nobody")]:
            counter = f"{self._name} {about}"
            if self._client.outbox.counter(counter) not in (0, index):
                continue
            try:
                entries = self._client.gateway.alert(about)
            except Problem as problem:
                log.warning("alert not read alert=%s reason=%s", about, problem)
                continue
            here = not entries or self._came(entries[0].index)
            self._client.outbox.set_counter(counter, CAME if here else index)
            if not here:
                yield from self._escalated(each for each in entries if each.index < index)

    def _came(self, index: int) -> bool:
        """Whether the entry at `index` was for this account's inbox."""
        found = self._client.gateway.inbox(index - 1, 1).entries
        return bool(found) and found[0].index == index

    def _escalated(self, entries: Iterable[Delivered]) -> Iterator[dict[str, Any]]:
        for delivered in entries:
            try:
                read = self._client.read(delivered, self._client.committed(delivered))
            except (ChainError, Untrusted) as error:
                log.warning("entry not proven index=%d reason=%s", delivered.index, error)
                yield {"event": "unproven", "index": delivered.index, "reason": str(error)}
            else:
                if read is not None:
                    yield self._shown(read)

    def _shown(self, read: Read) -> dict[str, Any]:
        """With what it hands on, if it hands a message on: that has an event of its own, or a reason why not."""
        event = event_of(read)
        if read.cty == FORWARD and read.text is not None:
            try:
                event["original"] = event_of(self._client.handed_on(read.text))
            except (ChainError, Untrusted, Problem) as error:
                event["original"] = {"event": "unproven", "reason": str(error)}
        return event

    def pages(self) -> Iterator[list[Delivered]]:
        """What comes after the position, until what was asked for before did not move it."""
        before = None
        while before != self.position:
            before = self.position
            yield self._client.gateway.inbox(before, PAGE).entries

    def committed(self, entries: Iterable[Delivered]) -> Iterator[tuple[Delivered, SignedEntry]]:
        """What is new among the entries, each proven to be on the chain; raise `ChainError` for one that is not."""
        for delivered in entries:
            if delivered.index <= self.position:
                continue
            yield delivered, self._client.committed(delivered)
            self._client.outbox.set_counter(self._name, delivered.index)


def event_of(read: Read) -> dict[str, Any]:
    """How a message that was read is shown: `text` is null where it could not be opened."""
    alert = read.entry.alert
    return {
        "event": "opened" if read.text is not None else "unopened",
        "index": read.index,
        "id": read.entry.id,
        "author": read.author,
        "from": read.handle,
        "to": read.entry.to,
        "at": read.entry.at,
        "re": read.entry.re,
        "alert": None if alert is None else structs.asdict(alert),
        "cty": read.cty,
        "text": read.text,
    }
