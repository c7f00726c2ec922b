"""Accounts: joining, and looking up the proven keys of one."""

from http import HTTPStatus

from flask import Blueprint, Response, request

from chain import joincode, wire
from chain.api import Match
from chain.encoding import b64url
from chain.entry import Account, SignedEntry
from chain.errors import Malformed, Missing, Refused, Unverified
from chain.identity import account_id
from chain.state import InviteRow
from gateway.errors import Undecided
from gateway.joins import Joins
from gateway.rest.desk import Desk
from gateway.rest.documents import answer
from gateway.rest.invites import is_open
from gateway.rest.parties import may_see
from gateway.rest.snapshot import Snapshot
from gateway.rest.submission import Submissions
from gateway.rest.tries import Count, Source, Tries
from gateway.sessions import Clock


def accounts(desk: Desk, submissions: Submissions, joins: Joins, tries: Tries, clock: Clock) -> Blueprint:
    views = Blueprint("accounts", __name__, url_prefix="/v1/accounts")

    @views.post("")
    def join() -> Response:
        data = request.get_data()
        signed = wire.read_parcel(data).load().signed
        entry = signed.entry
        if not isinstance(entry, Account):
            raise Refused("permission", "only an account entry comes without a login")
        with tries.attempt(Count("accounts", (Source.of_request().network,))):
            with desk.visitor() as now:
                invite = None if _is_in(now, signed) else _invite_of(now, entry, clock())
                asks = invite is not None and now.asks_to_match(invite.idx)
            if invite is None:
                return submissions.submit(data, signed)
            if asks:
                try:
                    _check(invite, signed, entry)
                except Refused:
                    joins.fail(invite.id)
                    raise
                if (nonce := joins.match(invite.id, signed.leaf)) is not None:
                    return answer(Match(b64url(nonce)), HTTPStatus.ACCEPTED)
            joins.take(invite.id)
            try:
                response = submissions.submit(data, signed)
            except Undecided:
                joins.give_back(invite.id)
                raise
            joins.forget(invite.id)
            return response

    @views.get("/<account>")
    def read(account: str) -> Response:
        with desk.caller() as me:
            row = me.now.state.account(account)
            if row is None or not may_see(me, account):
                raise Missing("account: none with this id that you have to do with")
            return answer(me.now.party(row))

    return views


def _is_in(now: Snapshot, signed: SignedEntry) -> bool:
    """Whether this very entry is on the chain: its author did not hear of it."""
    found = now.chain.store.find(signed.entry.id)
    return found is not None and found[1] == signed.leaf


def _invite_of(now: Snapshot, entry: Account, at: int) -> InviteRow:
    """
    The invite that it may be let in with; raise `Refused`.

    The committer would say the same, and write it down: for a stranger nothing is written.
    """
    row = now.state.invite(entry.invite or "")
    if row is None or entry.code is None or joincode.code_hash(entry.code) != row.code_hash:
        raise Refused("invite", "no invite was made for this join code")
    if not is_open(row, at):
        raise Refused("invite", "this join code was used already, or has expired")
    return row


def _check(invite: InviteRow, signed: SignedEntry, entry: Account) -> None:
    """Raise `Refused` for what the chain would not take in any case: nobody is asked to compare digits for it."""
    if (entry.kind, entry.role) != (invite.kind, invite.role):
        raise Refused("invite", f"this join code is for a {invite.kind} with role {invite.role}")
    if account_id(entry.sign) != entry.author:
        raise Refused("stranger", "the author's id is not that of the key it brings")
    try:
        signed.verify(entry.sign)
    except (Malformed, Unverified) as error:
        raise Refused("signature", str(error)) from error
