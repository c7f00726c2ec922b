"""Messages, what becomes of them, and how they are erased."""

from chain.entry import Message, Redact, Status
from chain.errors import Refused
from chain.rulebook import alarms
from chain.rulebook.context import Admitted, Context, about, need, readers_of
from chain.rulebook.contracts import follow, judged
from chain.state import thread_of


def message(entry: Message, context: Context) -> Admitted:
    state = context.state
    readers = readers_of(state, entry.to) - {entry.author}
    if not readers or not (state.may_speak(entry.author, entry.to) or _hands_on(entry, context)):
        raise Refused("contact", "the author and the addressee are not in contact, or the addressee is gone")
    if entry.re is not None:
        found = context.find(entry.re)
        if found is None or not state.may_read(entry.author, found[0]):
            raise Refused("unknown", "re: no such message that the author has")
    acting = judged(entry, context)
    alert = None if entry.alert is None else alarms.told(entry, entry.alert, acting, context)
    follow(entry, None if alert is None else alert.idx, acting, context)
    state.add_to_thread(thread_of(entry.author, entry.to), context.idx)
    if alert is not None:
        readers |= alarms.concerned(alert, state)
    return Admitted(readers | {entry.author})


def _hands_on(entry: Message, context: Context) -> bool:
    """Whether it is about an alert that concerns its addressee: that one may have come when it was sealed already."""
    found = None if entry.re is None else context.find(entry.re)
    return found is not None and context.state.alerts.concerns(entry.to, found[0])


def status(entry: Status, context: Context) -> Admitted:
    state = context.state
    index, said = about(context, entry.about)
    if not isinstance(said, Message):
        raise Refused("unknown", "status: it is about messages only")
    alert = None if said.alert is None else state.alerts.of(index)
    is_concerned = alert is not None and entry.author != said.author
    if not state.was_received(entry.author, index) and not (
        is_concerned and state.alerts.concerns(entry.author, index)
    ):
        raise Refused("permission", "status: the author was not an addressee of that message")
    alarms.check_snooze(entry, alert, context.now)
    readers = readers_of(state, said.to) | {said.author, entry.author}
    if alert is not None:
        alarms.answer(entry, index, alert, context)
        readers |= alarms.concerned(alert, state)
    return Admitted(readers)


def redact(entry: Redact, context: Context) -> Admitted:
    state = context.state
    index, said = about(context, entry.about)
    if said.author != entry.author:
        need(state.account(entry.author), "admin")
    if getattr(said, "body", None) is None or state.is_erased(index):
        raise Refused("unknown", "redact: that entry has no body, or it is erased already")
    to = readers_of(state, said.to) if isinstance(said, Message) else frozenset()
    return Admitted(to | {said.author, entry.author}, (index,))
