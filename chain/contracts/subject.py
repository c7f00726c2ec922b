"""What a guard may speak of: the clear facts of an entry, and of its author as the chain knows it."""

from chain.entry import Alert, Common, Contact, Group, Invite, Key, Message, Redact, Revoke, type_of
from chain.entry import Contract as Said
from chain.state import State

Values = dict[str, object]


def of_message(author: str, to: str, alert: Alert | None, state: State) -> Values:
    """All but what is of this one message."""
    return _author(author, state) | {
        "to": to,
        "is_alert": alert is not None,
        "is_group": to.startswith("g-"),
        "kind": "" if alert is None else alert.kind,
        "priority": "" if alert is None else alert.priority,
        "state": "" if alert is None else alert.state,
    }


def of_this_one(message: Message, now: int) -> Values:
    return {"is_reply": message.re is not None, "size": message.body.size, "time": now}


def of_admin(entry: Common, state: State, now: int) -> Values:
    """`target` is the account, group, contract or entry that it is about."""
    target, action, role = _deed(entry)
    return _author(entry.author, state) | {
        "action": action,
        "role": role,
        "target": target,
        "time": now,
        "to": target if isinstance(entry, Contact) else "",
        "type": type_of(entry),
    }


def _author(author: str, state: State) -> Values:
    row = state.account(author)
    return {
        "author": author,
        "author_groups": sorted(state.groups_of(author)),
        "author_kind": "" if row is None else row.kind,
        "author_role": "" if row is None else row.role,
    }


def _deed(entry: Common) -> tuple[str, str, str]:
    """Target, action and role."""
    found: tuple[str, str, str] = ("", "", "")
    match entry:
        case Invite():
            found = "", "", entry.role
        case Revoke() | Key():
            found = entry.account, "", ""
        case Contact():
            found = entry.of or entry.peer, entry.action, ""
        case Group():
            found = entry.group, "set" if entry.members else "end", ""
        case Redact():
            found = entry.about, "", ""
        case Said():
            found = entry.contract, entry.action, ""
        case _:
            pass
    return found
