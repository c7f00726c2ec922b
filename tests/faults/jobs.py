"""
Work for a process of its own, on a disk that is recorded.

A job works in a folder of its own on the disk; what it may need lies beside the disk, in `outside`. What it tells goes out
over a socket, and so it stands in the record, between what was done before and after. It tells of a thing when the call
has returned that promises it.
"""

import io
import secrets
import socket
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stdout
from pathlib import Path

import msgspec

from chain import entry, wire
from device import identity
from device.addressbook import AddressBook
from device.identity import KeySet
from device.outbox import Outbox
from gateway import backup
from gateway.arrivals import Incoming
from gateway.committer import Committer
from gateway.joins import Joins
from gateway.journal import Journal
from gateway.refusals import Refusal, Refusals
from gateway.sessions import HOUR_MS, Sessions
from gateway.site import Key, Site
from provisioning import gateway
from provisioning.authority.inventory import Inventory
from provisioning.authority.office import Office
from provisioning.authority.stock import Owner, Stock
from tests.authority import Time, asks, leaf_of
from tests.backups import PASSPHRASE, quiet, restored
from tests.homes import new_keys
from tests.outboxes import Scribe
from tests.world import START, Actor, World

Tell = Callable[..., None]


def teller(job: str) -> Tell:
    here, there = socket.socketpair()

    def tell(*words: str) -> None:
        data = msgspec.msgpack.encode((job, *words))
        here.send(data)
        there.recv(len(data))

    return tell


# The chain


def commit(folder: Path, tell: Tell, outside: Path) -> None:
    """Blocks for the chain of `World(folder)`, whose `alice` and `bob` are contacts; SQLite's log is moved now and then."""
    world = World(folder, fresh=False)
    alice, bob = world.stranger("alice"), world.stranger("bob")
    for actor in (alice, bob):
        actor.stream = entry.new_stream(secrets.token_bytes)
    committer = committer_of(world)
    journal = Journal(world.chain.store.db, world.path)
    for number in range(3):
        block = _block(number, alice, bob)
        tell("block", *block)
        for answer in committer.commit([incoming(payload) for payload in block], world.now):
            tell("answer", answer.topic, answer.payload.decode())
        world._tell()
        if number % 2:
            journal.move()
    world.close()


def _block(number: int, alice: Actor, bob: Actor) -> list[str]:
    """Entries with bodies of all sizes, one of which is erased again; the last comes twice."""
    notes = [alice.writes(bob.id, secrets.token_hex(size)) for size in (10, 1_000, 6_000)[: number % 3 + 1]]
    question = bob.writes(alice.id, "erase me " * 100)
    written = [*notes, question, alice.introduces("alice"), bob.redacts(question)]
    parcels = [wire.parcel(each.signed.leaf, each.body, after=each.after) for each in written]
    return [wire.encode(parcel).decode() for parcel in (*parcels, parcels[-1])]


def incoming(payload: str) -> Incoming:
    """As it comes on its author's topic."""
    author = wire.read_parcel(payload.encode()).load().signed.entry.author
    return Incoming(wire.up_topic(author, "entry"), payload.encode(), mid=1, connection=1)


def committer_of(world: World) -> Committer:
    return Committer(world.chain, Key(world.gateway.keys._secret))


# A gateway's other files


def init(folder: Path, tell: Tell, outside: Path) -> None:
    """Make a gateway that serves a LAN, as its command does it."""
    words = ("init", str(folder / "sites" / "ward"), "--name", "ward7.example", "--admin", "admin")
    lan = ("--lan", "--host", "gateway.local", "--stdin", "--sheet", str(folder / "sheet.txt"))
    root = ("--root", str(folder / "root.key"))
    with redirect_stdout(io.StringIO()):
        sys.stdin = io.StringIO(f"{PASSPHRASE}\n")
        assert gateway.main([*words, *lan, *root]) == 0
    tell("made")


def back_up(folder: Path, tell: Tell, outside: Path) -> None:
    backup.make(Site.load(outside / "site"), folder / "backup", None, quiet)
    tell("made")


def restore(folder: Path, tell: Tell, outside: Path) -> None:
    restored(outside / "backup", folder / "again")
    tell("made")


def sessions(folder: Path, tell: Tell, outside: Path) -> None:
    clock = Ticking()
    opened = Sessions.open(folder / "sessions.db", clock=clock, idle_ms=12 * HOUR_MS)
    tokens = [""]

    def begin() -> None:
        tokens.append(opened.begin("alice", "v", "a browser"))

    def use() -> None:
        opened.use(tokens[-1])

    def end() -> None:
        opened.end(tokens.pop())

    steps(tell, lambda: rows_of(opened._db), (begin, begin, use, end, begin, use, end, begin))


def joins(folder: Path, tell: Tell, outside: Path) -> None:
    opened = Joins.open(folder / "joins.db", clock=Ticking())
    steps(
        tell,
        lambda: rows_of(opened._db),
        (
            lambda: opened.take("i1"),
            lambda: opened.fail("i2"),
            lambda: opened.match("i1", b"a leaf"),
            lambda: opened.give_back("i1"),
            lambda: opened.stop("i2"),
            lambda: opened.forget("i1"),
        ),
    )


def refusals(folder: Path, tell: Tell, outside: Path) -> None:
    """What is refused is only a notebook: it promises nothing, and is never damaged."""
    notebook = Refusals(folder / "refusals.db")
    for number in range(1, 9):
        notebook.keep([Refusal(at=number, account="a", rule="gap", reason="why " * 200, entry=None)])
    notebook.close()


def authority(folder: Path, tell: Tell, outside: Path) -> None:
    """Certificates for `alice` and `bob` of the site in the folder; then alice is revoked."""
    site, world = Site.load(folder), World(folder, fresh=False)
    world.admin.stream = entry.new_stream(secrets.token_bytes)
    stock = Stock(site.certificates, Owner.of(site.settings, site.key().account))
    office = Office(stock, Inventory(site.certificates.inventory), site.read_chain(), Time())
    office.tend()
    alice, bob = (world.stranger(name).id for name in ("alice", "bob"))
    for account in (alice, bob):
        tell("issued", account, f"{leaf_of(office.answer(asks(account))).serial_number:x}")
    world.commit(world.admin.revokes(alice))
    office.follow()
    tell("revoked", alice)


# A device


def outbox(folder: Path, tell: Tell, outside: Path) -> None:
    opened, scribe = Outbox(folder / "outbox.db"), Scribe()

    def queue() -> None:
        opened.queue("message", scribe.write)

    def release() -> None:
        opened.release([each.id for each in opened.pending("message", 2)])

    def reject() -> None:
        opened.reject(opened.pending("message", 1)[0].id, "contact", "no")

    steps(
        tell,
        lambda: rows_of(opened._db),
        (queue, queue, queue, release, queue, reject, lambda: opened.set_counter("inbox", 7), queue, release),
    )
    opened.close()


def book(folder: Path, tell: Tell, outside: Path) -> None:
    """Checkpoints that a device believes, one after the other."""
    held: list[str] = []
    address_book = AddressBook(folder / "addressbook.json")

    def next_one() -> None:
        note = f"checkpoint {len(held)}"
        assert address_book.replace_checkpoint(held[-1] if held else None, note)
        held.append(note)

    steps(tell, lambda: str(address_book.checkpoint()), (next_one,) * 5)


def keys(folder: Path, tell: Tell, outside: Path) -> None:
    """A device makes its first keys, prepares the next, and goes over to them."""
    # To make an RSA key takes seconds: these are a test account's.
    made = _keys_of_one()
    identity.KeySet.make = lambda _account: next(made)  # type: ignore[method-assign,assignment,misc]
    first = identity.create(folder)
    tell("current", first.signing.thumbprint)
    following = identity.prepare(folder)
    tell("prepared", following.signing.thumbprint)
    identity.adopt(folder, following.signing.thumbprint)
    tell("current", following.signing.thumbprint)


def _keys_of_one() -> Iterator[KeySet]:
    first = new_keys()
    yield first
    yield KeySet(first.account_id, new_keys().signing, first.sealing)


# Step by step


class Ticking:
    """A clock that goes on by two minutes whenever it is asked."""

    def __init__(self) -> None:
        self._now = START

    def __call__(self) -> int:
        self._now += 120_000
        return self._now


def steps(tell: Tell, state: Callable[[], str], done: Sequence[Callable[[], object]]) -> None:
    """Do one after the other, and tell what there is at first and after each."""
    tell("state", state())
    for step in done:
        step()
        tell("state", state())


def rows_of(db: sqlite3.Connection) -> str:
    """All that is in it."""
    tables = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"
    return repr(
        [
            (table, db.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall())  # noqa: S608 - its own tables
            for (table,) in db.execute(tables).fetchall()
        ]
    )


JOBS: dict[str, Callable[..., None]] = {
    job.__name__: job
    for job in (commit, init, back_up, restore, sessions, joins, refusals, authority, outbox, book, keys)
}


if __name__ == "__main__":
    disk, outside, *names = sys.argv[1:]
    for name in names:
        JOBS[name](Path(disk) / name, teller(name), Path(outside))
