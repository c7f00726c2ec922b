"""Runs: how a block lists the contracts in force, and what each did in it."""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from chain.block import ContractRun
from chain.contracts.register import Contract
from chain.rulebook.context import Effect


def runs(in_force: Sequence[Contract], effects: Iterable[Effect]) -> list[ContractRun]:
    """Those in force after the block, by age, then those that did something in it and are so no more."""
    listed = dict(_idle(tuple((each.id, each.hash) for each in in_force)))
    done: dict[tuple[str, str], list[str]] = {}
    for effect in effects:
        done.setdefault((effect.contract.id, effect.contract.hash), []).append(effect.text)
    for (contract, hash_), texts in done.items():
        listed[contract, hash_] = ContractRun(contract, hash_, texts)
    return list(listed.values())


@lru_cache(maxsize=2)
def _idle(contracts: tuple[tuple[str, str], ...]) -> dict[tuple[str, str], ContractRun]:
    return {(id_, hash_): ContractRun(id_, hash_, []) for id_, hash_ in contracts}
