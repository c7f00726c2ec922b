"""Contracts: which are installed, what they refuse, and what they do when time has passed."""

from chain.block import NO_ENGINE
from chain.contracts import guard, quorum
from chain.contracts.counters import Kept
from chain.contracts.docket import NOTHING, Acting
from chain.contracts.guard import BadGuard
from chain.contracts.register import MAX_IN_FORCE, Contract
from chain.contracts.terms import Access, Escalate, Quorum, Rate, Retain, hash_of
from chain.contracts.timers import Plan, plan
from chain.entry import Approve, Common, Deed, Message, Tick
from chain.entry import Contract as Said
from chain.errors import Refused
from chain.rulebook import alarms
from chain.rulebook.context import Admitted, Context, about, need, readers_of
from chain.state import State


def contract(entry: Said, context: Context) -> Admitted:
    state = context.state
    need(state.account(entry.author), "admin")
    if context.engine == NO_ENGINE:
        raise Refused("unsupported", "no contract engine is in force on this chain")
    if (entry.terms is None) != (entry.action == "remove"):
        raise Refused("malformed", "contract: terms go with install, and with nothing else")
    before = state.contracts.get(entry.contract)
    named = _named(before)
    if entry.terms is None:
        if before is None:
            raise Refused("unknown", "contract: none of that id is in force")
        state.contracts.remove(before.id)
        state.counters.ended(before.id)
    else:
        guard.require(context.engine)
        installed = Contract(entry.contract, hash_of(entry.terms), entry.terms, context.idx)
        check(installed, state)
        if before is not None and type(before.terms) is not type(installed.terms):
            state.counters.ended(before.id)
        state.contracts.install(installed)
        named |= _named(installed)
    _resume(entry.contract, context)
    readers = (readers_of(state, party) for party in named)
    return Admitted(frozenset({entry.author, *state.admins()}).union(*readers))


def check(proposed: Contract, state: State) -> None:
    """Raise `Refused` unless it can be put in force."""
    try:
        _ = proposed.guard
    except BadGuard as error:
        raise Refused("contract", f"when: {error}") from error
    others = [each for each in state.contracts.in_force() if each.id != proposed.id]
    if len(others) >= MAX_IN_FORCE:
        raise Refused("contract", f"at most {MAX_IN_FORCE} contracts are in force at a time")
    match proposed.terms:
        case Escalate(params=params):
            for number, step in enumerate(params.steps, 1):
                if not readers_of(state, step.to):
                    raise Refused("contract", f"step {number}: nobody is there to answer")
        case Quorum(params=params) if params.need > (admins := len(state.admins())):
            raise Refused("contract", f"need: {params.need} admins are asked for, there are {admins}")
        case _:
            pass


def approve(entry: Approve, context: Context) -> Admitted:
    state = context.state
    need(state.account(entry.author), "admin")
    state.counters.approve(entry.deed, entry.author, context.clock)
    return Admitted(frozenset(state.admins()))


def tick(entry: Tick, context: Context) -> Admitted:
    state = context.state
    need(state.account(entry.author), "gateway")
    due = plan(state, context.now, context.clock)
    if entry.now != context.now or entry.did != due.deeds:
        raise Refused("contract", "tick: it does not say what the contracts in force do now")
    readers: set[str] = {entry.author}
    for alert in due.alerts:
        state.alerts.put(alert)
    for deed in due.deeds:
        for party in _reached(deed, state):
            found = context.find(deed.about)
            assert found is not None  # the plan is about alerts of this chain
            state.alerts.concern(found[0], party)
        run = state.contracts.get(deed.contract)
        assert run is not None
        context.did(run, _words(deed))
    for alert in due.alerts:
        readers |= alarms.concerned(alert, state)
    return Admitted(
        frozenset(readers | _readers_of_erased(due, context)), tuple(kept.idx for kept in due.erased)
    )


def judged(message: Message, context: Context) -> Acting:
    """
    The contracts that act on a message; raise `Refused` where one refuses it.

    A guard that fails denies; but an alert is delivered, and the block says what failed.
    """
    state = context.state
    acting = context.docket.of_message(message, context.now)
    if acting is NOTHING:
        return acting
    if message.alert is None and (failed := acting.failed_of(Access, Rate)):
        raise Refused("contract", f"{failed[0].id}: its guard cannot be judged for this message")
    if denying := acting.of(Access):
        raise Refused("contract", f"{denying[0].id}: this message is not permitted")
    for each in acting.of(Rate):
        assert isinstance(each.terms, Rate)
        params = each.terms.params
        if (
            state.counters.count(each.id, _counted(each, message), params.seconds, context.clock)
            >= params.count
        ):
            raise Refused("rate", f"{each.id}: at most {params.count} in {params.seconds} s")
    return acting


def follow(message: Message, alert: int | None, acting: Acting, context: Context) -> None:
    """Count a message that is admitted, and remember when its body is to be erased. `alert` is the one it is of."""
    counters = context.state.counters
    for each in acting.holding:
        match each.terms:
            case Rate(params=params):
                counters.counted(each.id, _counted(each, message), params.seconds, context.clock)
            case Retain(params=params):
                due = context.clock + 1000 * params.seconds
                counters.keep(Kept(context.idx, message.id, each.id, alert, due))
            case _:
                pass
    for each in acting.failed:
        context.did(each, f"failed {message.id}")


def check_quorum(entry: Common, context: Context) -> None:
    """Raise `Refused` unless as many admins want it as the contracts in force ask for."""
    state = context.state
    # What anybody may do is no admin's deed; what takes an admin is for its rule to say.
    if not isinstance(entry, quorum.COVERED) or entry.author not in state.admins():
        return
    acting = context.docket.of_admin(entry, context.now)
    wanted = [*acting.of(Quorum), *acting.failed_of(Quorum)]
    if not wanted:
        return
    deed, admins = quorum.deed_of(entry), state.admins()
    for each in wanted:
        assert isinstance(each.terms, Quorum)
        params = each.terms.params
        agreed = (state.counters.approvals(deed, params.seconds, context.clock) | {entry.author}) & admins
        if len(agreed) < params.need:
            raise Refused("quorum", f"{each.id}: {len(agreed)} of {params.need} admins agree to {deed}")


def follow_quorum(entry: Common, context: Context) -> None:
    """What was agreed to is done."""
    if isinstance(entry, quorum.COVERED):
        context.state.counters.done(quorum.deed_of(entry))


def check_last_steps(state: State, gone: str) -> None:
    """Raise `Refused` if, without this account or group, the last step of an escalation reached nobody."""
    for each in state.contracts.in_force():
        if isinstance(each.terms, Escalate):
            last = each.terms.params.steps[-1].to
            if last == gone or readers_of(state, last) <= {gone}:
                raise Refused("contract", f"{each.id}: nobody would be left in its last step")


def check_quorums(state: State, gone: str) -> None:
    """Raise `Refused` if, without this admin, a quorum could never be met again."""
    left = len(state.admins() - {gone})
    for each in state.contracts.in_force():
        if isinstance(each.terms, Quorum) and each.terms.params.need > left:
            raise Refused("contract", f"{each.id}: it needs {each.terms.params.need} admins")


def _reached(deed: Deed, state: State) -> set[str]:
    """Whom it concerns from now on: what nobody has answered, the admins, too."""
    if deed.did == "nobody":
        return state.admins()
    return set() if deed.to is None else {deed.to}


def _named(contract: Contract | None) -> set[str]:
    """The parties that its steps name."""
    if contract is None or not isinstance(contract.terms, Escalate):
        return set()
    return {step.to for step in contract.terms.params.steps}


def _resume(contract: str, context: Context) -> None:
    """Alerts that escalate by this contract go on by its new terms, or not at all."""
    state = context.state
    params = state.contracts.escalation(contract)
    for alert in state.alerts.by(contract):
        state.alerts.put(alert.left_alone() if params is None else alert.under(params, context.clock))


def _counted(contract: Contract, message: Message) -> str:
    assert isinstance(contract.terms, Rate)
    return {"author": message.author, "to": message.to, "all": ""}[contract.terms.params.per]


def _words(deed: Deed) -> str:
    parts = (deed.did, deed.step, deed.to, deed.about)
    return " ".join(str(part) for part in parts if part is not None)


def _readers_of_erased(due: Plan, context: Context) -> frozenset[str]:
    readers: set[str] = set()
    for kept in due.erased:
        _, message = about(context, kept.entry)
        assert isinstance(message, Message)
        readers |= readers_of(context.state, message.to) | {message.author}
    return frozenset(readers)
