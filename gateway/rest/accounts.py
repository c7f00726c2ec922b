"""Accounts: joining, and looking up the proven keys of one."""

from flask import Blueprint, Response, request

from chain import wire
from chain.entry import Account
from chain.errors import Missing, Refused
from gateway.rest.desk import Desk
from gateway.rest.documents import answer
from gateway.rest.parties import may_see
from gateway.rest.submission import Submissions
from gateway.rest.tries import Count, Source, Tries


def accounts(desk: Desk, submissions: Submissions, tries: Tries) -> Blueprint:
    views = Blueprint("accounts", __name__, url_prefix="/v1/accounts")

    @views.post("")
    def join() -> Response:
        data = request.get_data()
        signed = wire.read_parcel(data).load().signed
        if not isinstance(signed.entry, Account):
            raise Refused("permission", "only an account entry comes without a login")
        with tries.attempt(Count("accounts", (Source.of_request().network,))):
            return submissions.submit(data, signed)

    @views.get("/<account>")
    def read(account: str) -> Response:
        with desk.caller() as me:
            row = me.now.state.account(account)
            if row is None or not may_see(me, account):
                raise Missing("account: none with this id that you have to do with")
            return answer(me.now.party(row))

    return views
