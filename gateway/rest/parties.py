"""Accounts and groups as a caller meets them: what a name means, and who may see whom."""

import msgspec

from chain.alerts import Alert
from chain.entry import MAX_MS, EntryId
from chain.errors import Refused
from chain.identity import PartyId
from chain.state import State, thread_of
from gateway.rest.desk import Caller
from gateway.rest.snapshot import Snapshot


def is_party_id(text: str) -> bool:
    try:
        msgspec.convert(text, PartyId)
    except msgspec.ValidationError:
        return False
    return True


def name_of(now: Snapshot, party: str) -> str | None:
    """What people call an account or a group, unless that was erased."""
    index = now.state.group_index(party)
    if index is not None:
        return now.group_name(index)
    card = now.card(party)
    return None if card is None else card.name


def called(now: Snapshot, party: str) -> str:
    """Its name, or else its id."""
    return name_of(now, party) or party


def stands_for(state: State, account: str) -> set[str]:
    """The account, and the groups that it is in."""
    return {account, *state.groups_of(account)}


def alert_of(caller: Caller, entry_id: str) -> Alert | None:
    """The alert that a message or an answer is of, if there is one and the caller may have it."""
    try:
        found = caller.now.chain.store.find(msgspec.convert(entry_id, EntryId))
    except msgspec.ValidationError:
        return None
    if found is None or not caller.now.state.may_read(caller.id, found[0]):
        return None
    return caller.now.state.alerts.of(found[0])


def addressee(caller: Caller, name: str, alert: Alert | None = None) -> str:
    """
    The account or group that `name` (an id, a handle, a group's name) means, if the caller may speak to it, or may hand
    an `alert` on to it.

    Whether there is no such addressee or it is out of reach is one and the same refusal: a name that may not
    be spoken to is nobody's business.
    """
    state = caller.now.state
    found = {
        to
        for to in _named(caller.now, name)
        if state.may_speak(caller.id, to) or (alert and state.alerts.concerns(to, alert.idx))
    }
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
        or state.alerts.meet(stands_for(state, me), account, stands_for(state, account))
    )
