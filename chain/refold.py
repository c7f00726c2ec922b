"""Refolding: a chain whose state is of an older program is folded anew, from its entries, when its writer opens it."""

import logging
from typing import TYPE_CHECKING

from chain import entry, rules, state, store
from chain.contracts.docket import Docket
from chain.entry import SignedEntry
from chain.identity import SigningKey
from chain.rulebook.context import Context

if TYPE_CHECKING:
    from chain.chain import Chain

log = logging.getLogger(__name__)


def refold_if_older(chain: "Chain") -> None:
    """See that the tables are those of this program; the fold is one transaction, and is done again if it is cut short."""
    db = chain.store.db
    rows = db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
    there = {name for (name,) in rows}
    if there.issuperset(state.TABLES):
        return
    log.warning("state refolded size=%d reason=older_program", chain.head.size)
    with chain.store.transaction():
        for table in there.intersection(state.TABLES):
            db.execute(f"DROP TABLE {table}")
        for statement in (state.SCHEMA + store.UPTIME).split(";\n"):
            db.execute(statement)
        for height in range(chain.head.height + 1):
            _fold(chain, height)


def _fold(chain: "Chain", height: int) -> None:
    block = chain.store.block(height)
    docket = Docket(chain.state)
    for index, leaf in enumerate(block.entries, block.header.first):
        context = Context(
            state=chain.state,
            docket=docket,
            origin=chain.origin,
            engine=chain.engine,
            find=chain.store.find,
            root_at=chain.store.root_at,
            check=_believed,
            now=block.timestamp,
            clock=block.header.clock,
            idx=index,
            body=chain.store.body(index),
            effects=[],
        )
        rules.admit(context, entry.parse(leaf))


def _believed(_signed: SignedEntry, _key: SigningKey) -> None:
    """It was checked when it was committed, and an audit checks it again."""
