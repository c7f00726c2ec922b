"""Runs: how a block lists the contracts in force, and what each did in it."""

from collections.abc import Iterable

from chain.block import ContractRun
from chain.contracts.register import Register
from chain.rulebook.context import Effect


def runs(register: Register, effects: Iterable[Effect]) -> list[ContractRun]:
    """Those in force after the block, by age, then those that did something in it and are so no more."""
    listed = register.idle().copy()
    done: dict[tuple[str, str], list[str]] = {}
    for effect in effects:
        done.setdefault((effect.contract.id, effect.contract.hash), []).append(effect.text)
    for (contract, hash_), texts in done.items():
        listed[contract, hash_] = ContractRun(contract, hash_, texts)
    return list(listed.values())
