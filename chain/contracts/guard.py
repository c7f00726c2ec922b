"""
A guard: a condition about an entry, in CEL, that holds or not.

`chain.contracts.dialect` decides what is a guard; the engine alone decides whether it holds. Blocks depend on that, so
the release of the engine is part of genesis. A device does not have it, and can import this module all the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

from chain.contracts.dialect import BadGuard, Type, variables_of
from chain.errors import ChainError

if TYPE_CHECKING:
    from cel_expr_python import cel

__all__ = ["ENGINE", "BadGuard", "Guard", "GuardFailed", "NoEngine", "Type", "compiled", "either"]

_PACKAGE, _RELEASE = "cel-expr-python", "0.1.3"

ENGINE = f"{_PACKAGE}/{_RELEASE}"
"""The engine by which this program decides; genesis pins the one of its chain."""

# A variable of a guard may be called what CEL calls something itself, as `type` is: what is declared in the container
# of an expression comes before that.
_CONTAINER = "guard"

_KEPT = 320
"""Compiled guards in memory: 7 KB for a line, 110 KB for the longest that there is."""


class NoEngine(ChainError):
    """What decides about guards is not installed, or is another release of it."""


class GuardFailed(ChainError):
    """The guard neither holds nor does not: a division by zero, or a number beyond 64 bits."""


@dataclass(frozen=True, slots=True)
class Guard:
    source: str
    uses: frozenset[str]
    """The variables that it looks at: with the same values for these, it comes to the same."""
    _program: "cel.Expression" = field(repr=False, compare=False)
    _declared: tuple[tuple[str, str], ...] = field(repr=False, compare=False)
    """What it uses, and as what the engine knows that."""

    @classmethod
    def made(cls, source: str, uses: frozenset[str], program: "cel.Expression") -> "Guard":
        return cls(source, uses, program, tuple((name, f"{_CONTAINER}.{name}") for name in sorted(uses)))

    def holds(self, values: Mapping[str, object]) -> bool:
        """`values` has at least what the guard uses; a list of texts is any sequence. Raises GuardFailed."""
        data = {declared: _given(values[name]) for name, declared in self._declared}
        try:
            answer = self._program.eval(data=data).value()
        except RuntimeError as error:
            raise GuardFailed(f"guard: {error}") from error
        if not isinstance(answer, bool):
            # The engine hands out an error as a value: its text.
            raise GuardFailed(f"guard: {answer}")
        return answer


def compiled(source: str, variables: Mapping[str, Type]) -> Guard:
    """
    The guard that `source` says, about these variables.

    Raises BadGuard where it is none, and NoEngine where there is nothing to decide by.
    """
    return _compiled(source, tuple(sorted(variables.items())))


@lru_cache(maxsize=_KEPT)
def _compiled(source: str, variables: tuple[tuple[str, Type], ...]) -> Guard:
    uses = variables_of(source, dict(variables))
    environment = _environment(variables)
    try:
        program = environment.compile(source)
    except RuntimeError as error:
        raise BadGuard(f"the engine refuses it: {error}") from error
    return Guard.made(source, uses, program)


@lru_cache(maxsize=_KEPT)
def either(guards: tuple[Guard, ...], variables: tuple[tuple[str, Type], ...]) -> Guard:
    """
    One question for several guards about the same variables, sorted: not one of them holds or fails where it says no.

    That is what `||` means in CEL: it is false where all its sides are, and nowhere else. Who gets any other answer
    asks each.
    """
    source = " || ".join(f"({guard.source}\n)" for guard in guards)
    uses = frozenset[str]().union(*(guard.uses for guard in guards))
    return Guard.made(source, uses, _environment(variables).compile(source))


@lru_cache(maxsize=8)
def _environment(variables: tuple[tuple[str, Type], ...]) -> "cel.Env":
    cel = _engine()
    types = {
        "int": cel.Type.INT,
        "bool": cel.Type.BOOL,
        "string": cel.Type.STRING,
        "strings": cel.Type.List(cel.Type.STRING),
    }
    declared = {f"{_CONTAINER}.{name}": types[kind] for name, kind in variables}
    return cel.NewEnv(container=_CONTAINER, variables=declared)


def require(engine: str) -> None:
    """Raise NoEngine unless `engine`, which genesis pins, is the one that is installed here."""
    if engine != ENGINE:
        raise NoEngine(f"the contracts of this chain want {engine}, this program has {ENGINE}")
    # Not every process judges, and this reads in modules for archives and mail, too.
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415

    try:
        installed = version(_PACKAGE)
    except PackageNotFoundError as error:
        raise NoEngine(f"contracts want {ENGINE}: pip install {_PACKAGE}=={_RELEASE}") from error
    if installed != _RELEASE:
        raise NoEngine(f"contracts want {ENGINE}, got {installed}: pip install {_PACKAGE}=={_RELEASE}")


def is_installed() -> bool:
    """Whether there is something to judge by: not every machine has a build of it."""
    try:
        require(ENGINE)
    except NoEngine:
        return False
    return True


@lru_cache(maxsize=1)
def _engine() -> ModuleType:
    """The engine, loaded when the first guard asks for it: 14 MB that most processes do without."""
    require(ENGINE)
    try:
        return import_module("cel_expr_python.cel")
    except ImportError as error:
        raise NoEngine(f"contracts want {ENGINE}, and it does not load: {error}") from error


def _given(value: object) -> object:
    """As the engine takes it: of all sequences, a list alone."""
    return list(value) if isinstance(value, tuple) else value
