"""Contracts: those in force, in words; and what one would do that an admin thinks of."""

from typing import Any

import msgspec
from flask import Blueprint, Response

from chain.api import ContractLine, ContractPage, Explained, Proposal
from chain.block import NO_ENGINE
from chain.contracts import dryrun, guard, words
from chain.contracts.register import Contract
from chain.contracts.terms import Terms, hash_of
from chain.errors import Refused
from chain.rulebook import contracts as rules
from gateway.rest.desk import Desk
from gateway.rest.documents import answer, read_body
from gateway.rest.parties import called
from gateway.rest.snapshot import Snapshot
from gateway.sessions import Clock

_proposals = msgspec.json.Decoder(Proposal)


def contracts(desk: Desk, clock: Clock) -> Blueprint:
    views = Blueprint("contracts", __name__, url_prefix="/v1")

    @views.get("/contracts")
    def read() -> Response:
        with desk.caller() as me:
            return answer(ContractPage([_line(each, me.now) for each in me.now.state.contracts.in_force()]))

    @views.post("/admin/contracts/check")
    def check() -> Response:
        with desk.caller() as me:
            me.need_admin()
            return answer(_explained(read_body(_proposals), me.now, clock()))

    return views


def _line(contract: Contract, now: Snapshot) -> ContractLine:
    return ContractLine(
        id=contract.id,
        hash=contract.hash,
        kind=_kind_of(contract.terms),
        installed=now.chain.store.time_of(contract.idx),
        terms=contract.terms,
        words=words.of(contract.terms, lambda party: called(now, party)),
    )


def _explained(proposal: Proposal, now: Snapshot, at: int) -> Explained:
    """Raises `Refused`, as the chain would, and `NoEngine`."""
    if now.chain.engine == NO_ENGINE:
        raise Refused("unsupported", "no contract engine is in force on this chain")
    guard.require(now.chain.engine)
    terms = proposal.terms
    rules.check(Contract(proposal.contract, hash_of(terms), terms, now.size), now.state)
    return Explained(
        words=words.of(terms, lambda party: called(now, party)),
        would=dryrun.would(now.chain, proposal.contract, terms, at),
    )


def _kind_of(terms: Terms) -> Any:
    """As its tag says it."""
    return terms.__struct_config__.tag
