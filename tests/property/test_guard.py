"""Guards that Hypothesis writes, held against a second reading of CEL that shares nothing with the first."""

import operator
import string
from collections.abc import Callable
from functools import partial
from typing import Any

from hypothesis import given, reject
from hypothesis import strategies as st

from chain.contracts.dialect import MAX_TOKENS, Type, variables_of
from chain.contracts.guard import BadGuard, Guard, GuardFailed, compiled

VARIABLES: dict[str, Type] = {
    "a": "int",
    "size": "int",
    "b": "bool",
    "is_alert": "bool",
    "author": "string",
    "type": "string",
    "author_groups": "strings",
}

LOWEST, HIGHEST = -(2**63), 2**63 - 1

# A guard is a tree here: ("int", 5), ("var", "a"), ("text", "x"), ("bool", True), or an operator and its operands.
Tree = tuple[Any, ...]

numbers = st.sampled_from([0, 1, -1, 2, 3, 7, LOWEST, LOWEST + 1, HIGHEST]) | st.integers(LOWEST, HIGHEST)
words = st.sampled_from(["", "x", "ward", "it's", 'a "b"']) | st.text("xyz -_&|!([,])?:", max_size=4)
words = words.filter(lambda word: not {"'", '"'} <= set(word))

values = st.fixed_dictionaries(
    {
        "a": numbers,
        "size": numbers,
        "b": st.booleans(),
        "is_alert": st.booleans(),
        "author": words,
        "type": words,
        "author_groups": st.lists(words, max_size=4),
    }
)


def variables(kind: Type) -> st.SearchStrategy[Tree]:
    return st.sampled_from([("var", name) for name, each in VARIABLES.items() if each == kind])


LEAVES: dict[str, st.SearchStrategy[Tree]] = {
    "int": variables("int") | st.tuples(st.just("int"), numbers),
    "bool": variables("bool") | st.tuples(st.just("bool"), st.booleans()),
    "string": variables("string") | st.tuples(st.just("text"), words),
}


def made(head: str | list[str], *operands: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    return st.tuples(st.sampled_from([head] if isinstance(head, str) else head), *operands)


def trees(kind: str, depth: int) -> st.SearchStrategy[Tree]:
    """Trees that come to `kind`, of so many levels at the most."""
    if depth == 0:
        return LEAVES[kind] if kind in LEAVES else lists(kind, 0)

    def below(other: str) -> st.SearchStrategy[Tree]:
        return st.deferred(lambda: trees(other, depth - 1))

    choice = made("?", below("bool"), below(kind), below(kind))
    if kind == "int":
        sums = made(["+", "-", "*", "/", "%"], below("int"), below("int"))
        return LEAVES["int"] | sums | made("neg", below("int")) | choice | made("size", below("strings"))
    if kind == "bool":
        return st.one_of(
            LEAVES["bool"],
            made(["&&", "||"], below("bool"), below("bool")),
            made(["&&", "||"], below("bool"), below("bool")),
            made("!", below("bool")),
            made(["<", "<=", ">", ">=", "==", "!="], below("int"), below("int")),
            made(["==", "!="], below("string"), below("string")),
            made(["==", "!="], below("bool"), below("bool")),
            made("in", below("string"), below("strings")),
            made("in", below("int"), below("ints")),
            choice,
        )
    if kind == "string":
        return LEAVES["string"] | choice
    return lists(kind, depth - 1) | choice


def lists(kind: str, depth: int) -> st.SearchStrategy[Tree]:
    """A list that is written out, or a variable that holds one."""
    item = trees({"strings": "string", "ints": "int"}[kind], depth)
    written = st.lists(item, min_size=1, max_size=3).map(lambda items: ("list", *items))
    return written | variables("strings") if kind == "strings" else written


LEVELS = (("?",), ("||",), ("&&",), ("<", "<=", ">", ">=", "==", "!=", "in"), ("+", "-"), ("*", "/", "%"))
SIGN, VALUE = 6, 7


LITERALS: dict[str, Callable[[Any], list[str]]] = {
    "var": lambda name: [name],
    "bool": lambda value: ["true" if value else "false"],
    "int": lambda value: ["-", str(-value)] if value < 0 else [str(value)],
    "text": lambda word: [f"'{word}'" if '"' in word else f'"{word}"'],
}


def level(tree: Tree) -> int:
    """How tightly the outermost operator binds; CEL specification, "Syntax"."""
    if tree[0] in {"!", "neg"} or (tree[0] == "int" and tree[1] < 0):
        return SIGN
    return next((place for place, signs in enumerate(LEVELS) if tree[0] in signs), VALUE)


def written(tree: Tree, at_least: int = 0) -> list[str]:
    """The words of a tree, with the fewest brackets that keep its form."""
    own = level(tree)
    words = spelled(tree, own)
    return words if own >= at_least else ["(", *words, ")"]


def spelled(tree: Tree, own: int) -> list[str]:
    head, *rest = tree
    if head in LITERALS:
        return LITERALS[head](rest[0])
    if head == "list":
        return ["[", *[word for item in rest for word in (*written(item), ",")][:-1], "]"]
    if head == "size":
        return ["size", "(", *written(rest[0]), ")"]
    if head in {"!", "neg"}:
        return ["!" if head == "!" else "-", *written(rest[0], VALUE)]
    if head == "?":
        return [*written(rest[0], 1), "?", *written(rest[1], 1), ":", *written(rest[2])]
    return [*written(rest[0], own), head, *written(rest[1], own + 1)]


def spaced(words: list[str], blank: str) -> str:
    """Joined by `blank`, or by nothing where two words stay two without."""
    source = ""
    for word in words:
        near = source[-1:].isalnum() and (word[0].isalnum() or word[0] in "\"'")
        source += (blank or (" " if near else "")) + word
    return source


class Failed(Exception):
    """The tree comes to no value."""


def outcome(tree: Tree, given: dict[str, Any]) -> Any:
    """What a tree comes to. Raises Failed."""
    head, *rest = tree
    if head == "var":
        return given[rest[0]]
    if head in LITERALS:
        return rest[0]
    if head in {"&&", "||"}:
        return joined(rest, given, decides=head == "||")
    if head == "?":
        return outcome(rest[1] if outcome(rest[0], given) else rest[2], given)
    return OPERATORS[head](*(outcome(each, given) for each in rest))


def joined(sides: list[Tree], given: dict[str, Any], *, decides: bool) -> bool:
    """One side that decides is enough, whatever became of the other."""
    failed = None
    for side in sides:
        try:
            value: bool = outcome(side, given)
        except Failed as error:
            failed = error
            continue
        if value is decides:
            return decides
    if failed is not None:
        raise failed
    return not decides


def counted(sign: str, left: int, right: int) -> int:
    """Whole numbers of 64 bits; a quotient is cut towards zero, a remainder has the sign of what is divided."""
    if sign in {"/", "%"}:
        if right == 0 or (left, right) == (LOWEST, -1):
            raise Failed
        quotient = abs(left) // abs(right) * (1 if (left < 0) is (right < 0) else -1)
        return quotient if sign == "/" else left - quotient * right
    value = {"+": left + right, "-": left - right, "*": left * right}[sign]
    if not LOWEST <= value <= HIGHEST:
        raise Failed
    return value


OPERATORS: dict[str, Callable[..., Any]] = {
    "list": lambda *items: items,
    "size": len,
    "!": operator.not_,
    "neg": lambda value: counted("-", 0, value),
    "in": lambda item, items: item in items,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    **{sign: partial(counted, sign) for sign in "+-*/%"},
}


def found(guard: Guard, given: dict[str, Any]) -> bool | None:
    try:
        return guard.holds(given)
    except GuardFailed:
        return None


def wanted(tree: Tree, given: dict[str, Any]) -> bool | None:
    try:
        value = outcome(tree, given)
    except Failed:
        return None
    assert isinstance(value, bool)
    return value


def admitted(source: str) -> Guard | None:
    """The guard, or None where the dialect refuses it. What the dialect admits, the engine has to."""
    try:
        variables_of(source, VARIABLES)
    except BadGuard:
        return None
    return compiled(source, VARIABLES)


guards = trees("bool", 4)
blanks = st.sampled_from([" ", "", "\n", "\t", "  \r\n "])


@given(guards, blanks, st.lists(values, min_size=3, max_size=3))
def test_the_engine_and_a_second_reading_agree(
    tree: Tree, blank: str, situations: list[dict[str, Any]]
) -> None:
    guard = admitted(spaced(written(tree), blank))
    if guard is None:
        # Four levels are never too deep, but they may have more words than a guard may.
        assert len(written(tree)) > MAX_TOKENS
        reject()

    for situation in situations:
        assert found(guard, situation) is wanted(tree, situation)


WRAPPERS: dict[str, list[tuple[str, Any]]] = {
    "bool": [
        ("bool", lambda it: ("!", it)),
        ("bool", lambda it: ("==", it, ("var", "b"))),
        ("bool", lambda it: ("==", ("var", "b"), it)),
        ("bool", lambda it: ("&&", it, ("var", "b"))),
        ("bool", lambda it: ("||", ("var", "b"), it)),
        ("bool", lambda it: ("?", it, ("var", "b"), ("var", "b"))),
        ("bool", lambda it: ("?", ("var", "b"), ("var", "b"), it)),
        ("bool", lambda it: ("?", ("var", "b"), it, ("var", "b"))),
        ("int", lambda it: ("?", it, ("var", "a"), ("int", 1))),
    ],
    "int": [
        ("int", lambda it: ("neg", it)),
        ("int", lambda it: ("+", it, ("var", "a"))),
        ("int", lambda it: ("-", ("var", "a"), it)),
        ("int", lambda it: ("*", ("var", "a"), it)),
        ("int", lambda it: ("?", ("var", "b"), ("int", 1), it)),
        ("int", lambda it: ("size", ("list", ("int", -1), it))),
        ("bool", lambda it: ("<", it, ("int", 1))),
        ("bool", lambda it: ("in", it, ("list", it, ("var", "a")))),
        ("bool", lambda it: ("in", ("var", "a"), ("list", it))),
    ],
}


@st.composite
def towers(draw: st.DrawFn) -> Tree:
    """One thing wrapped 6 to 24 times: on both sides of how deep a guard may be."""
    kind = draw(st.sampled_from(["int", "bool"]))
    tree: Tree = ("var", "a" if kind == "int" else "b")
    for number in draw(st.lists(st.integers(0, 8), min_size=6, max_size=24)):
        kind, wrap = WRAPPERS[kind][number]
        tree = wrap(tree)
    return tree if kind == "bool" else ("==", tree, ("int", 1))


@given(towers(), values)
def test_as_deep_as_a_guard_may_be_the_engine_takes_it(tree: Tree, situation: dict[str, Any]) -> None:
    words = written(tree)
    if len(words) > 2000:
        reject()
    guard = admitted(spaced(words, ""))

    assert guard is None or found(guard, situation) is wanted(tree, situation)


VOCABULARY = [
    *VARIABLES, "true", "false", "in", "0", "1", "-", "9223372036854775808", "'x'", '""', "size(", "all", "dyn",
    "&&", "||", "==", "!=", "<", "<=", ">", ">=", "!", "?", ":", "+", "*", "/", "%", "(", ")", "[", "]", ",", ".",
    " ", "\n", "//", "'", '"', "r", "b'", "{", "}", "\\", "u", "e5", "0x", "null", "\0", "\u00e9", "\ud800",
]  # fmt: skip


@given(st.lists(st.sampled_from(VOCABULARY), max_size=12).map("".join) | st.text(max_size=40), values)
def test_any_text_is_a_guard_or_bad_and_never_crashes(source: str, situation: dict[str, Any]) -> None:
    guard = admitted(source)

    assert guard is None or found(guard, situation) in {True, False, None}


@given(guards, st.data(), values)
def test_a_guard_with_a_slip_is_a_guard_or_bad(
    tree: Tree, data: st.DataObject, situation: dict[str, Any]
) -> None:
    source = spaced(written(tree), "")
    for _ in range(data.draw(st.integers(1, 3))):
        begins = data.draw(st.integers(0, len(source)))
        ends = data.draw(st.integers(begins, min(len(source), begins + 3)))
        source = (
            source[:begins] + data.draw(st.sampled_from([*VOCABULARY, *string.printable])) + source[ends:]
        )

    guard = admitted(source)

    assert guard is None or found(guard, situation) in {True, False, None}
