"""
The rules: what an entry may do, given the state, and what it changes there.

`admit` is the fold of the chain. It runs when an entry is committed, and again, over the same entries,
when a chain is audited; so it depends on nothing but its arguments.
"""

from collections.abc import Callable
from functools import singledispatch

from msgspec import Struct

from chain.body import Body, Card, GroupName, Invitation
from chain.encoding import b64url, digest
from chain.entry import (
    Account,
    Approve,
    Common,
    Contact,
    Contract,
    Entry,
    Group,
    Invite,
    Key,
    Message,
    Profile,
    Redact,
    Revoke,
    Shift,
    SignedEntry,
    Status,
    Tick,
    parse,
    type_of,
)
from chain.errors import Malformed, Refused, Unverified
from chain.identity import SigningKey, account_id
from chain.state import AccountRow, InviteRow, State, thread_of

Find = Callable[[str], tuple[int, bytes] | None]
"""Index and leaf of the entry with an id."""

RootAt = Callable[[int], bytes | None]
"""The root that the log had at a size at which a block ended."""

Check = Callable[[SignedEntry, SigningKey], None]
"""Checks a signature now, or sees to it that it is checked; raises `Unverified`."""


ACTS = (Account, Contact, Group, Invite, Key, Redact, Revoke)
"""What is done, rather than said: who answers for the site looks through these, and not through all messages."""


class Context(Struct, frozen=True):
    """
    What the rules may look at. `now` is the block's time in ms, `idx` the entry's index.

    `body` is the one that the entry binds; in an audit it is `None` where it was erased.
    """

    state: State
    origin: str
    find: Find
    root_at: RootAt
    check: Check
    now: int
    idx: int
    body: Body | None


class Admitted(Struct, frozen=True):
    """Who may have the entry, and whose bodies (by index) it erases."""

    readers: frozenset[str]
    erased: tuple[int, ...] = ()


def code_hash(code: str) -> str:
    """What an invite says of its join code."""
    return b64url(digest(b"blockpost/join/v1\n" + code.encode()))


def admit(context: Context, signed: SignedEntry, *, after: int | None = None) -> Admitted:
    """Fold one entry into the state, or raise `Refused` and leave the state as it was."""
    entry, state = signed.entry, context.state
    if entry.chain != context.origin:
        raise Refused("origin", f"this is {context.origin}, the entry is for another chain")
    key = _key_of(context, signed)
    try:
        context.check(signed, key)
    except (Unverified, Malformed) as error:
        raise Refused("signature", str(error)) from error
    _check_history(context, entry)
    last = _check_sequence(state, entry, after)
    try:
        admitted = _apply(entry, context)
    except Malformed as error:
        raise Refused("malformed", str(error)) from error
    state.set_seq(entry.author, entry.stream, last, entry.seq)
    state.add_readers(admitted.readers, entry.author, context.idx)
    note_act(state, entry, context.idx)
    for idx in admitted.erased:
        state.erase(idx)
    return admitted


def note_act(state: State, entry: Common, idx: int) -> None:
    if isinstance(entry, ACTS):
        state.add_act(idx, type_of(entry))


def _key_of(context: Context, signed: SignedEntry) -> SigningKey:
    entry = signed.entry
    if isinstance(entry, Account):
        key = entry.sign
        if account_id(key) != entry.author:
            raise Refused("stranger", "the author's id is not that of the key it brings")
        if signed.kid != key.thumbprint:
            raise Refused("key", "a new account signs with the key it brings")
        return key
    account = context.state.account(entry.author)
    if account is None:
        raise Refused("stranger", "no such account on this chain")
    if not account.live:
        raise Refused("revoked", "the author's account was revoked")
    keys = context.state.current_keys(entry.author)
    if keys is None or keys.sign.thumbprint != signed.kid:
        raise Refused("key", "not signed with the author's current key")
    return keys.sign


def _check_history(context: Context, entry: Common) -> None:
    root = context.root_at(entry.seen.size) if entry.seen.size <= context.idx else None
    if root is None or b64url(root) != entry.seen.root:
        raise Refused("history", f"this chain never had that root at size {entry.seen.size}")


def _check_sequence(state: State, entry: Common, after: int | None) -> int:
    last = state.last_seq(entry.author, entry.stream)
    if entry.seq <= last:
        raise Refused("sequence", f"want a seq above {last} in this stream, got {entry.seq}")
    if after is not None and after > last:
        raise Refused("gap", f"seq {after} of this stream is not here yet, the last is {last}")
    return last


def _need(account: AccountRow | None, *roles: str) -> None:
    if account is None or account.role not in roles:
        raise Refused("permission", f"that takes the role {' or '.join(roles)}")


def _live(state: State, account: str, what: str) -> AccountRow:
    row = state.account(account)
    if row is None or not row.live:
        raise Refused("unknown", f"{what}: no such live account")
    return row


@singledispatch
def _apply(entry: Entry, _context: Context) -> Admitted:
    raise NotImplementedError(type_of(entry))


@_apply.register
def _(entry: Invite, context: Context) -> Admitted:
    state = context.state
    author = state.account(entry.author)
    # Until there is an admin, and only until then, the gateway lets the first one in.
    _need(author, "admin", *(() if state.live_admins() else ("gateway",)))
    if author and author.role == "gateway" and entry.role != "admin":
        raise Refused("permission", "the gateway may let in the first admin and nobody else")
    if entry.role == "gateway" or (entry.role == "admin" and entry.kind != "person"):
        raise Refused("permission", "a chain has one gateway, and its admins are persons")
    if entry.expires <= context.now:
        raise Refused("invite", "it has expired already")
    if state.invite_by_hash(entry.code_hash) is not None:
        raise Refused("invite", "this join code was used for another invite")
    handle = context.body.read(Invitation).handle if context.body else None
    if handle and state.by_handle(handle) is not None:
        raise Refused("handle", "a live account has this handle")
    state.add_invite(
        InviteRow(
            id=entry.id,
            code_hash=entry.code_hash,
            kind=entry.kind,
            role=entry.role,
            expires=entry.expires,
            handle=handle,
            author=entry.author,
            used_by=None,
            idx=context.idx,
        )
    )
    return Admitted(frozenset({entry.author}))


@_apply.register
def _(entry: Account, context: Context) -> Admitted:
    state = context.state
    if state.account(entry.author) is not None or state.knows_key(entry.sign.thumbprint):
        raise Refused("replay", "this account exists already")
    if context.idx == 0:
        return _first_account(entry, context)
    invite = state.invite(entry.invite or "")
    if invite is None or entry.code is None or code_hash(entry.code) != invite.code_hash:
        raise Refused("invite", "no invite was made for this join code")
    if invite.used_by is not None:
        raise Refused("invite", "this join code was used already")
    if invite.expires < context.now:
        raise Refused("invite", "this join code has expired")
    if (invite.kind, invite.role) != (entry.kind, entry.role):
        raise Refused("invite", f"this join code is for a {invite.kind} with role {invite.role}")
    if entry.seal is None:
        raise Refused("invite", "an account needs a key to receive with")
    state.add_account(entry.author, entry.kind, entry.role, entry.invite, context.idx)
    state.add_keys(entry.author, entry.sign, entry.seal, context.idx)
    state.use_invite(invite.id, entry.author)
    return Admitted(frozenset({entry.author, invite.author}))


def _first_account(entry: Account, context: Context) -> Admitted:
    """The gateway's own: it has no key to receive with, for it is to read nothing."""
    if (entry.kind, entry.role, entry.seal) != ("service", "gateway", None):
        raise Refused("permission", "a chain begins with the gateway's own account, without a sealing key")
    context.state.add_account(entry.author, entry.kind, entry.role, None, context.idx)
    context.state.add_keys(entry.author, entry.sign, None, context.idx)
    return Admitted(frozenset({entry.author}))


@_apply.register
def _(entry: Profile, context: Context) -> Admitted:
    state = context.state
    handle = context.body.read(Card).handle if context.body else None
    if handle is not None:
        account = state.account(entry.author)
        invite = state.invite(account.invite) if account and account.invite else None
        if invite and invite.handle and invite.handle != handle:
            raise Refused("handle", "the handle is not the one this account was invited with")
        if state.by_handle(handle) not in (None, entry.author):
            raise Refused("handle", "a live account has this handle")
    older = state.profile_index(entry.author)
    state.set_profile(entry.author, handle, context.idx)
    erased = () if older is None or state.is_erased(older) else (older,)
    # Its login verifier and key backups are for nobody else, not even contacts.
    return Admitted(frozenset({entry.author}), erased)


@_apply.register
def _(entry: Key, context: Context) -> Admitted:
    state = context.state
    target = _live(state, entry.account, "key")
    if entry.account != entry.author:
        _need(state.account(entry.author), "admin")
    if target.role == "gateway":
        raise Refused("permission", "the gateway's key is the chain's own; it does not change by an entry")
    if state.knows_key(entry.sign.thumbprint):
        raise Refused("key", "this signing key was used on this chain before")
    state.end_keys(entry.account, context.idx)
    state.add_keys(entry.account, entry.sign, entry.seal, context.idx)
    return Admitted(_circle(state, entry.account) | {entry.author})


@_apply.register
def _(entry: Revoke, context: Context) -> Admitted:
    state = context.state
    _need(state.account(entry.author), "admin")
    target = _live(state, entry.account, "revoke")
    if target.role == "gateway":
        raise Refused("permission", "the gateway cannot be revoked on its own chain")
    if target.role == "admin" and not state.live_admins(besides=target.id):
        raise Refused("permission", "the last admin cannot be revoked")
    readers = _circle(state, entry.account) | {entry.author}
    if entry.key is None:
        state.end_account(entry.account)
    else:
        keys = state.current_keys(entry.account)
        if keys is None or keys.sign.thumbprint != entry.key:
            raise Refused("unknown", "revoke: not a current key of that account")
        state.end_keys(entry.account, context.idx)
    return Admitted(readers)


@_apply.register
def _(entry: Contact, context: Context) -> Admitted:
    if (entry.of is not None) != (entry.action in ("link", "unlink")):
        raise Refused("malformed", "contact: `of` goes with link and unlink, and with nothing else")
    if entry.of is not None:
        return _link(entry, entry.of, context)
    state, author, peer = context.state, entry.author, entry.peer
    row = state.contact(author, peer)
    if entry.action == "remove":
        if row is None:
            raise Refused("contact", "there is no such contact to remove")
        state.end_contact(author, peer)
        return Admitted(_readers(state, peer) | {author})
    if author == peer or peer.startswith("g-"):
        raise Refused("contact", "a contact is another account; groups are an admin's to link")
    _live(state, peer, "contact")
    if entry.action == "request":
        if row is not None:
            raise Refused("contact", "they are contacts already, or one has asked the other")
        state.set_contact(author, peer, author, context.idx)
    else:
        if row is None or row.asked_by != peer:
            raise Refused("contact", "there is no request of that account to accept")
        state.set_contact(author, peer, None, context.idx)
    return Admitted(frozenset({author, peer}))


def _link(entry: Contact, of: str, context: Context) -> Admitted:
    state, peer = context.state, entry.peer
    _need(state.account(entry.author), "admin")
    readers = _readers(state, peer) | {entry.author, of}
    if entry.action == "unlink":
        if state.contact(of, peer) is None:
            raise Refused("contact", "there is no such link to end")
        state.end_contact(of, peer)
        return Admitted(readers)
    _live(state, of, "link")
    if peer.startswith("g-"):
        if state.group_index(peer) is None:
            raise Refused("unknown", "link: no such group")
    else:
        _live(state, peer, "link")
    if of == peer:
        raise Refused("contact", "an account is not linked to itself")
    state.set_contact(of, peer, None, context.idx)
    return Admitted(readers)


@_apply.register
def _(entry: Group, context: Context) -> Admitted:
    state = context.state
    _need(state.account(entry.author), "admin")
    older = state.group_index(entry.group)
    if not entry.members and older is None:
        raise Refused("unknown", "group: there is no such group to end")
    if bool(entry.members) != (entry.body is not None):
        raise Refused("malformed", "group: a name (body) goes with members, and with nothing else")
    if context.body is not None:
        context.body.read(GroupName)
    for member in entry.members:
        _live(state, member, "group")
    readers = state.members(entry.group) | set(entry.members) | {entry.author}
    if entry.members:
        state.set_group(entry.group, entry.members, context.idx)
    else:
        state.end_group(entry.group)
    erased = () if older is None or state.is_erased(older) else (older,)
    return Admitted(frozenset(readers), erased)


@_apply.register
def _(entry: Message, context: Context) -> Admitted:
    state = context.state
    readers = _readers(state, entry.to) - {entry.author}
    if not readers or not state.may_speak(entry.author, entry.to):
        raise Refused("contact", "the author and the addressee are not in contact, or the addressee is gone")
    if entry.re is not None:
        found = context.find(entry.re)
        if found is None or not state.may_read(entry.author, found[0]):
            raise Refused("unknown", "re: no such message that the author has")
    state.add_to_thread(thread_of(entry.author, entry.to), context.idx)
    return Admitted(readers | {entry.author})


@_apply.register
def _(entry: Status, context: Context) -> Admitted:
    index, about = _about(context, entry.about)
    if not isinstance(about, Message):
        raise Refused("unknown", "status: it is about messages only")
    if not context.state.was_received(entry.author, index):
        raise Refused("permission", "status: the author was not an addressee of that message")
    return Admitted(_readers(context.state, about.to) | {about.author, entry.author})


@_apply.register
def _(entry: Redact, context: Context) -> Admitted:
    state = context.state
    index, about = _about(context, entry.about)
    if about.author != entry.author:
        _need(state.account(entry.author), "admin")
    if getattr(about, "body", None) is None or state.is_erased(index):
        raise Refused("unknown", "redact: that entry has no body, or it is erased already")
    to = _readers(state, about.to) if isinstance(about, Message) else frozenset()
    return Admitted(to | {about.author, entry.author}, (index,))


@_apply.register(Approve)
@_apply.register(Contract)
@_apply.register(Shift)
@_apply.register(Tick)
def _(entry: Approve | Contract | Shift | Tick, _context: Context) -> Admitted:
    raise Refused("unsupported", f"{type_of(entry)}: no contract engine is in force on this chain")


def _about(context: Context, entry_id: str) -> tuple[int, Entry]:
    found = context.find(entry_id)
    if found is None or found[0] >= context.idx:
        raise Refused("unknown", "no such entry on this chain")
    return found[0], parse(found[1]).entry


def _readers(state: State, to: str) -> frozenset[str]:
    """The live accounts that something addressed to `to` is for."""
    if to.startswith("g-"):
        return frozenset(state.members(to))
    return frozenset({to} if state.is_live(to) else ())


def _circle(state: State, account: str) -> frozenset[str]:
    """The account and the live ones that talk to it directly: whom a change of its keys concerns."""
    peers = {row.other if row.one == account else row.one for row in state.contacts(account)}
    return frozenset({account, *(peer for peer in peers if state.is_live(peer))})
