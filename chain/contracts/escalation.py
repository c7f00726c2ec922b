"""Escalation: what becomes of an alert when its time has come. Pure; every step happens once, in order, never early."""

from msgspec.structs import replace

from chain.alerts import Alert
from chain.contracts.terms import EscalateParams
from chain.entry import Deed


def fired(alert: Alert, params: EscalateParams, now: int, clock: int) -> tuple[Alert, Deed]:
    """
    The next thing that happens to an alert that is due, and the alert after it.

    `now` is the wall clock's time, `clock` steady time, both in ms. Later steps wait from when this one happened, not
    from when it was due: after an outage they do not all come at once.
    """
    contract = alert.contract or ""
    if alert.snoozed is not None:
        woken = replace(alert, snoozed=None, resume=None, due=max(alert.resume or clock, clock))
        return woken, Deed(contract=contract, did="woken", about=alert.entry)
    if alert.taken_by is not None:
        again = replace(alert, taken_by=None, taken=None).escalating(params, alert.contract, clock)
        return replace(again, changed=now), Deed(contract=contract, did="overdue", about=alert.entry)
    if alert.step >= len(params.steps):
        nobody = replace(alert, due=None, nobody=now, changed=now)
        return nobody, Deed(contract=contract, did="nobody", about=alert.entry)
    step = Deed(
        contract=contract, did="step", about=alert.entry, step=alert.step, to=params.steps[alert.step].to
    )
    return replace(_stepped(alert, params, clock), changed=now), step


def _stepped(alert: Alert, params: EscalateParams, clock: int) -> Alert:
    steps, following = params.steps, alert.step + 1
    if following < len(steps):
        return replace(alert, step=following, due=clock + 1000 * steps[following].after)
    if alert.lap + 1 < params.laps:
        wait = params.wait + steps[0].after
        return replace(alert, step=0, lap=alert.lap + 1, due=clock + 1000 * wait)
    return replace(alert, step=following, due=clock + 1000 * params.wait)
