"""Intents: somebody wants to write to a name, and is told whom that means and under which keys."""

import msgspec
from flask import Blueprint, Response

from chain import entry
from chain.api import Escalation, EscalationParty, Intent, IntentAnswer, Party
from chain.contracts import subject
from chain.contracts.docket import NOTHING, judged
from chain.contracts.register import Contract
from chain.contracts.terms import Escalate
from chain.entry import Alert, Stream
from chain.errors import Refused
from chain.wire import Delivered
from gateway.rest.desk import Caller, Desk
from gateway.rest.documents import answer, read_body
from gateway.rest.parties import addressee, alert_of
from gateway.rest.snapshot import Snapshot
from gateway.sessions import Clock

_intents = msgspec.json.Decoder(Intent)

ANY_EPISODE: Stream = "A" * 22
"""No guard looks at it."""


def intents(desk: Desk, clock: Clock) -> Blueprint:
    views = Blueprint("intents", __name__, url_prefix="/v1/intents")

    @views.post("")
    def ask() -> Response:
        intent = read_body(_intents)
        with desk.caller() as me:
            return answer(answered(me, intent, clock()))

    return views


def answered(me: Caller, intent: Intent, at: int) -> IntentAnswer:
    """At `at` (ms) it is said who is on duty. Raises `Refused`."""
    about = None if intent.re is None else alert_of(me, intent.re)
    to = addressee(me, intent.to, about)
    meetings = _Meetings(me, at)
    found = meetings.party(to)
    if not found.recipients:
        raise Refused("contact", "nobody there has a key to receive with")
    if about is not None:
        contract = None if about.contract is None else me.now.state.contracts.get(about.contract)
    else:
        contract = None if intent.alert is None else _contract(me, to, intent, at)
    return IntentAnswer(
        to=to,
        recipients=found.recipients,
        group=found.group,
        admin=found.admin,
        on_duty=found.on_duty,
        escalation=None if contract is None else meetings.escalation(contract),
    )


def _contract(me: Caller, to: str, intent: Intent, at: int) -> Contract | None:
    """The oldest contract whose guard holds or fails for such an alert, as `chain.rulebook.alarms` has it."""
    assert intent.alert is not None
    state, header = me.now.state, intent.alert
    alert = Alert(episode=ANY_EPISODE, kind=header.kind, priority=header.priority, state="start")
    values = subject.of_message(me.id, to, alert, state) | {"is_reply": False, "size": 0, "time": at}
    for contract in state.contracts.in_force():
        if isinstance(contract.terms, Escalate) and judged([contract], values) != NOTHING:
            return contract
    return None


class _Meetings:
    """Whom the caller is to meet: each account is proven once, however many groups it is in."""

    def __init__(self, me: Caller, at: int) -> None:
        self._me = me.id
        self._now = me.now
        self._at = at
        self._met: dict[str, Party | None] = {}

    def party(self, to: str) -> EscalationParty:
        """Who is on duty comes first."""
        state, group = self._now.state, self._now.state.group_index(to)
        if group is None:
            accounts, on = {to}, {to}
        else:
            accounts, on = state.members(to), state.on_duty(to, self._at)
        ordered = sorted(accounts - {self._me}, key=lambda account: (account not in on, account))
        recipients = [party for account in ordered if (party := self._meet(account)) is not None]
        delivered, admin = (None, None) if group is None else _proof(self._now, group)
        return EscalationParty(
            to=to,
            recipients=recipients,
            on_duty=[party.account for party in recipients if party.account in on],
            group=delivered,
            admin=admin,
        )

    def escalation(self, contract: Contract) -> Escalation:
        assert isinstance(contract.terms, Escalate)
        delivered, admin = _proof(self._now, contract.idx)
        named = dict.fromkeys(step.to for step in contract.terms.params.steps)
        parties = [party for to in named if (party := self.party(to)).recipients]
        return Escalation(contract=delivered, admin=admin, parties=parties)

    def _meet(self, account: str) -> Party | None:
        if account not in self._met:
            row = self._now.state.account(account)
            # Whose key was revoked has, until an admin gives a new one, nothing to receive with.
            keyed = row is not None and row.live and self._now.state.current_keys(account) is not None
            self._met[account] = self._now.party(row) if row is not None and keyed else None
        return self._met[account]


def _proof(now: Snapshot, index: int) -> tuple[Delivered, Party]:
    """What an admin said, and the admin."""
    (delivered,) = now.delivered([index])
    admin = now.state.account(entry.parse(delivered.entry.encode()).entry.author)
    assert admin is not None  # it wrote an entry
    return delivered, now.party(admin)
