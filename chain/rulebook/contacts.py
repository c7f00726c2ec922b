"""Who may speak to whom, and who is on duty: contacts, links, groups and their shifts."""

from chain import duty
from chain.body import GroupName
from chain.entry import Contact, Group, Shift
from chain.errors import Refused
from chain.rulebook.context import Admitted, Context, live, need, readers_of
from chain.rulebook.contracts import check_last_steps


def contact(entry: Contact, context: Context) -> Admitted:
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
        return Admitted(readers_of(state, peer) | {author})
    if author == peer or peer.startswith("g-"):
        raise Refused("contact", "a contact is another account; groups are an admin's to link")
    live(state, peer, "contact")
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
    need(state.account(entry.author), "admin")
    readers = readers_of(state, peer) | {entry.author, of}
    if entry.action == "unlink":
        if state.contact(of, peer) is None:
            raise Refused("contact", "there is no such link to end")
        state.end_contact(of, peer)
        return Admitted(readers)
    live(state, of, "link")
    if peer.startswith("g-"):
        if state.group_index(peer) is None:
            raise Refused("unknown", "link: no such group")
    else:
        live(state, peer, "link")
    if of == peer:
        raise Refused("contact", "an account is not linked to itself")
    state.set_contact(of, peer, None, context.idx)
    return Admitted(readers)


def group(entry: Group, context: Context) -> Admitted:
    state = context.state
    need(state.account(entry.author), "admin")
    older = state.group_index(entry.group)
    if not entry.members and older is None:
        raise Refused("unknown", "group: there is no such group to end")
    if bool(entry.members) != (entry.body is not None):
        raise Refused("malformed", "group: a name (body) goes with members, and with nothing else")
    if context.body is not None:
        context.body.read(GroupName)
    for member in entry.members:
        live(state, member, "group")
    if not entry.members:
        check_last_steps(state, entry.group)
    readers = state.members(entry.group) | set(entry.members) | {entry.author}
    if entry.members:
        state.set_group(entry.group, entry.members, context.idx)
    else:
        state.end_group(entry.group)
        state.shifts.end(entry.group)
    erased = () if older is None or state.is_erased(older) else (older,)
    return Admitted(frozenset(readers), erased)


def shift(entry: Shift, context: Context) -> Admitted:
    state = context.state
    author = live(state, entry.author, "shift")
    members = state.members(entry.party)
    if entry.account is None and entry.instead is None:
        raise Refused("malformed", "shift: want who is on, or instead of whom, or both")
    if not entry.begins < entry.ends <= entry.begins + duty.MAX_SHIFT_MS:
        raise Refused("malformed", "shift: it ends after it begins, and at most 31 days later")
    if author.role != "admin" and (entry.author not in members or entry.account != entry.author):
        raise Refused("permission", "an admin plans shifts; a member may take one for themselves")
    if entry.account is not None and entry.account not in members:
        raise Refused("unknown", "shift: not a live member of that group")
    if entry.instead is not None:
        cut = state.shifts.cut(entry.party, entry.instead, entry.begins, entry.ends)
        if not cut:
            raise Refused("unknown", "shift: whoever it is instead of has none at that time")
    if entry.account is not None:
        state.shifts.add(entry.party, duty.Shift(entry.account, entry.begins, entry.ends, context.idx))
    return Admitted(frozenset(members | {entry.author}))
