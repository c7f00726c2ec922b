"""What a contract does, in sentences for who has to live with it: no less than it does, and no more."""

from collections.abc import Iterator

from msgspec import Struct

from chain.contracts import phrases
from chain.contracts.dialect import tokens_of
from chain.contracts.phrases import NameOf
from chain.contracts.terms import Access, Escalate, EscalateParams, Quorum, Rate, Retain, Terms

_UNITS = ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))

_TIMES = {0: "never", 1: "once", 2: "twice"}

_PER = {"author": "from one account", "to": "to one account or group", "all": "from everybody together"}

_KNOWN = {phrases.ALERT: "an alert", phrases.NO_ALERT: "a message that is no alert"}

_CALCULATES = frozenset("+-*/%")
"""What a guard can fail at: a number beyond 64 bits, or a division by zero."""


def of(terms: Terms, name_of: NameOf) -> list[str]:
    """The sentences; `name_of` gives what people call an account or a group, by its id."""
    said = _said(terms, name_of)
    match terms:
        case Access():
            return [f"{said.subject.capitalize()} is refused {said.when}.", *_both(said)]
        case Rate():
            return [*_rate(terms, said)]
        case Quorum():
            return [*_quorum(terms, said)]
        case Escalate():
            return [*_escalate(terms, said, name_of)]
        case Retain():
            return [*_retain(terms, said)]


def lasts(seconds: int) -> str:
    """How long that is, as "2 minutes" or "1 hour 30 minutes"."""
    said = []
    for unit, name in _UNITS:
        count, seconds = divmod(seconds, unit)
        if count:
            said.append(f"{count} {name}" if count == 1 else f"{count} {name}s")
    return " ".join(said) or "0 seconds"


def times(count: int) -> str:
    """As "once" or "5 times"."""
    return _TIMES.get(count, f"{count} times")


class _Said(Struct, frozen=True):
    """A guard in words: what it is about, and `when` it holds of that; what it means for `alerts`, if to be said."""

    subject: str
    when: str
    alerts: str | None
    may_fail: bool


def _said(terms: Terms, name_of: NameOf) -> _Said:
    phrase = phrases.of(terms.when, name_of)
    guard = " ".join(terms.when.splitlines())
    if phrase is None:
        may_fail = any(token.text in _CALCULATES for token in tokens_of(terms.when))
        where = "That goes for alerts, too, where it holds for one."
        return _Said("a message", f"if this holds: {guard}", where, may_fail)
    subject = "a message"
    for fact, name in _KNOWN.items():
        # An escalation for what is no alert never comes to anything, and has to say so.
        if phrases.asks(phrase, fact) and not (isinstance(terms, Escalate) and fact == phrases.NO_ALERT):
            phrase, subject = phrases.without(phrase, fact), name
            break
    when = "in every case" if phrase == phrases.ALWAYS else f"if {phrases.told(phrase)} ({guard})"
    alerts = "That goes for alerts, too." if subject == "a message" else None
    return _Said(subject, when, alerts, may_fail=False)


def _both(said: _Said) -> Iterator[str]:
    """Of what refuses messages."""
    if said.alerts is not None:
        yield said.alerts
    if said.may_fail:
        yield "Where that cannot be worked out, a message is refused, and an alert goes through."


def _rate(terms: Rate, said: _Said) -> Iterator[str]:
    params = terms.params
    yield f"{said.subject.capitalize()} is counted {said.when}."
    yield (
        f"At most {params.count} {_PER[params.per]} go through within {lasts(params.seconds)}, which begin with the"
        " first that is counted; further ones are refused until they are over."
    )
    yield from _both(said)


def _quorum(terms: Quorum, said: _Said) -> Iterator[str]:
    params = terms.params
    yield f"What an admin does takes {params.need} of them {said.when}."
    yield (
        f"One of them does it, when the others have agreed to it within the last {lasts(params.seconds)};"
        " until then it is refused."
    )
    if said.may_fail:
        yield "Where that cannot be worked out, it takes them all the same."


def _escalate(terms: Escalate, said: _Said, name_of: NameOf) -> Iterator[str]:
    params = terms.params
    yield f"An alert escalates {said.when}, unless an older contract has it already."
    for number, step in enumerate(params.steps, 1):
        yield f"Step {number}: {_after(step.after, number)} it reaches '{name_of(step.to)}', too."
    yield from _afterwards(params)
    yield (
        "Who takes it, or says that it is resolved, has answered; released again, it goes on where it was. A snooze puts"
        " off what comes next. That the cause is over is no answer."
    )
    if params.resolve_within is not None:
        yield (
            f"Taken, but neither resolved nor over within {lasts(params.resolve_within)}, it counts as not taken, and"
            " begins again from the top."
        )
    if said.may_fail:
        yield "Where that cannot be worked out, it escalates all the same."


def _after(seconds: int, number: int) -> str:
    if number == 1:
        return f"after {lasts(seconds)} without an answer" if seconds else "at once"
    before = f"step {number - 1}"
    return (
        f"{lasts(seconds)} after {before}, without an answer still," if seconds else f"together with {before}"
    )


def _afterwards(params: EscalateParams) -> Iterator[str]:
    wait = f"{lasts(params.wait)} after the last step"
    if params.laps > 1:
        yield f"{wait}, without an answer still, it begins again from the top: {times(params.laps - 1)}."
        wait += " of the last time"
    yield f"{wait}, without an answer still, it says loudly, to all admins too, that nobody answered."


def _retain(terms: Retain, said: _Said) -> Iterator[str]:
    yield f"What {said.subject} says is erased {lasts(terms.params.seconds)} after it was sent {said.when}."
    yield "While its alert is open, it stays. That there was a message, when, and from whom, stays for good."
    yield "Messages from before this contract stay, too."
    if said.alerts is not None:
        yield said.alerts
    if said.may_fail:
        yield "Where that cannot be worked out, it stays."
