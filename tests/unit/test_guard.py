import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from chain.contracts import guard
from chain.contracts.dialect import MAX_BYTES, BadGuard, Type
from chain.contracts.guard import ENGINE, GuardFailed, NoEngine, compiled
from tests.hostile_guards import FATES

VARIABLES: dict[str, Type] = {
    "author": "string",
    "author_groups": "strings",
    "is_alert": "bool",
    "priority": "string",
    "size": "int",
    "type": "string",
}
VALUES = {
    "author": "anna",
    "author_groups": ["day", "ward-3"],
    "is_alert": True,
    "priority": "high",
    "size": 700,
    "type": "key",
}

KNOWN = "there are author, author_groups, is_alert, priority, size, type"
PLAIN = "a text ends on its line, and has plain characters without a backslash"
RANGE = "want a number from -9223372036854775808 to 9223372036854775807"


@pytest.mark.parametrize(
    ("source", "holds"),
    [
        ("is_alert", True),
        ("!is_alert", False),
        ('is_alert && priority == "high"', True),
        ("priority in ['low', 'info']", False),
        ('"ward-3" in author_groups', True),
        ('!("night" in author_groups) && size(author_groups) == 2', True),
        ("size > 512 && size <= 1024", True),
        ("size % 256 == 188 && size / 256 == 2 && -size + 1 < 0", True),
        ("size in [699, 699 + 1]", True),
        ('(is_alert ? priority : author) == "high"', True),
        ('is_alert ? author == "ben" : true', False),
        ('author == "it\'s me" || author == \'a "b"\'', False),
    ],
)
def test_a_guard_holds_or_not(source: str, *, holds: bool) -> None:
    assert compiled(source, VARIABLES).holds(VALUES) is holds


@pytest.mark.parametrize(
    ("source", "holds"),
    [
        ("1 + 2 * 3 == 7 && 7 - 2 - 1 == 4 && 7 / 2 * 2 == 6", True),
        ("true || false && false", True),
        ("(true || false) && false", False),
        ("!false == true && 1 < 2 == true", True),
        ("false ? true : true ? false : true", False),
        ("-7 / 2 == -3 && -7 % 2 == -1 && 7 % -2 == 1", True),
        ("1 - -1 == 2 && 1--1 == 2", True),
        ("-9223372036854775808 + 9223372036854775807 == -1", True),
    ],
)
def test_what_binds_and_how_numbers_divide_is_as_in_cel(source: str, *, holds: bool) -> None:
    assert compiled(source, {}).holds({}) is holds


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("", "line 1, column 1: want a value, got the end"),
        (
            "is_alert &&\n  autor == 'x'",
            f"line 2, column 3: no variable 'autor': {KNOWN}",
        ),
        ("author == 5", "line 1, column 8: '==' wants two alike, got a text and a number"),
        ("author < 'b'", "line 1, column 8: '<' wants two numbers, got a text"),
        ("size + author > 5", "line 1, column 6: '+' wants two numbers, got a text"),
        ("author_groups == author_groups", "line 1, column 15: '==' compares no lists: use \"in\""),
        ("size in author_groups", "line 1, column 6: 'in' wants a list of numbers after it, got a list of texts"),
        ("is_alert in [1]", "line 1, column 10: 'in' looks for a text or a number, got a condition"),
        ("size in ['a', 5]", "line 1, column 13: ',' wants a text here, got a number"),
        ("[is_alert] == 5", "line 1, column 1: want texts or numbers in a list, got a condition"),
        ("size && is_alert", "line 1, column 6: '&&' wants a condition here, got a number"),
        ("!size", "line 1, column 1: '!' wants a condition here, got a number"),
        ("size ? true : false", "line 1, column 6: '?' wants a condition here, got a number"),
        ("is_alert ? 1 : 'a'", "line 1, column 14: one side is a number, the other a text"),
        ("is_alert ? 1", "line 1, column 13: want ':', got the end"),
        ("size", "line 1, column 1: a guard comes to true or false, and this is a number"),
        ("size(author) == 4", "line 1, column 5: size(...) counts a list, got a text"),
        ("matches(author)", "line 1, column 1: no function 'matches': there is size(...) alone"),
        ("is_alert is_alert", "line 1, column 10: want an operator such as '==' or '&&', or the end, got 'is_alert'"),
        ("!!is_alert", "line 1, column 2: two signs in a row: want brackets after '!'"),
        ("size = 5", "line 1, column 6: unexpected '=': two things are compared with \"==\""),
        ("is_alert & true", 'line 1, column 10: unexpected \'&\': "and" is written "&&"'),
        ("is_alert | true", 'line 1, column 10: unexpected \'|\': "or" is written "||"'),
        ("author.name", "line 1, column 7: unexpected '.': a guard has no fractions, fields or methods"),
        ("size > 1.5", "line 1, column 8: unexpected '1': numbers are whole and decimal, as 5 or 120"),
        ("author == 'a", f"line 1, column 11: unexpected \"'\": {PLAIN}"),
        ('author == "\\n"', f"line 1, column 11: unexpected '\"': {PLAIN}"),
        ("is_alert\u00a0", "line 1, column 9: unexpected '\\xa0': a guard has no such character"),
        (
            "size < 9223372036854775808",
            f"line 1, column 8: {RANGE}, got '9223372036854775808'",
        ),
        ("(" * 17 + "is_alert", "line 1, column 17: too deep: want at most 16 levels of brackets and calculations"),
        ("x" * 2048, f"line 1, column 1: no variable '{'x' * 40}...': {KNOWN}"),
        (" " * 2049, "line 1, column 1: too long: want at most 2048 characters, got 2049"),
        ("!" * 257, "line 1, column 1: too long: want at most 256 words, numbers and signs, got 257"),
        ("size in [" + ",".join("1" * 65) + "]", "line 1, column 137: want at most 64 things in a list"),
    ],
)  # fmt: skip
def test_a_bad_guard_is_told_where_and_why(source: str, why: str) -> None:
    with pytest.raises(BadGuard) as caught:
        compiled(source, VARIABLES)

    assert str(caught.value) == why
    assert why.startswith(f"line {caught.value.line}, column {caught.value.column}: {caught.value.reason}")


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("1 / (size - 700) == 0", "guard: INVALID_ARGUMENT: divide by zero"),
        ("1 % (size - 700) == 0", "guard: INVALID_ARGUMENT: modulus by zero"),
        ("9223372036854775807 + size > 0", "guard: OUT_OF_RANGE: integer overflow"),
        ("1 / 0 == 1 ? true : true", "guard: INVALID_ARGUMENT: divide by zero"),
        ("is_alert && 1 / 0 == 1", "guard: INVALID_ARGUMENT: divide by zero"),
    ],
)
def test_a_guard_that_comes_to_nothing_fails(source: str, why: str) -> None:
    with pytest.raises(GuardFailed) as caught:
        compiled(source, VARIABLES).holds(VALUES)

    assert str(caught.value) == why


@pytest.mark.parametrize("source", ["1 / 0 == 1 || is_alert", "!(is_alert && false && 1 / 0 == 1)"])
def test_what_fails_does_not_matter_where_the_other_side_decides(source: str) -> None:
    assert compiled(source, VARIABLES).holds(VALUES)


def test_a_value_that_the_engine_does_not_take_fails() -> None:
    with pytest.raises(GuardFailed):
        compiled("author == 'a'", VARIABLES).holds({"author": "\ud800"})
    with pytest.raises(GuardFailed):
        compiled("size == 1", VARIABLES).holds({"size": 2**63})


def test_a_guard_knows_what_it_looks_at_and_needs_nothing_else() -> None:
    found = compiled('size(author_groups) == 2 && (priority == "high" || priority == "low")', VARIABLES)

    assert found.uses == {"author_groups", "priority"}
    assert found.holds({"author_groups": ("a", "b"), "priority": "low"})


def test_size_is_a_function_and_a_variable_and_type_is_a_variable() -> None:
    found = compiled('size == 700 && size(author_groups) == 2 && type == "key"', VARIABLES)

    assert found.uses == {"author_groups", "size", "type"}
    assert found.holds(VALUES)


def test_a_guard_is_compiled_once() -> None:
    assert compiled("size == 1", VARIABLES) is compiled("size == 1", dict(reversed(VARIABLES.items())))


def test_the_longest_guard_is_read() -> None:
    source = 'author == "' + "x" * (MAX_BYTES - len('author == ""')) + '"'

    assert not compiled(source, VARIABLES).holds(VALUES)


def test_hostile_guards_neither_hang_nor_crash_nor_fill_the_process() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "tests.hostile_guards"], capture_output=True, text=True, check=False
    )

    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout) == {name: wanted for name, (_, wanted) in FATES.items()}


@pytest.fixture
def _without_engine() -> Iterator[None]:
    caches = (guard._compiled, guard._environment, guard._engine)
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


@pytest.mark.usefixtures("_without_engine")
def test_without_the_engine_one_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("importlib.metadata.version", missing)

    with pytest.raises(NoEngine, match=r"want cel-expr-python/0.1.3: pip install cel-expr-python==0.1.3$"):
        compiled("true", {})


@pytest.mark.usefixtures("_without_engine")
def test_one_can_ask_whether_the_engine_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    assert guard.is_installed()

    monkeypatch.setattr("importlib.metadata.version", lambda name: "0.1.4")

    assert not guard.is_installed()


def test_the_engine_of_another_chain_is_none() -> None:
    guard.require(ENGINE)

    with pytest.raises(NoEngine, match=r"of this chain want none, this program has cel-expr-python/0.1.3"):
        guard.require("none")


@pytest.mark.usefixtures("_without_engine")
def test_another_release_of_the_engine_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.metadata.version", lambda name: "0.1.4")

    with pytest.raises(NoEngine, match=r"want cel-expr-python/0.1.3, got 0.1.4"):
        compiled("true", {})


@pytest.mark.usefixtures("_without_engine")
def test_an_engine_that_does_not_load_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cel_expr_python.cel", None)

    with pytest.raises(NoEngine, match="does not load"):
        compiled("true", {})


@pytest.mark.usefixtures("_without_engine")
def test_a_bad_guard_is_bad_without_the_engine_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cel_expr_python.cel", None)

    with pytest.raises(BadGuard):
        compiled("true &&", {})


def test_what_never_asks_a_guard_does_not_load_the_engine() -> None:
    script = "import sys, chain.contracts.guard; sys.exit('cel_expr_python' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_the_engine_of_genesis_is_the_one_that_a_gateway_installs() -> None:
    project = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["project"]
    name, release = ENGINE.split("/")

    pinned = [each.split(";")[0] for each in project["optional-dependencies"]["gateway"]]

    assert f"{name}=={release}" in pinned
