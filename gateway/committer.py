"""
The committer: the one writer of the chain.

It takes entries from the broker, lets the chain decide on them in blocks, and answers: a receipt for
what is committed, a signed refusal for what is not, a delivery to each who may have it. An entry is
acknowledged to the broker only after all that; until then the author has it in its outbox.
"""

import logging
import secrets
import sqlite3
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import paho.mqtt.client as mqtt
from msgspec import Struct

from chain import clock, notify, wire
from chain.author import Author
from chain.body import Body
from chain.chain import Chain, Committed
from chain.console import wake_at
from chain.contracts import timers
from chain.encoding import b64url, digest
from chain.entry import Common, Seen, SignedEntry, Tick, new_stream
from chain.errors import ChainError, Damaged, Malformed, Oversized, Refused, Rule, Unverified
from chain.receipt import Receipt
from chain.store import Uptime
from chain.wire import Consistency, Delivered, Delivery, ReceiptOf, Receipts, Refusal, Submission
from gateway import halt, pulse, refusals, uptime
from gateway.arrivals import Arrivals, Incoming
from gateway.checker import Checker
from gateway.halt import Halt
from gateway.journal import Journal, beside, reread
from gateway.link import Link, committers
from gateway.pulse import Meter
from gateway.refusals import Refusals
from gateway.site import Key, Site

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 0.5

FULL_SECONDS = 1.0
"""Between two tries while the disk is full."""

MAX_SHOWN = 10_000
MAX_REASON = 400


class Outgoing(Struct, frozen=True):
    """A message for the broker."""

    topic: str
    payload: bytes
    qos: int
    retain: bool = False


class Loaded(Struct, frozen=True):
    """A message of `account`'s: what it brings, or why it does not parse."""

    message: Incoming
    account: str
    brings: Submission | Refused | Malformed | Unverified


class Committer:
    """
    Turns batches of messages into blocks and answers. No socket, no thread, no clock of its own.

    `chain` is open for writing. It remembers which checkpoint it last showed to whom, so that an answer can
    prove that its checkpoint continues that one; a receiver that missed it asks over REST. A `checker` has the
    signatures of a batch checked from when it is loaded; the next may be loaded before one is decided on. `busy` says
    whether authors are to send less.
    """

    def __init__(
        self,
        chain: Chain,
        key: Key,
        checker: Checker | None = None,
        busy: Callable[[], bool] = lambda: False,
    ) -> None:
        self._chain = chain
        self._checker = checker
        self._key = key
        self._shown: OrderedDict[str, int] = OrderedDict()
        self._busy = busy
        self.refused: list[refusals.Refusal] = []
        """What was refused of the last batch, for the notebook."""
        self._author = Author(
            origin=chain.origin,
            account=key.account,
            stream=new_stream(secrets.token_bytes),
            kid=key.kid,
            sign=key.sign,
        )
        chain.sign_head(key.writer)

    def head(self) -> Outgoing:
        """The newest checkpoint, for everybody."""
        return Outgoing(wire.HEAD_TOPIC, self._chain.checkpoint().encode(), qos=0, retain=True)

    def due_in(self, now: int, uptime: Uptime) -> float | None:
        """In how many seconds contracts have something to do; None if time alone will never have them do anything."""
        due = timers.next_due(self._chain.state)
        return None if due is None else max(0, due - self._chain.moment(now, uptime).clock) / 1000

    def load(self, batch: Iterable[Incoming]) -> list[Loaded]:
        """Read the messages of one batch, and hand their signatures over to be checked."""
        loaded = []
        if self._checker:
            self._checker.begin()
        for message in batch:
            try:
                account = wire.account_of(message.topic)
            except Malformed:
                continue  # not a topic of ours: nobody waits for an answer
            try:
                loaded.append(Loaded(message, account, self._load(message, account)))
            except (Refused, Malformed, Unverified) as error:
                loaded.append(Loaded(message, account, error))
        if self._checker:
            self._checker.flush()
        return loaded

    def commit(self, batch: Iterable[Incoming], now: int, uptime: Uptime | None = None) -> list[Outgoing]:
        """Load a batch and `decide` on it."""
        return self.decide(self.load(batch), now, uptime)

    def decide(self, batch: Iterable[Loaded], now: int, uptime: Uptime | None = None) -> list[Outgoing]:
        """
        Decide on the batch, and say what contracts do; return the answers. `now` is in ms.

        Raises `sqlite3.Error` if the disk fails: then nothing of the batch is committed or answered, and it may be
        decided on again.
        """
        self.refused = []
        answers: list[Outgoing] = []
        held: list[tuple[Incoming, str, Submission]] = []
        told = [("", tick)] if (tick := self._tick(now, uptime)) else []
        for each in batch:
            if isinstance(each.brings, Submission):
                held.append((each.message, each.account, each.brings))
            else:
                answers.append(self._refusal(each.message, each.account, each.brings, None, now))
        height = self._chain.head.height
        mine = [*told, *((account, submission) for _, account, submission in held)]
        outcomes = self._chain.append(
            [submission for _, submission in mine],
            writer=self._key.writer,
            now=now,
            uptime=uptime,
            check=self._checker.check if self._checker else SignedEntry.verify,
        )
        for (message, account, submission), outcome in zip(held, outcomes[len(told) :], strict=True):
            if isinstance(outcome, Refused):
                answers.append(self._refusal(message, account, outcome, submission, now))
        answers += self._answers(
            [
                (*each, outcome)
                for each, outcome in zip(mine, outcomes, strict=True)
                if isinstance(outcome, Committed)
            ]
        )
        if self._chain.head.height > height:
            answers.append(self.head())
        return answers

    def _tick(self, now: int, uptime: Uptime | None) -> Submission | None:
        """What contracts do now, if it is anything. It comes first in its block: it follows from the one before."""
        did = self._chain.due(now, uptime)
        if not did:
            return None
        head, author = self._chain.head, self._author
        parcel = author.parcel(
            Tick,
            seq=self._chain.state.last_seq(author.account, author.stream) + 1,
            at=now,
            seen=Seen(size=head.size, root=b64url(head.root)),
            clock=clock.clock(),
            now=self._chain.moment(now, uptime).at,
            did=did,
        )
        for deed in did:
            log.info("contract acted contract=%s did=%s about=%s", deed.contract, deed.did, deed.about)
        return parcel.load()

    def _load(self, message: Incoming, account: str) -> Submission:
        submission = wire.read_parcel(message.payload).load()
        # The web server relays, as the gateway's account, what people's browsers submit.
        if account not in (submission.signed.entry.author, self._key.account):
            raise Refused("topic", "an entry comes on its author's own topic")
        if self._checker:
            self._checker.add(submission.signed)
        return submission

    def _refusal(
        self, message: Incoming, account: str, error: Exception, submission: Submission | None, now: int
    ) -> Outgoing:
        entry = submission.signed.entry if submission else None
        refusal = Refusal(
            chain=self._chain.origin,
            rule=_rule_of(error),
            reason=(error.reason if isinstance(error, Refused) else str(error))[:MAX_REASON],
            digest=b64url(digest(message.payload)),
            at=now,
            id=entry.id if entry else None,
            stream=entry.stream if entry else None,
            seq=entry.seq if entry else None,
        )
        log.info("entry refused account=%s rule=%s id=%s", account, refusal.rule, refusal.id)
        self._note(refusal, account, entry)
        signed = wire.sign_refusal(refusal, kid=self._key.kid, signer=self._key.sign)
        return Outgoing(wire.down_topic(account, "refusal"), signed, qos=0)

    def _note(self, refusal: Refusal, account: str, entry: Common | None) -> None:
        author: str | None = account
        if account == self._key.account:  # handed in by somebody's browser
            author = entry.author if entry else None
        self.refused.append(
            refusals.Refusal(
                at=refusal.at, account=author, rule=refusal.rule, reason=refusal.reason, entry=refusal.id
            )
        )

    def _answers(self, committed: Sequence[tuple[str, Submission, Committed]]) -> Iterator[Outgoing]:
        """
        Receipts to those who sent, then deliveries to those addressed: one message each per block.

        Nobody has sent what the committer itself says.
        """
        if not committed:
            return
        receipts = self._chain.receipts(outcome.index for _, _, outcome in committed)
        proofs = _Proofs(self._chain, receipts[0])
        authors: dict[str, list[ReceiptOf]] = {}
        seen: dict[str, int] = {}
        readers: dict[str, list[Delivered]] = {}
        for (account, submission, outcome), receipt in zip(committed, receipts, strict=True):
            entry, text = submission.signed.entry, receipt.to_text()
            if account:
                authors.setdefault(account, []).append(ReceiptOf(entry.id, text))
                seen.setdefault(account, entry.seen.size)
            if outcome.fresh:
                delivered = delivery_of(outcome.index, submission.signed.leaf, submission.body, text)
                for reader in outcome.readers - {entry.author}:
                    readers.setdefault(reader, []).append(delivered)
        for account, made in authors.items():
            consistency = proofs.since(self._show(account, proofs.size, seen[account]))
            # Lost on the way, it is asked for again by sending the entry again: QoS 0 is enough.
            payload = wire.encode(Receipts(made, consistency, self._busy()))
            yield Outgoing(wire.down_topic(account, "receipt"), payload, qos=0)
        for account, entries in readers.items():
            consistency = proofs.since(self._show(account, proofs.size, None))
            previous = self._chain.state.received_before(account, entries[0].index)
            for chunk in _chunks(entries):
                payload = wire.encode(Delivery(previous, chunk, consistency))
                yield Outgoing(wire.down_topic(account, "entry"), payload, qos=1)
                previous = chunk[-1].index

    def _show(self, account: str, size: int, otherwise: int | None) -> int | None:
        """Remember what checkpoint `account` is shown now; return the size of the one before."""
        before = self._shown.pop(account, otherwise)
        self._shown[account] = size
        if len(self._shown) > MAX_SHOWN:
            self._shown.popitem(last=False)
        return before


class _Proofs:
    """Consistency proofs up to the checkpoint of a block's receipts, each made once."""

    def __init__(self, chain: Chain, receipt: Receipt) -> None:
        self._chain = chain
        self.size = chain.verified(receipt.note).size
        self._made: dict[int, Consistency] = {}

    def since(self, size: int | None) -> Consistency | None:
        if size is None:
            return None
        if size not in self._made:
            path = [b64url(value) for value in self._chain.consistency(size, self.size)]
            self._made[size] = Consistency(size, path)
        return self._made[size]


def delivery_of(
    index: int, leaf: bytes, body: Body | None, receipt: str, committed: int | None = None
) -> Delivered:
    """A committed entry as it is delivered, and served."""
    return Delivered(
        index,
        leaf.decode("ascii"),
        receipt,
        committed,
        salt=None if body is None else b64url(body.salt),
        body=None if body is None else body.content,
    )


def _rule_of(error: Exception) -> Rule:
    match error:
        case Refused():
            return error.rule
        case Oversized():
            return "oversized"
        case _:
            return "malformed"


def _chunks(entries: Iterable[Delivered]) -> Iterator[list[Delivered]]:
    """Cut deliveries so that none is larger than the broker takes."""
    chunk: list[Delivered] = []
    size = 0
    for entry in entries:
        # Escapes can double a body of quotes; what is left of the limit is for the proof.
        wire_size = len(entry.entry) + len(entry.receipt) + 2 * len(entry.body or "")
        if chunk and size + wire_size > wire.MAX_PARCEL_BYTES * 3 // 4:
            yield chunk
            chunk, size = [], 0
        chunk.append(entry)
        size += wire_size
    if chunk:
        yield chunk


def run(site: Site, stop: threading.Event) -> None:
    """
    Commit until told to stop. Once the disk has failed, say so until then: nothing is tried again on this file.

    Raises `Halted` if the chain cannot even be read.
    """
    key = site.key()
    # While it is open, closing the writer leaves the file and its log as they are.
    with closing(halt.opened(site.chain_file)) as reader:
        halted = halt.marked(site.mark)
        if halted is not None:
            log.critical("halted before reason=%s; %s", halted.reason, halt.WAY_BACK)
        told = False
        while halted is None and not stop.is_set():
            try:
                _work(site, key, reader, stop)
            except (sqlite3.Error, Damaged, OSError, UnicodeDecodeError) as error:
                if halt.is_full(error):
                    if not told:
                        log.warning("cannot begin reason=%s", halt.FULL_REASON)
                    told = True
                    stop.wait(FULL_SECONDS)
                    continue
                reason = halt.failure(error, site.chain_file)
                if reason is None:
                    raise
                halted = halt.begin(site.mark, reason, _now)
        if halted is not None:
            _stand_still(
                Link(committers(site, key, reader.origin), topics=[], on_message=_ignore), halted, stop
            )


class _Batch(Struct, frozen=True):
    """What is decided on together, loaded, and what is dropped because of junk among it: all is acknowledged afterwards."""

    messages: list[Incoming]
    dropped: list[Incoming]
    loaded: list[Loaded]


def _work(site: Site, key: Key, reader: Chain, stop: threading.Event) -> None:
    """Commit until told to stop. Raises `sqlite3.Error`, `Damaged` or `OSError` when the disk fails."""
    with closing(_opened(site.chain_file)) as chain:
        journal = Journal(chain.store.db, site.chain_file)
        checker = Checker(chain.state)
        arrivals = Arrivals(wire.up_topic(key.account, "entry"))
        committer = Committer(chain, key, checker, arrivals.is_crowded)
        notebook, meter = Refusals(site.refusals_file), Meter()

        def enqueue(message: mqtt.MQTTMessage, connection: int) -> None:
            payload, at = bytes(message.payload), time.monotonic()
            incoming = Incoming(message.topic, payload, message.mid, connection, at)
            link.ack_all((each.mid, each.connection) for each in arrivals.put(incoming))

        # A checkpoint may have been signed that nobody was told of: say it again on each connection.
        link = Link(
            committers(site, key, chain.origin),
            topics=[wire.UP_ENTRIES],
            on_message=enqueue,
            on_up=arrivals.wake,
            manual_ack=True,
        )

        def take(patience: float) -> _Batch:
            messages = arrivals.take(patience)
            loaded = committer.load(messages)
            junk = (each.message.topic for each in loaded if not isinstance(each.brings, Submission))
            return _Batch(messages, arrivals.hush(junk), loaded)

        wake_at(stop, arrivals.wake)
        link.start()
        heart = notify.Heart()
        notify.ready()
        log.info(
            "committer ready origin=%s height=%d size=%d", chain.origin, chain.head.height, chain.head.size
        )
        following: _Batch | None = None
        try:
            while not stop.is_set():
                due = committer.due_in(_now(), uptime.now())
                batch = following or take(PATIENCE_SECONDS if due is None else min(PATIENCE_SECONDS, due))
                # Its signatures are checked while this one is decided on.
                following = take(0) if arrivals.has_block() else None
                if any(not message.topic for message in batch.messages):
                    _send(link, [committer.head()])
                before = chain.head
                while (answers := _decided(committer, batch.loaded, link, meter)) is None and not stop.wait(
                    FULL_SECONDS
                ):
                    heart.beat()
                if answers is None:
                    break
                _send(link, answers)
                told = (*batch.messages, *batch.dropped)
                link.ack_all((message.mid, message.connection) for message in told)
                notebook.keep(committer.refused)
                if sent := [message.at for message in batch.messages if message.topic]:
                    meter.count(
                        blocks=chain.head.height - before.height,
                        entries=chain.head.size - before.size,
                        refused=(each.rule for each in committer.refused),
                        seconds=time.monotonic() - min(sent),
                    )
                _beat(link, meter)
                heart.beat()
                journal.tend()
        finally:
            link.stop()
            notebook.close()
            checker.close()
        journal.move()
        reader.close()


def _opened(file: Path) -> Chain:
    """The chain, for writing, as the disk has it. Raises what `_work` does."""
    reread(beside(file))
    try:
        return Chain.open(file, write=True)
    except ChainError as error:
        raise Damaged(0, str(error)) from error


def _decided(
    committer: Committer, batch: Sequence[Loaded], link: Link, meter: Meter
) -> list[Outgoing] | None:
    """The answers to a batch; none while the disk is full: nothing of it is committed, and it may be tried again."""
    try:
        answers = committer.decide(batch, _now(), uptime.now())
    except sqlite3.Error as error:
        if not halt.is_full(error):
            raise
        if meter.halt(halt.FULL_REASON):
            log.warning("nothing is committed reason=%s", halt.FULL_REASON)
        _beat(link, meter)
        return None
    if meter.halt(None):
        log.info("committing again: there is room on the disk")
    return answers


def _beat(link: Link, meter: Meter) -> None:
    if counted := meter.due(time.monotonic()):
        link.publish(pulse.TOPIC, wire.encode(counted), qos=0)


def _stand_still(link: Link, halted: Halt, stop: threading.Event) -> None:
    """
    Say why nothing is committed, until told to stop.

    Nothing is listened for: what is sent meanwhile waits with its authors, and not at the broker.
    """
    meter, heart = Meter(), notify.Heart()
    meter.halt(f"{halted.reason}: {halt.WAY_BACK}")
    link.start()
    notify.ready()
    try:
        while not stop.wait(PATIENCE_SECONDS):
            _beat(link, meter)
            heart.beat()
    finally:
        link.stop()


def _ignore(_message: mqtt.MQTTMessage, _connection: int) -> None:
    """Nobody listens."""


def _now() -> int:
    return time.time_ns() // 1_000_000


def _send(link: Link, answers: Iterable[Outgoing]) -> None:
    for answer in answers:
        link.publish(answer.topic, answer.payload, qos=answer.qos, retain=answer.retain)
