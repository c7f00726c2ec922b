"""
The rules: what an entry may do, given the state, and what it changes there.

`admit` is the fold of the chain. It runs when an entry is committed, and again, over the same entries,
when a chain is audited; so it depends on nothing but its arguments. What a type of entry may do stands in
`chain.rulebook`.
"""

from collections.abc import Callable
from typing import Any

from chain.encoding import b64url
from chain.entry import (
    Account,
    Approve,
    Common,
    Contact,
    Contract,
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
    type_of,
)
from chain.errors import Malformed, Refused, Unverified
from chain.identity import SigningKey, account_id
from chain.rulebook import accounts, contacts, contracts, messages
from chain.rulebook.context import Admitted, Context
from chain.state import State

RULES: dict[type[Common], Callable[[Any, Context], Admitted]] = {
    Account: accounts.account,
    Approve: contracts.approve,
    Contact: contacts.contact,
    Contract: contracts.contract,
    Group: contacts.group,
    Invite: accounts.invite,
    Key: accounts.key,
    Message: messages.message,
    Profile: accounts.profile,
    Redact: messages.redact,
    Revoke: accounts.revoke,
    Shift: contacts.shift,
    Status: messages.status,
    Tick: contracts.tick,
}

ACTS = (Account, Approve, Contact, Contract, Group, Invite, Key, Redact, Revoke, Shift)
"""What is done, rather than said: who answers for the site looks through these, and not through all messages."""

TALK = (Message, Status, Tick)
"""What changes nothing of who anybody is."""


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
    contracts.check_quorum(entry, context)
    try:
        admitted = RULES[type(entry)](entry, context)
    except Malformed as error:
        raise Refused("malformed", str(error)) from error
    state.set_seq(entry.author, entry.stream, last, entry.seq)
    state.add_readers(admitted.readers, entry.author, context.idx)
    if not isinstance(entry, TALK):
        contracts.follow_quorum(entry, context)
        context.docket.forget()
    if isinstance(entry, ACTS):
        state.add_act(context.idx, type_of(entry))
    for idx in admitted.erased:
        state.erase(idx)
    return admitted


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
