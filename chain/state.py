"""
The state: what the entries so far amount to. Who exists, who may speak to whom, which key is current,
which sequence numbers were used, who may have which entry.

It is a fold over entries (`chain.rules` holds the fold), kept in SQLite tables that are written in the
transaction of the block, so nothing is replayed at start-up. The same class over an empty database
replays a chain for `chain.audit`.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache

import msgspec
from msgspec import Struct

from chain import alerts, duty
from chain.alerts import Alerts
from chain.contracts import counters, register
from chain.contracts.counters import Counters
from chain.contracts.register import Register
from chain.duty import Shifts
from chain.entry import Kind, Role
from chain.identity import SealingKey, SigningKey
from chain.recall import Recall
from chain.waiting import Waiting

SCHEMA = """
CREATE TABLE account (id TEXT PRIMARY KEY, kind TEXT NOT NULL, role TEXT NOT NULL,
    live INTEGER NOT NULL, invite TEXT, idx INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE keypair (kid TEXT PRIMARY KEY, account TEXT NOT NULL, sign TEXT NOT NULL, seal TEXT,
    idx INTEGER NOT NULL, ended INTEGER) STRICT, WITHOUT ROWID;
CREATE INDEX keypair_account ON keypair (account, idx);
CREATE TABLE profile (account TEXT PRIMARY KEY, handle TEXT, idx INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX profile_handle ON profile (handle);
CREATE TABLE invite (id TEXT PRIMARY KEY, code_hash TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, role TEXT NOT NULL,
    expires INTEGER NOT NULL, handle TEXT, author TEXT NOT NULL, used_by TEXT, idx INTEGER NOT NULL)
    STRICT, WITHOUT ROWID;
CREATE TABLE contact (one TEXT NOT NULL, other TEXT NOT NULL, asked_by TEXT, idx INTEGER NOT NULL,
    PRIMARY KEY (one, other)) STRICT, WITHOUT ROWID;
CREATE INDEX contact_other ON contact (other, one);
CREATE TABLE party (id TEXT PRIMARY KEY, idx INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE member (party TEXT NOT NULL, account TEXT NOT NULL, PRIMARY KEY (party, account))
    STRICT, WITHOUT ROWID;
CREATE INDEX member_account ON member (account, party);
CREATE TABLE stream (account TEXT NOT NULL, stream TEXT NOT NULL, seq INTEGER NOT NULL,
    PRIMARY KEY (account, stream)) STRICT, WITHOUT ROWID;
CREATE TABLE hole (account TEXT NOT NULL, stream TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
    PRIMARY KEY (account, stream, first)) STRICT, WITHOUT ROWID;
CREATE TABLE inbox (account TEXT NOT NULL, own INTEGER NOT NULL, idx INTEGER NOT NULL,
    PRIMARY KEY (account, own, idx)) STRICT, WITHOUT ROWID;
CREATE TABLE talk (thread TEXT NOT NULL, idx INTEGER NOT NULL, PRIMARY KEY (thread, idx)) STRICT, WITHOUT ROWID;
CREATE TABLE erased (idx INTEGER PRIMARY KEY) STRICT;
CREATE TABLE act (idx INTEGER PRIMARY KEY, type TEXT NOT NULL) STRICT;
CREATE INDEX act_type ON act (type, idx);
"""
SCHEMA += alerts.SCHEMA + duty.SCHEMA + register.SCHEMA + counters.SCHEMA

TABLES = (
    "account",
    "keypair",
    "profile",
    "invite",
    "contact",
    "party",
    "member",
    "stream",
    "hole",
    "inbox",
    "talk",
    "erased",
    "act",
    *alerts.TABLES,
    *duty.TABLES,
    *register.TABLES,
    *counters.TABLES,
)


class AccountRow(Struct, frozen=True):
    """`invite` is the id of the entry that let it in; `idx` the index of its own first entry."""

    id: str
    kind: Kind
    role: Role
    live: bool
    invite: str | None
    idx: int


class KeyPair(Struct, frozen=True):
    """An account's two public keys, the entry (`idx`) that gave them, and the one that ended them."""

    account: str
    sign: SigningKey
    seal: SealingKey | None
    idx: int
    ended: int | None


class InviteRow(Struct, frozen=True):
    """`expires` is in ms; `used_by` the account it let in; `handle` is forgotten with the invite's body."""

    id: str
    code_hash: str
    kind: Kind
    role: Role
    expires: int
    handle: str | None
    author: str
    used_by: str | None
    idx: int


class ContactRow(Struct, frozen=True):
    """`asked_by` is who asked, while the other has not accepted."""

    one: str
    other: str
    asked_by: str | None
    idx: int


class State:
    """
    Questions to the state, and the changes that the rules make to it.

    Whoever folds many entries does so inside `together`: then rows wait for each other, and who somebody is, is asked
    once.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db
        self._waiting = Waiting(db)
        self._recall = Recall(db)
        self.alerts = Alerts(db)
        self.shifts = Shifts(db)
        self.contracts = Register(db)
        self.counters = Counters(db)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Fold entries inside, in one transaction, which is to be rolled back if this raises."""
        with self._recall.in_use(), self._waiting.together():
            yield

    def remember(self) -> None:
        """What is known now, is so until somebody else writes: call it when all of a transaction is committed."""
        self._recall.keep()

    # Accounts and keys

    def account(self, account: str) -> AccountRow | None:
        return self._recall.of("account", self._account, account)

    def _account(self, account: str) -> AccountRow | None:
        row = self.db.execute("SELECT * FROM account WHERE id = ?", (account,)).fetchone()
        return None if row is None else AccountRow(row[0], row[1], row[2], bool(row[3]), row[4], row[5])

    def accounts(self) -> list[AccountRow]:
        rows = self.db.execute("SELECT * FROM account ORDER BY idx")
        return [AccountRow(row[0], row[1], row[2], bool(row[3]), row[4], row[5]) for row in rows]

    def is_live(self, account: str) -> bool:
        return self._recall.of("live", self._is_live, account)

    def _is_live(self, account: str) -> bool:
        row = self.db.execute("SELECT live FROM account WHERE id = ?", (account,)).fetchone()
        return row is not None and bool(row[0])

    def admins(self) -> set[str]:
        """The live ones."""
        return set(self._recall.of("admins", self._admins))

    def _admins(self) -> set[str]:
        rows = self.db.execute("SELECT id FROM account WHERE role = 'admin' AND live = 1")
        return {account for (account,) in rows}

    def live_admins(self, *, besides: str = "") -> int:
        """How many admins there are who can still sign."""
        row = self.db.execute(
            "SELECT count(*) FROM account JOIN keypair ON account = id AND ended IS NULL"
            " WHERE role = 'admin' AND live = 1 AND id <> ?",
            (besides,),
        ).fetchone()
        return int(row[0])

    def add_account(self, account: str, kind: str, role: str, invite: str | None, idx: int) -> None:
        self._recall.forget()
        self.db.execute("INSERT INTO account VALUES (?, ?, ?, 1, ?, ?)", (account, kind, role, invite, idx))

    def end_account(self, account: str) -> None:
        self._recall.forget()
        self.db.execute("UPDATE account SET live = 0 WHERE id = ?", (account,))

    def current_keys(self, account: str) -> KeyPair | None:
        """The key pair in force; none once its key was revoked."""
        return self._recall.of("keys", self._current_keys, account)

    def _current_keys(self, account: str) -> KeyPair | None:
        row = self.db.execute(
            "SELECT account, sign, seal, idx, ended FROM keypair WHERE account = ? AND ended IS NULL"
            " ORDER BY idx DESC LIMIT 1",
            (account,),
        ).fetchone()
        return None if row is None else _key_pair(*row)

    def keys(self, account: str) -> list[KeyPair]:
        """Every key pair it ever had, oldest first."""
        rows = self.db.execute(
            "SELECT account, sign, seal, idx, ended FROM keypair WHERE account = ? ORDER BY idx", (account,)
        )
        return [_key_pair(*row) for row in rows]

    def signing_key(self, kid: str) -> SigningKey | None:
        """The signing key of that thumbprint, whoever's it is or was."""
        row = self.db.execute("SELECT sign FROM keypair WHERE kid = ?", (kid,)).fetchone()
        return None if row is None else SigningKey(row[0])

    def knows_key(self, kid: str) -> bool:
        return self.db.execute("SELECT 1 FROM keypair WHERE kid = ?", (kid,)).fetchone() is not None

    def add_keys(self, account: str, sign: SigningKey, seal: SealingKey | None, idx: int) -> None:
        self._recall.forget()
        self.db.execute(
            "INSERT INTO keypair VALUES (?, ?, ?, ?, ?, NULL)",
            (sign.thumbprint, account, sign.x, None if seal is None else seal.n, idx),
        )

    def end_keys(self, account: str, idx: int) -> None:
        self._recall.forget()
        self.db.execute("UPDATE keypair SET ended = ? WHERE account = ? AND ended IS NULL", (idx, account))

    # Handles and invitations

    def handle(self, account: str) -> str | None:
        row = self.db.execute("SELECT handle FROM profile WHERE account = ?", (account,)).fetchone()
        return None if row is None else row[0]

    def by_handle(self, handle: str) -> str | None:
        """The live account with this handle."""
        row = self.db.execute(
            "SELECT account FROM profile JOIN account ON id = account WHERE handle = ? AND live = 1",
            (handle,),
        ).fetchone()
        return None if row is None else row[0]

    def profile_index(self, account: str) -> int | None:
        row = self.db.execute("SELECT idx FROM profile WHERE account = ?", (account,)).fetchone()
        return None if row is None else row[0]

    def set_profile(self, account: str, handle: str | None, idx: int) -> None:
        self.db.execute("INSERT OR REPLACE INTO profile VALUES (?, ?, ?)", (account, handle, idx))

    def invite(self, invite: str) -> InviteRow | None:
        row = self.db.execute("SELECT * FROM invite WHERE id = ?", (invite,)).fetchone()
        return None if row is None else InviteRow(*row)

    def invite_by_hash(self, code_hash: str) -> InviteRow | None:
        row = self.db.execute("SELECT * FROM invite WHERE code_hash = ?", (code_hash,)).fetchone()
        return None if row is None else InviteRow(*row)

    def invites(self) -> list[InviteRow]:
        return [InviteRow(*row) for row in self.db.execute("SELECT * FROM invite ORDER BY idx")]

    def add_invite(self, row: InviteRow) -> None:
        self.db.execute("INSERT INTO invite VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", msgspec.structs.astuple(row))

    def use_invite(self, invite: str, account: str) -> None:
        self.db.execute("UPDATE invite SET used_by = ? WHERE id = ?", (account, invite))

    # Contacts and groups

    def contact(self, one: str, other: str) -> ContactRow | None:
        row = self.db.execute(
            "SELECT * FROM contact WHERE one = ? AND other = ?", tuple(sorted((one, other)))
        ).fetchone()
        return None if row is None else ContactRow(*row)

    def contacts(self, account: str) -> list[ContactRow]:
        rows = self.db.execute(
            "SELECT * FROM contact WHERE one = ?1 UNION ALL SELECT * FROM contact WHERE other = ?1",
            (account,),
        )
        return [ContactRow(*row) for row in rows]

    def contacts_after(self, idx: int, limit: int) -> list[ContactRow]:
        """Everybody's that an entry after `idx` made what they are, in the order of these entries."""
        rows = self.db.execute("SELECT * FROM contact WHERE idx > ? ORDER BY idx LIMIT ?", (idx, limit))
        return [ContactRow(*row) for row in rows]

    def set_contact(self, one: str, other: str, asked_by: str | None, idx: int) -> None:
        self._recall.forget()
        pair = sorted((one, other))
        self.db.execute("INSERT OR REPLACE INTO contact VALUES (?, ?, ?, ?)", (*pair, asked_by, idx))

    def end_contact(self, one: str, other: str) -> None:
        self._recall.forget()
        self.db.execute("DELETE FROM contact WHERE one = ? AND other = ?", tuple(sorted((one, other))))

    def group_index(self, group: str) -> int | None:
        """The entry that last defined the group; none if there is no such group."""
        row = self.db.execute("SELECT idx FROM party WHERE id = ?", (group,)).fetchone()
        return None if row is None else row[0]

    def groups(self) -> list[tuple[str, int]]:
        return self.db.execute("SELECT id, idx FROM party ORDER BY idx").fetchall()

    def set_group(self, group: str, members: Iterable[str], idx: int) -> None:
        self._recall.forget()
        self.end_group(group)
        self.db.execute("INSERT INTO party VALUES (?, ?)", (group, idx))
        self.db.executemany("INSERT INTO member VALUES (?, ?)", [(group, account) for account in members])

    def end_group(self, group: str) -> None:
        self._recall.forget()
        self.db.execute("DELETE FROM party WHERE id = ?", (group,))
        self.db.execute("DELETE FROM member WHERE party = ?", (group,))

    def members(self, group: str) -> set[str]:
        """The live members."""
        return set(self._recall.of("members", self._members, group))

    def _members(self, group: str) -> set[str]:
        rows = self.db.execute(
            "SELECT account FROM member JOIN account ON id = account WHERE party = ? AND live = 1", (group,)
        )
        return {account for (account,) in rows}

    def on_duty(self, group: str, now: int) -> set[str]:
        """The live members whose shift it is at `now` (ms since 1970); all of them where it is nobody's."""
        members = self.members(group)
        return members & self.shifts.on(group, now) or members

    def groups_of(self, account: str) -> set[str]:
        rows = self.db.execute("SELECT party FROM member WHERE account = ?", (account,))
        return {group for (group,) in rows}

    def are_linked(self, one: str, other: str) -> bool:
        """Whether they are contacts, both having agreed or an admin having linked them."""
        row = self.db.execute(
            "SELECT asked_by FROM contact WHERE one = ? AND other = ?", tuple(sorted((one, other)))
        ).fetchone()
        return row is not None and row[0] is None

    def may_speak(self, author: str, to: str) -> bool:
        """Contacts may speak; a group's members to it, and with whoever is linked to it; the linked to the group."""
        return self._recall.of("speak", self._may_speak, author, to)

    def _may_speak(self, author: str, to: str) -> bool:
        if self.are_linked(author, to):
            return True
        if to.startswith("g-"):
            return author in self.members(to)
        return self._share_a_link(author, to) or self._share_a_link(to, author)

    def _share_a_link(self, linked: str, member: str) -> bool:
        row = self.db.execute(
            "SELECT 1 FROM member JOIN contact ON one = min(?1, party) AND other = max(?1, party)"
            " WHERE account = ?2 AND asked_by IS NULL LIMIT 1",
            (linked, member),
        ).fetchone()
        return row is not None

    # Sequence numbers

    def last_seq(self, account: str, stream: str) -> int:
        return self._recall.of("seq", self._last_seq, account, stream)

    def _last_seq(self, account: str, stream: str) -> int:
        self._waiting.write()
        row = self.db.execute(
            "SELECT seq FROM stream WHERE account = ? AND stream = ?", (account, stream)
        ).fetchone()
        return 0 if row is None else int(row[0])

    def set_seq(self, account: str, stream: str, last: int, seq: int) -> None:
        """Move on to `seq`; whatever was passed over since `last` is remembered as a hole."""
        self._waiting.put("INSERT OR REPLACE INTO stream VALUES (?, ?, ?)", 2, account, stream, seq)
        self._recall.put(("seq", account, stream), seq)
        if seq > last + 1:
            self._waiting.add("INSERT INTO hole VALUES (?, ?, ?, ?)", account, stream, last + 1, seq - 1)

    # Who may have what

    def add_readers(self, readers: Iterable[str], author: str, idx: int) -> None:
        for account in readers:
            self._waiting.add("INSERT INTO inbox VALUES (?, ?, ?)", account, account == author, idx)

    def may_read(self, account: str, idx: int) -> bool:
        """Whether the entry was for `account`, or is of an alert that has come to concern it."""
        self._waiting.write()
        row = self.db.execute(
            "SELECT 1 FROM inbox WHERE account = ? AND own IN (0, 1) AND idx = ?", (account, idx)
        ).fetchone()
        return row is not None or self.alerts.concerns(account, idx)

    def was_received(self, account: str, idx: int) -> bool:
        """Whether `account` was an addressee of the entry, not its author."""
        self._waiting.write()
        row = self.db.execute(
            "SELECT 1 FROM inbox WHERE account = ? AND own = 0 AND idx = ?", (account, idx)
        ).fetchone()
        return row is not None

    def received(self, account: str, after: int, limit: int) -> list[int]:
        """Indices above `after` of what others addressed to `account`, rising."""
        self._waiting.write()
        rows = self.db.execute(
            "SELECT idx FROM inbox WHERE account = ? AND own = 0 AND idx > ? ORDER BY idx LIMIT ?",
            (account, after, limit),
        )
        return [idx for (idx,) in rows]

    def readable(self, account: str, after: int, limit: int) -> list[int]:
        """Indices above `after` of all that `account` may have, its own entries too, rising."""
        self._waiting.write()
        rows = self.db.execute(
            "SELECT idx FROM (SELECT idx FROM inbox WHERE account = ?1 AND own = 0 AND idx > ?2"
            " UNION ALL SELECT idx FROM inbox WHERE account = ?1 AND own = 1 AND idx > ?2) ORDER BY idx LIMIT ?3",
            (account, after, limit),
        )
        return [idx for (idx,) in rows]

    def received_before(self, account: str, idx: int) -> int:
        """The last index below `idx` that was addressed to `account`; -1 if there is none."""
        self._waiting.write()
        row = self.db.execute(
            "SELECT idx FROM inbox WHERE account = ? AND own = 0 AND idx < ? ORDER BY idx DESC LIMIT 1",
            (account, idx),
        ).fetchone()
        return -1 if row is None else int(row[0])

    def last_of(self, author: str) -> int | None:
        """The index of the newest entry that `author` wrote."""
        self._waiting.write()
        ((idx,),) = self.db.execute("SELECT max(idx) FROM inbox WHERE account = ? AND own = 1", (author,))
        return None if idx is None else int(idx)

    def add_to_thread(self, thread: str, idx: int) -> None:
        self._waiting.add("INSERT INTO talk VALUES (?, ?)", thread, idx)

    def thread(self, thread: str, *, before: int, limit: int) -> list[int]:
        """The newest indices below `before`, rising."""
        self._waiting.write()
        rows = self.db.execute(
            "SELECT idx FROM talk WHERE thread = ? AND idx < ? ORDER BY idx DESC LIMIT ?",
            (thread, before, limit),
        ).fetchall()
        return [idx for (idx,) in reversed(rows)]

    def conversation(self, account: str, thread: str, *, before: int, limit: int) -> list[int]:
        """Of a conversation, the newest indices below `before` that `account` may have, rising."""
        self._waiting.write()
        rows = self.db.execute(
            "SELECT idx FROM talk WHERE thread = ?1 AND idx < ?2 AND EXISTS (SELECT 1 FROM inbox"
            " WHERE account = ?3 AND own IN (0, 1) AND inbox.idx = talk.idx) ORDER BY idx DESC LIMIT ?4",
            (thread, before, account, limit),
        ).fetchall()
        return [idx for (idx,) in reversed(rows)]

    def has_from(self, account: str, author: str) -> bool:
        """Whether `account` was ever sent an entry of `author`."""
        self._waiting.write()
        row = self.db.execute(
            "SELECT 1 FROM inbox AS sent JOIN inbox AS got USING (idx)"
            " WHERE sent.account = ? AND sent.own = 1 AND got.account = ? AND got.own = 0 LIMIT 1",
            (author, account),
        ).fetchone()
        return row is not None

    # What was done, not said

    def add_act(self, idx: int, type_: str) -> None:
        self.db.execute("INSERT INTO act VALUES (?, ?)", (idx, type_))

    def acts(self, type_: str | None, *, before: int, limit: int) -> list[int]:
        """The newest indices below `before` of entries that are no messages, or of one type of them, falling."""
        rows = (
            self.db.execute("SELECT idx FROM act WHERE idx < ? ORDER BY idx DESC LIMIT ?", (before, limit))
            if type_ is None
            else self.db.execute(
                "SELECT idx FROM act WHERE type = ? AND idx < ? ORDER BY idx DESC LIMIT ?",
                (type_, before, limit),
            )
        )
        return [idx for (idx,) in rows]

    def is_erased(self, idx: int) -> bool:
        return self.db.execute("SELECT 1 FROM erased WHERE idx = ?", (idx,)).fetchone() is not None

    def erase(self, idx: int) -> None:
        """Remember that a body is gone, and forget what the state had from it."""
        self.db.execute("INSERT INTO erased VALUES (?)", (idx,))
        self.db.execute("UPDATE profile SET handle = NULL WHERE idx = ?", (idx,))
        self.db.execute("UPDATE invite SET handle = NULL WHERE idx = ?", (idx,))
        self.counters.erased(idx)


def thread_of(author: str, to: str) -> str:
    """The name of a conversation: the group, or the two accounts."""
    return to if to.startswith("g-") else " ".join(sorted((author, to)))


@lru_cache(maxsize=4096)
def _key_pair(account: str, sign: str, seal: str | None, idx: int, ended: int | None) -> KeyPair:
    # Every entry asks for its author's, and to parse a key is dearer than to find its row.
    return KeyPair(account, SigningKey(sign), None if seal is None else SealingKey(seal), idx, ended)
