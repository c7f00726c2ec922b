"""A chain of an older program: what its state has no tables for is folded anew from its entries."""

from pathlib import Path

from chain.audit import audit
from tests.world import dump_state, ward


def test_a_state_without_one_of_its_tables_is_folded_anew(tmp_path: Path) -> None:
    with ward(tmp_path) as world:
        before = world.dump()
        world.chain.store.db.executescript("DROP TABLE act; DROP TABLE alert; DROP TABLE uptime;")

        world.reopen()

        assert world.dump() == before
        audit(world.path)


def test_it_is_done_once(tmp_path: Path) -> None:
    with ward(tmp_path) as world:
        changes = world.chain.store.db.total_changes

        world.reopen()

        assert world.chain.store.db.total_changes == 0 <= changes
        assert dump_state(world.chain) == world.dump()
