"""Timers: what contracts do because time has passed. The gateway says it in a tick, and every copy comes to the same."""

import heapq
from itertools import islice

from msgspec import Struct

from chain.alerts import Alert
from chain.contracts.counters import Kept
from chain.contracts.escalation import fired
from chain.entry import MAX_DEEDS, Deed
from chain.state import State


class Plan(Struct, frozen=True):
    """What is due: the deeds in their order, the alerts that they change, as they are then, and what is erased."""

    deeds: list[Deed]
    alerts: list[Alert]
    erased: list[Kept]


def next_due(state: State) -> int | None:
    """When there is something to do, in steady ms."""
    return min(
        (due for due in (state.alerts.next_due(), state.counters.next_due()) if due is not None), default=None
    )


def plan(state: State, now: int, clock: int) -> Plan:
    """What is due at `now` (wall ms), which is `clock` in steady ms; as much as one tick says. Changes nothing."""
    alerts = {alert.idx: alert for alert in state.alerts.due(clock, MAX_DEEDS)}
    queue = [(alert.due or 0, alert.idx) for alert in alerts.values()]
    heapq.heapify(queue)
    deeds: list[Deed] = []
    changed: dict[int, Alert] = {}
    while queue and len(deeds) < MAX_DEEDS:
        _, idx = heapq.heappop(queue)
        params = state.contracts.escalation(alerts[idx].contract)
        assert params is not None  # nothing is due for an alert without a contract
        alerts[idx], deed = fired(alerts[idx], params, now, clock)
        changed[idx] = alerts[idx]
        deeds.append(deed)
        due = alerts[idx].due
        if due is not None and due <= clock:
            heapq.heappush(queue, (due, idx))
    # What was answered may be so no more by now: the body of an open alert is kept.
    opened = {idx for idx, alert in changed.items() if alert.is_open}
    ready = (kept for kept in state.counters.due(clock) if kept.alert not in opened)
    erased = list(islice(ready, MAX_DEEDS - len(deeds)))
    deeds += [Deed(contract=kept.contract, did="erased", about=kept.entry) for kept in erased]
    return Plan(deeds, list(changed.values()), erased)
