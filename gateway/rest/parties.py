"""Accounts and groups as a caller meets them: what a name means, and who may see whom."""

import msgspec

from chain.entry import MAX_MS
from chain.errors import Refused
from chain.identity import PartyId
from chain.state import thread_of
from gateway.rest.desk import Caller
from gateway.rest.snapshot import Snapshot


def is_party_id(text: str) -> bool:
    try:
        msgspec.convert(text, PartyId)
    except msgspec.ValidationError:
        return False
    return True


def addressee(caller: Caller, name: str) -> str:
    """
    The account or group that `name` (an id, a handle, a group's name) means, if the caller may speak to it.

    Whether there is no such addressee or it is out of reach is one and the same refusal: a name that may not
    be spoken to is nobody's business.
    """
    found = {to for to in _named(caller.now, name) if caller.now.state.may_speak(caller.id, to)}
    if len(found) > 1:
        raise Refused("unknown", "that name stands for several you may speak to: use an id")
    if not found:
        raise Refused("contact", "there is no such addressee, or you are not in contact")
    return found.pop()


def _named(now: Snapshot, name: str) -> set[str]:
    # An id comes first: a handle may look like somebody else's id, but must not pass for it.
    if is_party_id(name) and (now.state.account(name) or now.state.group_index(name) is not None):
        return {name}
    account = now.state.by_handle(name)
    groups = {group for group, index in now.state.groups() if now.group_name(index) == name}
    return groups | ({account} if account else set())


def may_see(caller: Caller, account: str) -> bool:
    """Whether the caller has to do with the account, or ever had: it must be able to check what it holds."""
    state, me = caller.now.state, caller.id
    return (
        account in (me, caller.now.gateway)
        or caller.is_admin
        or state.may_speak(me, account)
        or state.contact(me, account) is not None
        or bool(state.groups_of(me) & state.groups_of(account))
        or bool(state.thread(thread_of(me, account), before=MAX_MS, limit=1))
        or state.has_from(me, account)
    )
