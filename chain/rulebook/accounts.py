"""Accounts: who is let in, under which name and keys, and how they end."""

from chain.body import Card, Invitation
from chain.entry import Account, Invite, Key, Profile, Revoke
from chain.errors import Refused
from chain.joincode import code_hash
from chain.rulebook.context import Admitted, Context, circle_of, live, need
from chain.rulebook.contracts import check_last_steps, check_quorums
from chain.state import InviteRow


def invite(entry: Invite, context: Context) -> Admitted:
    state = context.state
    author = state.account(entry.author)
    # Until there is an admin, and only until then, the gateway lets the first one in.
    need(author, "admin", *(() if state.live_admins() else ("gateway",)))
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


def account(entry: Account, context: Context) -> Admitted:
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


def profile(entry: Profile, context: Context) -> Admitted:
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


def key(entry: Key, context: Context) -> Admitted:
    state = context.state
    target = live(state, entry.account, "key")
    if entry.account != entry.author:
        need(state.account(entry.author), "admin")
    if target.role == "gateway":
        raise Refused("permission", "the gateway's key is the chain's own; it does not change by an entry")
    if state.knows_key(entry.sign.thumbprint):
        raise Refused("key", "this signing key was used on this chain before")
    state.end_keys(entry.account, context.idx)
    state.add_keys(entry.account, entry.sign, entry.seal, context.idx)
    return Admitted(circle_of(state, entry.account) | {entry.author})


def revoke(entry: Revoke, context: Context) -> Admitted:
    state = context.state
    need(state.account(entry.author), "admin")
    target = live(state, entry.account, "revoke")
    if target.role == "gateway":
        raise Refused("permission", "the gateway cannot be revoked on its own chain")
    if target.role == "admin" and not state.live_admins(besides=target.id):
        raise Refused("permission", "the last admin cannot be revoked")
    readers = circle_of(state, entry.account) | {entry.author}
    if entry.key is None:
        check_last_steps(state, entry.account)
        if target.role == "admin":
            check_quorums(state, entry.account)
        state.end_account(entry.account)
    else:
        keys = state.current_keys(entry.account)
        if keys is None or keys.sign.thumbprint != entry.key:
            raise Refused("unknown", "revoke: not a current key of that account")
        state.end_keys(entry.account, context.idx)
    return Admitted(readers)
