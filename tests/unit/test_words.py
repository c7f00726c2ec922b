"""What a contract is said to do."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chain.contracts import guard, phrases, words
from chain.contracts.phrases import Fact, Phrase
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
from chain.contracts.variables import ADMIN, MESSAGE

WARD, DOCTORS = "g-" + "a" * 26, "g-" + "b" * 26
NAMES = {WARD: "ward 3", DOCTORS: "doctors on call"}


def name_of(party: str) -> str:
    return NAMES[party]


def escalate(when: str, **params: object) -> Escalate:
    given: dict[str, object] = {
        "steps": [Step(WARD, 120), Step(DOCTORS, 300)],
        "wait": 600,
        "laps": 3,
    } | params
    return Escalate(version=1, when=when, params=EscalateParams(**given))  # type: ignore[arg-type]


def access(when: str) -> Access:
    return Access(version=1, when=when, params=Nothing())


def told(terms: Terms) -> str:
    return "\n".join(words.of(terms, name_of))


def test_an_escalation_is_told_step_by_step() -> None:
    assert words.of(escalate('is_alert && priority == "high"', resolve_within=1800), name_of) == [
        (
            'An alert escalates if its priority is high (is_alert && priority == "high"), unless an older contract has it'
            " already."
        ),
        "Step 1: after 2 minutes without an answer it reaches 'ward 3', too.",
        "Step 2: 5 minutes after step 1, without an answer still, it reaches 'doctors on call', too.",
        "10 minutes after the last step, without an answer still, it begins again from the top: twice.",
        (
            "10 minutes after the last step of the last time, without an answer still, it says loudly, to all admins too,"
            " that nobody answered."
        ),
        (
            "Who takes it, or says that it is resolved, has answered; released again, it goes on where it was. A snooze puts"
            " off what comes next. That the cause is over is no answer."
        ),
        "Taken, but neither resolved nor over within 30 minutes, it counts as not taken, and begins again from the top.",
    ]


def test_steps_that_do_not_wait_are_told_so() -> None:
    said = told(escalate("is_alert", steps=[Step(WARD, 0), Step(DOCTORS, 0)], laps=1))

    assert "An alert escalates in every case, unless" in said
    assert "Step 1: at once it reaches 'ward 3', too." in said
    assert "Step 2: together with step 1 it reaches 'doctors on call', too." in said
    assert "begins again from the top" not in said
    assert "Taken, but" not in said


def test_an_escalation_of_what_is_no_alert_does_not_hide_that() -> None:
    assert told(escalate("!is_alert")).startswith("An alert escalates if it is no alert (!is_alert)")


@pytest.mark.parametrize(
    ("when", "first", "alerts_too"),
    [
        ("true", "A message is refused in every case.", "That goes for alerts, too."),
        ("is_alert", "An alert is refused in every case.", ""),
        ("!is_alert", "A message that is no alert is refused in every case.", ""),
        (
            "!is_alert && is_group",
            "A message that is no alert is refused if it is to a group (!is_alert && is_group).",
            "",
        ),
        (
            "size > 9",
            "A message is refused if its size in bytes is more than 9 (size > 9).",
            "That goes for alerts, too.",
        ),
        (
            "is_alert || is_group",
            "A message is refused if it is an alert, or it is to a group (is_alert || is_group).",
            "That goes for alerts, too.",
        ),
        (
            "false",
            "A message is refused if this holds: false.",
            "That goes for alerts, too, where it holds for one.",
        ),
        (
            "size\n  > size",
            "A message is refused if this holds: size   > size.",
            "That goes for alerts, too, where it holds for one.",
        ),
    ],
)
def test_what_is_refused_is_told_with_whether_alerts_are(when: str, first: str, alerts_too: str) -> None:
    assert words.of(access(when), name_of) == [first, *alerts_too.splitlines()]


@pytest.mark.parametrize(
    ("terms", "fate"),
    [
        (access("100 / size > 1"), "a message is refused, and an alert goes through"),
        (
            Quorum(version=1, when="100 / time > 1", params=QuorumParams(need=2, seconds=60)),
            "it takes them all the same",
        ),
        (escalate("100 / size > 1"), "it escalates all the same"),
        (Retain(version=1, when="100 / size > 1", params=RetainParams(seconds=60)), "it stays"),
    ],
    ids=["access", "quorum", "escalate", "retain"],
)
def test_a_guard_that_can_fail_is_told_with_what_happens_then(terms: Terms, fate: str) -> None:
    assert words.of(terms, name_of)[-1] == f"Where that cannot be worked out, {fate}."


@pytest.mark.parametrize(
    ("per", "said"),
    [
        ("author", "At most 20 from one account go through within 1 hour 30 minutes"),
        ("to", "At most 20 to one account or group go through"),
        ("all", "At most 20 from everybody together go through"),
    ],
)
def test_a_rate_is_told(per: str, said: str) -> None:
    params = RateParams(count=20, seconds=5400, per=per)  # type: ignore[arg-type]

    text = told(Rate(version=1, when="!is_alert", params=params))

    assert text.startswith(f"A message that is no alert is counted in every case.\n{said}")


def test_a_quorum_is_told() -> None:
    terms = Quorum(version=1, when='type in ["revoke", "key"]', params=QuorumParams(need=2, seconds=86_400))

    assert words.of(terms, name_of) == [
        (
            "What an admin does takes 2 of them if it is about a revocation or new keys of an account"
            ' (type in ["revoke", "key"]).'
        ),
        "One of them does it, when the others have agreed to it within the last 1 day; until then it is refused.",
    ]


def test_what_is_erased_is_told_with_what_stays() -> None:
    terms = Retain(version=1, when="!is_alert", params=RetainParams(seconds=30 * 86_400))

    assert words.of(terms, name_of) == [
        "What a message that is no alert says is erased 30 days after it was sent in every case.",
        "While its alert is open, it stays. That there was a message, when, and from whom, stays for good.",
        "Messages from before this contract stay, too.",
    ]


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ('priority == "high"', "its priority is high"),
        ('"high" != priority', "its priority is not high"),
        ('priority in ["high", "low"]', "its priority is high or low"),
        ('!(priority in ["high", "low"])', "its priority is not high and not low"),
        ('priority == "urgent"', 'its priority is "urgent" (which it never is)'),
        ('kind == ""', "it is no alert"),
        ('state != ""', "it is an alert"),
        ('author_kind == "device"', "it is from a device"),
        ('author_role != "admin"', "it is not from an admin"),
        (f'to == "{WARD}"', "it is to 'ward 3'"),
        (f'"{WARD}" in author_groups', "its author is in 'ward 3'"),
        (f'!("{WARD}" in author_groups)', "its author is not in 'ward 3'"),
        ("!is_reply", "it refers to no earlier message"),
        ("200 <= size", "its size in bytes is 200 or more"),
        ("!(size < 200)", "its size in bytes is 200 or more"),
        ("(time / 3600000) % 24 >= 20", "the hour of the day in UTC is 20 or more"),
        ("time / 3600000 % 24 < 7", "the hour of the day in UTC is less than 7"),
        ("time < 1800000000000", "it is earlier than 2027-01-15 08:00:00 UTC"),
        (
            "is_alert && is_group || is_reply",
            "(it is an alert, and it is to a group), or it refers to an earlier message",
        ),
        ("!(is_alert && is_group)", "it is no alert, or it is not to a group"),
        (
            "!(is_alert && (is_group || is_reply))",
            "not (it is an alert, and (it is to a group, or it refers to an earlier message))",
        ),
        (
            "is_alert && (is_group && is_reply)",
            "it is an alert, and it is to a group, and it refers to an earlier message",
        ),
    ],
)
def test_a_guard_in_words(when: str, said: str) -> None:
    guard.compiled(when, MESSAGE)

    phrase = phrases.of(when, name_of)

    assert phrase is not None
    assert phrases.told(phrase) == said


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ('type == "contract" && action == "remove"', "it is about a contract, and it is to remove"),
        (f'target == "{WARD}"', "it concerns 'ward 3'"),
        ('role == "admin"', "it gives the role admin"),
    ],
)
def test_a_guard_about_what_admins_do_in_words(when: str, said: str) -> None:
    guard.compiled(when, ADMIN)

    phrase = phrases.of(when, name_of)

    assert phrase is not None
    assert phrases.told(phrase) == said


@pytest.mark.parametrize(
    "when",
    [
        "is_alert == true",
        "true && is_alert",
        "author == to",
        'to == ""',
        '"" in author_groups',
        'priority in ["", "high"]',
        '"high" in [priority]',
        '"a" == "a"',
        "size(author_groups) == 2",
        "size + 1 > 2",
        "size > -1",
        "size in [1, 2]",
        "time > 9000000000000000000",
        "time > 1800000000001",
        "time == 1800000000000",
        "time / 3600000 % 7 == 2",
        "time / 3600000 % 24 + 1 > 3",
        "is_alert ? is_group : is_reply",
        "(is_alert) == (is_group)",
        "(size > 2) == is_alert",
    ],
)
def test_of_a_guard_with_no_phrase_nothing_is_said(when: str) -> None:
    guard.compiled(when, MESSAGE)

    assert phrases.of(when, name_of) is None


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 seconds"),
        (1, "1 second"),
        (90, "1 minute 30 seconds"),
        (3600, "1 hour"),
        (93_784, "1 day 2 hours 3 minutes 4 seconds"),
    ],
)
def test_how_long_that_is(seconds: int, said: str) -> None:
    assert words.lasts(seconds) == said


ATOMS = [
    "is_alert",
    "is_group",
    "is_reply",
    "size > 100",
    'priority in ["high", "low"]',
    'author_kind != "device"',
]

conditions = st.recursive(
    st.sampled_from(ATOMS),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda two: f"({two[0]}) && ({two[1]})"),
        st.tuples(inner, inner).map(lambda two: f"({two[0]}) || ({two[1]})"),
        inner.map(lambda one: f"!({one})"),
    ),
    max_leaves=6,
)

WORLDS = [
    {"is_alert": a, "is_group": b, "is_reply": c, "size": size, "priority": priority, "author_kind": kind}
    for a, b, c, size, priority, kind in product(
        (True, False), (True, False), (True, False), (50, 150), ("high", "medium"), ("device", "person")
    )
]


def facts(world: dict[str, object]) -> set[str]:
    """What is true in a world, as it is told."""
    true = set()
    for atom in ATOMS:
        phrase = phrases.of(atom, name_of)
        assert isinstance(phrase, Fact)
        holds = guard.compiled(atom, MESSAGE).holds(world)
        true.add(phrase.text if holds else phrase.opposite)
    return true


def holds(phrase: Phrase, true: set[str]) -> bool:
    """A second reading of what is told, of one fact after the other."""
    if isinstance(phrase, Fact):
        return phrase.text in true
    parts = [holds(part, true) for part in phrase.parts]
    return (all(parts) if phrase.by == "and" else any(parts)) != phrase.denied


@settings(deadline=None)
@given(conditions)
def test_what_is_told_holds_exactly_where_the_guard_does(when: str) -> None:
    phrase, compiled = phrases.of(when, name_of), guard.compiled(when, MESSAGE)

    assert phrase is not None
    for world in WORLDS:
        assert holds(phrase, facts(world)) == compiled.holds(world)
