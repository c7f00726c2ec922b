"""A contract as a person writes it."""

from pathlib import Path

import pytest

from chain.contracts.dialect import BadGuard
from chain.contracts.terms import (
    Access,
    Escalate,
    EscalateParams,
    Nothing,
    Quorum,
    QuorumParams,
    Rate,
    RateParams,
    Retain,
    RetainParams,
    Step,
    Terms,
)
from provisioning.admin import contractfile, contracts
from provisioning.admin.contractfile import BadContract, Written

IDS = {"on-call": "g-" + "a" * 26, "ward 3": "g-" + "b" * 26, "dr.lee": "c" * 26}

NIGHT = """
id = "night-escalation"
kind = "escalate"
when = 'priority == "high" && to == "@ward 3"'
wait = "10m"
laps = 2
resolve_within = "1h30m"

[[steps]]
to = "on-call"
after = "2m"

[[steps]]
to = "dr.lee"
after = 90
"""


class Unknown(Exception):
    """Nobody has that name."""


def id_of(name: str) -> str:
    if name not in IDS:
        raise Unknown(name)
    return IDS[name]


def read(text: str) -> Written:
    return contractfile.read(text, id_of)


def test_names_become_ids_and_times_become_seconds() -> None:
    assert read(NIGHT) == Written(
        "night-escalation",
        Escalate(
            version=1,
            when=f'priority == "high" && to == "{IDS["ward 3"]}"',
            params=EscalateParams(
                steps=[Step(IDS["on-call"], 120), Step(IDS["dr.lee"], 90)],
                wait=600,
                laps=2,
                resolve_within=5400,
            ),
        ),
    )


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ('kind = "access"\nwhen = "is_group"', Access(version=1, when="is_group", params=Nothing())),
        (
            'kind = "rate"\nwhen = "true"\ncount = 20\nseconds = "1h"\nper = "author"',
            Rate(version=1, when="true", params=RateParams(count=20, seconds=3600, per="author")),
        ),
        (
            'kind = "quorum"\nwhen = \'type == "revoke"\'\nneed = 2\nseconds = "1d"',
            Quorum(version=1, when='type == "revoke"', params=QuorumParams(need=2, seconds=86_400)),
        ),
        (
            'kind = "retain"\nversion = 1\nwhen = "!is_alert"\nseconds = "30d"',
            Retain(version=1, when="!is_alert", params=RetainParams(seconds=30 * 86_400)),
        ),
    ],
    ids=["access", "rate", "quorum", "retain"],
)
def test_every_kind_can_be_written(text: str, terms: Terms) -> None:
    assert read(f'id = "it"\n{text}\n') == Written("it", terms)


def test_the_file_that_help_shows_can_be_read() -> None:
    shown = contracts.FILE_HELP.partition("night.toml:")[2]

    assert read(shown).contract == "night-escalation"


def test_the_file_in_the_modules_own_words_can_be_read() -> None:
    assert contractfile.__doc__ is not None
    shown = contractfile.__doc__[contractfile.__doc__.index("    id =") :].partition("A time is")[0]

    written = read(shown.replace("    ", "").replace("@ward-3", "@ward 3"))

    assert isinstance(written.terms, Escalate)


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        ('id = "night-escalation"', 'id = "Night"', "id: want a name such as"),
        ('id = "night-escalation"', "", "id: want a name such as"),
        ('id = "night-escalation"', "id = night", "no TOML: .*line 2"),
        (
            '"escalate"',
            '"escalator"',
            "kind: want one of access, rate, quorum, escalate, retain, got 'escalator'",
        ),
        ('kind = "escalate"', "", "kind: want one of"),
        ('"10m"', '"10 min"', "wait: want a time as .*, got '10 min'"),
        ('"10m"', "true", "wait: want a time as"),
        ('"10m"', '"10000000000000d"', "wait: want a time as"),
        ("wait =", "wate =", "contains unknown field `wate`"),
        ("laps = 2", "", "missing required field `laps`"),
        ("laps = 2", "laps = 0", "laps: expected `int` >= 1"),
        ('after = "2m"', 'after = "8d"', "step 1: after: expected `int` <= 604800"),
        ('after = "2m"', "", "step 1: want `after`"),
        ('after = "2m"', 'after = "2m"\nlaps = 3', "step 1: `laps` is not of a step: want it above"),
        ('after = "2m"', 'after = "2m"\nbefore = 3', "step 1: a step has `to` and `after`, got `before`"),
        ('to = "on-call"', "to = 5", "step 1: want in `to` the name"),
        ("[[steps]]", "[steps]", "no TOML|steps: want each as"),
        ("when =", "if =", "contains unknown field `if`"),
        ("priority ==", "prority ==", "when: no variable 'prority'"),
        ("&&", "and", "when: want an operator such as"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(was: str, becomes: str, said: str) -> None:
    with pytest.raises(BadContract, match=said):
        read(NIGHT.replace(was, becomes, 1))


def test_steps_that_are_no_list_are_told_how_they_are_written() -> None:
    text = 'id = "it"\nkind = "escalate"\nwhen = "true"\nwait = 60\nlaps = 1\nsteps = "on-call"\n'

    with pytest.raises(BadContract, match=r"steps: want each as \[\[steps\]\]"):
        read(text)


@pytest.mark.parametrize("was", ['to = "on-call"', "@ward 3"])
def test_who_is_not_known_is_asked_for_and_not_guessed(was: str) -> None:
    with pytest.raises(Unknown, match="nobody"):
        read(NIGHT.replace(was, was.replace("on-call", "nobody").replace("ward 3", "nobody")))


@pytest.mark.parametrize(
    ("when", "line", "column", "shown"),
    [
        ("a = b", 1, 3, "  a = b\n    ^"),
        ("one\n\ttwo = 2", 2, 6, "  \ttwo = 2\n  \t    ^"),
        ("one ==", 1, 7, "  one ==\n        ^"),
    ],
)
def test_a_caret_stands_under_the_place(when: str, line: int, column: int, shown: str) -> None:
    assert contractfile.pointed(when, BadGuard("wrong", line=line, column=column)) == shown


def test_a_name_that_is_written_twice_is_found_twice() -> None:
    when = "to == \"@on-call\" || '@on-call' in author_groups"

    assert contractfile.with_ids(when, id_of) == (
        f"to == \"{IDS['on-call']}\" || '{IDS['on-call']}' in author_groups"
    )


EXAMPLES = sorted((Path(__file__).parents[2] / "docs" / "contracts").glob("*.toml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_a_contract_of_its_name(path: Path) -> None:
    written = contractfile.read(path.read_text("utf-8"), lambda _: IDS["on-call"])

    assert written.contract == path.stem


def test_there_is_an_example_of_every_kind() -> None:
    written = [contractfile.read(path.read_text("utf-8"), lambda _: IDS["on-call"]) for path in EXAMPLES]

    assert {type(each.terms) for each in written} == {Access, Escalate, Quorum, Rate, Retain}


def test_the_contract_in_the_operations_document_can_be_read() -> None:
    text = (Path(__file__).parents[2] / "docs" / "operations.md").read_text("utf-8")
    shown = [block.partition("```")[0] for block in text.split("```toml\n")[1:]]

    (contract,) = [block for block in shown if block.startswith("id =")]

    assert contractfile.read(contract, lambda _: IDS["on-call"]).contract == "night-escalation"


@pytest.mark.parametrize(
    ("effect", "said"),
    [
        ("step 0 g-x 0199", "step 1 reached on-call: alert 0199"),
        ("step 1 g-y 0199", "step 2 reached g-y: alert 0199"),
        ("nobody 0199", "nobody answered alert 0199"),
        ("erased 0199", "erased what message 0199 said"),
        ("step one two three", "step one two three"),
        ("something new", "something new"),
    ],
)
def test_what_a_block_says_of_a_contract_is_told_to_a_person(effect: str, said: str) -> None:
    assert contracts.done(effect, {"g-x": "on-call"}) == said
