"""Alarms: what messages with an alert's header, and answers to them, make of an alert."""

from chain.alerts import Alert, Moment, answered, begins_again, begun, continued
from chain.contracts.docket import Acting
from chain.contracts.terms import Escalate
from chain.entry import Alert as Header
from chain.entry import Message, Status
from chain.errors import Refused
from chain.rulebook.context import Context, readers_of
from chain.state import State

MAX_SNOOZE_MS = 86_400_000


def told(message: Message, header: Header, acting: Acting, context: Context) -> Alert:
    """Fold a message into its alert, which may be a new one; return it."""
    state, now = context.state, Moment(context.now, context.clock)
    before = state.alerts.get(message.author, header.episode)
    if before is None:
        alert = _escalating(begun(message, header, context.idx, now), acting, context)
    else:
        alert = continued(before, header, context.idx, now)
        if begins_again(before, header):
            alert = _escalating(alert, acting, context)
    state.alerts.put(alert)
    state.alerts.add(alert.idx, context.idx, message.to)
    return alert


def answer(status: Status, about: int, alert: Alert, context: Context) -> None:
    """Fold an answer to the message at `about`."""
    state = context.state
    after = answered(
        alert, status, about, state.contracts.escalation(alert.contract), Moment(context.now, context.clock)
    )
    state.alerts.put(after)
    state.alerts.add(alert.idx, context.idx)
    contract = state.contracts.get(alert.contract) if alert.contract else None
    if contract is not None and alert.is_open and not after.is_open:
        context.did(contract, f"stopped {alert.entry}")


def concerned(alert: Alert, state: State) -> frozenset[str]:
    """Everybody whom it was addressed to, or a step has named."""
    return frozenset().union(*(readers_of(state, party) for party in state.alerts.concerned(alert.idx)))


def check_snooze(status: Status, alert: Alert | None, now: int) -> None:
    """Silence always ends, and says why."""
    if (status.state == "snoozed") != (status.until is not None) or (status.until is None) != (
        status.reason is None
    ):
        raise Refused("malformed", "status: `until` and `reason` go with snoozed, and with nothing else")
    if status.until is None:
        return
    if alert is None:
        raise Refused("unknown", "status: only an alert can be snoozed")
    if not now < status.until <= now + MAX_SNOOZE_MS:
        raise Refused("malformed", "status: a snooze ends later than now, and within 24 hours")


def _escalating(alert: Alert, acting: Acting, context: Context) -> Alert:
    """By the first contract that speaks of it. One that cannot be judged is taken to: an alert is not lost by it."""
    speaking = [*acting.of(Escalate), *acting.failed_of(Escalate)]
    contract = min(speaking, key=lambda each: each.idx, default=None)
    if contract is None:
        return alert.escalating(None, None, context.clock)
    context.did(contract, f"began {alert.entry}")
    params = context.state.contracts.escalation(contract.id)
    return alert.escalating(params, contract.id, context.clock)
