"""
A contract as a person writes it: a file in TOML, with the members of the terms, and names for ids.

    id = "night-escalation"
    kind = "escalate"
    when = 'priority == "high" && to == "@ward-3"'
    wait = "10m"
    laps = 2
    resolve_within = "30m"

    [[steps]]
    to = "on-call"
    after = "2m"

A time is a number of seconds, or as "90s", "2m", "1h30m" or "7d". In a guard, a text that begins with `@` is the id of
whoever has that name.
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from typing import Any, get_args

import msgspec
from msgspec import Struct

from chain.contracts.dialect import BadGuard, tokens_of
from chain.contracts.dialect import variables_of as guard_uses
from chain.contracts.terms import EscalateParams, Step, Terms
from chain.contracts.variables import variables_of
from device.errors import BadConfig

IdOf = Callable[[str], str]
"""The id of an account or a group by its name or id; raises `DeviceError`."""

MAX_BYTES = 65_536

KINDS = tuple(str(kind.__struct_config__.tag) for kind in get_args(Terms))

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_TIME = re.compile(r"(?:[0-9]{1,9}[smhd])+")
_PART = re.compile(r"([0-9]+)([smhd])")
_ID = r"[a-z][a-z0-9-]{0,63}"
_OF_ALL = ("kind", "when", "version")
_TIMES = ("seconds", "wait", "resolve_within")
_NAME = "@"


class BadContract(BadConfig):
    """The file is no contract."""


class Written(Struct, frozen=True):
    """What a file says: the contract's id and its terms."""

    contract: str
    terms: Terms


def read(text: str, id_of: IdOf) -> Written:
    """Raise `BadContract`, which says where and why, or what `id_of` raises."""
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadContract(f"no TOML: {error}") from error
    contract, kind = said.pop("id", None), said.get("kind")
    if not isinstance(contract, str) or not re.fullmatch(_ID, contract):
        raise BadContract(
            f'id: want a name such as "night-escalation", of a-z, 0-9 and "-", got {contract!r}'
        )
    if kind not in KINDS:
        raise BadContract(f"kind: want one of {', '.join(KINDS)}, got {kind!r}")
    params = {name: said.pop(name) for name in list(said) if name not in _OF_ALL}
    for name in _TIMES:
        if name in params:
            params[name] = seconds(params[name], name)
    if "steps" in params:
        params["steps"] = _steps(params["steps"], id_of)
    try:
        terms: Terms = msgspec.convert({"version": 1, **said, "params": params}, Terms)
    except msgspec.ValidationError as error:
        raise BadContract(_where(str(error))) from error
    try:
        guard_uses(terms.when, variables_of(terms))
    except BadGuard as error:
        raise BadContract(f"when: {error.reason}\n{pointed(terms.when, error)}") from error
    return Written(contract, msgspec.structs.replace(terms, when=with_ids(terms.when, id_of)))


def seconds(said: object, what: str) -> int:
    """A time in seconds; raise `BadContract`."""
    if isinstance(said, int) and not isinstance(said, bool):
        return said
    if not isinstance(said, str) or not _TIME.fullmatch(said):
        raise BadContract(f'{what}: want a time as "90s", "2m", "1h30m" or "7d", got {said!r}')
    return sum(int(count) * _SECONDS[unit] for count, unit in _PART.findall(said))


def with_ids(when: str, id_of: IdOf) -> str:
    """The guard, which is one, with the ids of those whom it names."""
    for token in reversed(tokens_of(when)):
        if token.kind == "text" and token.text[1:].startswith(_NAME):
            quote, name = token.text[0], token.text[2:-1]
            when = f"{when[: token.at]}{quote}{id_of(name)}{quote}{when[token.at + len(token.text) :]}"
    return when


def pointed(when: str, error: BadGuard) -> str:
    """The line of the guard where it is wrong, and a caret under the place."""
    line = when.split("\n")[error.line - 1]
    # A tab takes as much room in both lines.
    before = re.sub(r"[^\t]", " ", line[: error.column - 1])
    return f"  {line}\n  {before}^"


def _steps(said: object, id_of: IdOf) -> list[Mapping[str, Any]]:
    if not isinstance(said, list) or not all(isinstance(step, dict) for step in said):
        raise BadContract("steps: want each as [[steps]], with its `to` and `after` below")
    steps: list[Mapping[str, Any]] = []
    for number, step in enumerate(said, 1):
        if strays := [name for name in step if name in EscalateParams.__struct_fields__]:
            raise BadContract(
                f"step {number}: `{strays[0]}` is not of a step: want it above the first [[steps]]"
            )
        if unknown := [name for name in step if name not in Step.__struct_fields__]:
            raise BadContract(f"step {number}: a step has `to` and `after`, got `{unknown[0]}`")
        if missing := [name for name in Step.__struct_fields__ if name not in step]:
            raise BadContract(f"step {number}: want `{missing[0]}`")
        if not isinstance(step["to"], str):
            raise BadContract(
                f"step {number}: want in `to` the name of a group or a person, got {step['to']!r}"
            )
        steps.append({"to": id_of(step["to"]), "after": seconds(step["after"], f"step {number}: after")})
    return steps


def _where(reason: str) -> str:
    """A fault as msgspec tells it, with the members as the file has them."""
    said, _, place = reason.partition(" - at `$")
    place = place.rstrip("`").removeprefix(".params").lstrip(".")
    place = re.sub(r"steps\[(\d+)\]\.", lambda found: f"step {int(found[1]) + 1}: ", place)
    said = said[0].lower() + said[1:]
    return f"{place}: {said}" if place else said.replace("object", "a contract of this kind")
