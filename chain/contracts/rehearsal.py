"""
What a contract would have done to what was really said. Pure: what was said goes in, what would have followed comes out.

A rehearsal has an ideal gateway: every timer goes off the moment that it is due.
"""

from collections.abc import Callable, Iterable

from msgspec import Struct

from chain.alerts import Alert, Moment, answered, begins_again, begun, continued
from chain.contracts.escalation import fired
from chain.contracts.terms import EscalateParams, RateParams
from chain.entry import Deed, Message, Status


class Said(Struct, frozen=True):
    """A message of an alert, or an answer to the message at `about`, and when it came to the chain."""

    idx: int
    entry: Message | Status
    now: Moment
    about: int = -1


class Course(Struct, frozen=True):
    """What a contract would have made of an alert: whether it was ever the one that speaks of it, and its deeds."""

    acted: bool
    deeds: list[Deed]


Speaks = Callable[[Message, int], bool]
"""Whether it is this contract that speaks of an alert, by a message of it, at a wall time in ms."""


class Script(Struct, frozen=True):
    """An `escalate` contract by its id, its `params`, and what it speaks of."""

    contract: str
    params: EscalateParams
    speaks: Speaks


def escalated(script: Script, said: Iterable[Said], until: Moment) -> Course:
    """The course of one alert; `said` is all that it consists of, in the order of the chain."""
    alert: Alert | None = None
    acted = False
    deeds: list[Deed] = []
    for each in said:
        if alert is not None:
            alert = _passed(alert, script.params, each.now, deeds)
        alert = _told(alert, each, script)
        acted = acted or alert.contract is not None
    if alert is not None:
        _passed(alert, script.params, until, deeds)
    return Course(acted, deeds)


def _told(before: Alert | None, said: Said, script: Script) -> Alert:
    """The alert after a message of it, or an answer, as the rules of the chain have it (`chain.rulebook.alarms`)."""
    entry, now = said.entry, said.now
    if isinstance(entry, Status):
        assert before is not None  # nobody answers what there is not
        return answered(before, entry, said.about, script.params if before.contract else None, now)
    header = entry.alert
    assert header is not None  # nothing else is of an alert
    alert = (
        begun(entry, header, said.idx, now) if before is None else continued(before, header, said.idx, now)
    )
    if before is not None and not begins_again(before, header):
        return alert
    if script.speaks(entry, now.at):
        return alert.escalating(script.params, script.contract, now.clock)
    return alert.escalating(None, None, now.clock)


def _passed(alert: Alert, params: EscalateParams, until: Moment, deeds: list[Deed]) -> Alert:
    """The alert after all that is due until then was done."""
    while alert.due is not None and alert.due <= until.clock:
        alert, deed = fired(alert, params, until.at - (until.clock - alert.due), alert.due)
        deeds.append(deed)
    return alert


class Window(Struct):
    """What a rate counts, of one author, addressee or of all; it begins with the first that is counted (steady ms)."""

    began: int
    count: int


def over_rate(params: RateParams, of: str, clock: int, windows: dict[str, Window]) -> bool:
    """Whether a message is one too many at `clock` (steady ms); one that is not is counted in `windows`."""
    window = windows.get(of)
    if window is None or window.began <= clock - 1000 * params.seconds:
        windows[of] = Window(clock, 1)
        return False
    if window.count >= params.count:
        return True
    window.count += 1
    return False
