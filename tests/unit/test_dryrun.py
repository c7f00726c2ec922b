"""What a contract would have done, of every kind, to a chain on which things have happened."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chain import entry
from chain.contracts import dryrun
from chain.contracts.guard import BadGuard
from chain.contracts.terms import (
    DAY,
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
from chain.entry import Alert
from tests.world import STEP, Actor, World

MONTH_MS = dryrun.DAYS * DAY * 1000


class Site:
    """A device that alerts a group of two, who talk."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder)
        self.alice, self.bob = self.world.join("alice"), self.world.join("bob")
        self.fridge = self.world.device("fridge-2")
        self.on_call = self.world.group(self.alice, self.bob)
        self.world.link(self.fridge, self.on_call)
        self.world.link(self.alice, self.bob.id)

    def would(self, terms: Terms) -> list[str]:
        return dryrun.would(self.world.chain, "trial", terms, self.world.now)

    def later(self, seconds: int) -> None:
        self.world.now += 1000 * seconds - STEP

    def says(self, author: Actor, to: str, content: str = "x") -> None:
        self.world.commit(author.writes(to, content))

    def escalates(self, when: str = "is_alert", **params: object) -> Escalate:
        given: dict[str, object] = {
            "steps": [Step(self.on_call, 60), Step(self.alice.id, 60)],
            "wait": 60,
            "laps": 1,
        }
        return Escalate(version=1, when=when, params=EscalateParams(**given | params))  # type: ignore[arg-type]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    site.world.close()


def test_where_there_was_no_alert_it_says_so(site: Site) -> None:
    assert site.would(site.escalates()) == ["In the last 30 days there was no alert."]


def test_it_says_how_far_each_alert_would_have_come(site: Site) -> None:
    world = site.world
    answered, late, never = (site.fridge.alerts(site.on_call) for _ in range(3))
    world.commit(answered, late, never)
    site.later(30)
    world.commit(site.bob.answers(answered))
    site.later(60)
    world.commit(site.bob.answers(late))
    site.later(1000)

    assert site.would(site.escalates(resolve_within=900)) == [
        "In the last 30 days it would have acted on 3 of 3 alerts, and escalated 3 of them.",
        "Step 1 would have come 4 times.",
        "Step 2 would have come twice.",
        "It would have said that nobody answered: once.",
        "Taken, but not resolved in time: twice.",
        "That is by the answers that there were. Whom a step would have reached might have answered, too.",
    ]


def test_alerts_that_were_answered_in_time_would_not_have_escalated(site: Site) -> None:
    alarm = site.fridge.alerts(site.on_call)
    site.world.commit(alarm)
    site.later(30)
    site.world.commit(site.bob.answers(alarm))
    site.later(1000)

    assert site.would(site.escalates()) == [
        "In the last 30 days it would have acted on 1 of 1 alert, and escalated 0 of them."
    ]


def test_an_alert_is_left_to_an_older_contract(site: Site) -> None:
    world = site.world
    world.commit(world.admin.installs("older", site.escalates('priority == "high"')))
    header = Alert("e" * 22, "technical", "low", "start")
    world.commit(site.fridge.alerts(site.on_call), site.fridge.writes(site.on_call, alert=header))

    (said,) = site.would(site.escalates())

    assert "acted on 1 of 2 alerts" in said
    assert "acted on 2 of 2 alerts" in dryrun.would(world.chain, "older", site.escalates(), world.now)[0]


def test_what_is_older_than_a_month_is_not_looked_at(site: Site) -> None:
    site.world.commit(site.fridge.alerts(site.on_call))
    site.says(site.alice, site.bob.id)
    site.world.now += MONTH_MS + STEP

    assert site.would(site.escalates()) == ["In the last 30 days there was no alert."]
    assert site.would(Access(version=1, when="true", params=Nothing())) == [
        "In the last 30 days it would have refused 0 of 0 messages."
    ]


def test_it_says_how_much_would_have_been_refused(site: Site) -> None:
    site.says(site.alice, site.bob.id)
    site.says(site.bob, site.alice.id)
    site.world.commit(site.fridge.alerts(site.on_call))

    assert site.would(Access(version=1, when=f'author != "{site.bob.id}"', params=Nothing())) == [
        "In the last 30 days it would have refused 2 of 3 messages, 1 alert among them."
    ]


def test_a_guard_that_fails_would_have_refused_all_but_alerts(site: Site) -> None:
    site.says(site.alice, site.bob.id)
    site.world.commit(site.fridge.alerts(site.on_call))

    assert site.would(Access(version=1, when="size / (size - size) > 1", params=Nothing())) == [
        "In the last 30 days it would have refused 1 of 2 messages, 0 alerts among them."
    ]


@pytest.mark.parametrize(("per", "refused"), [("author", 2), ("to", 1), ("all", 3)])
def test_a_rate_would_have_refused_what_the_chain_refuses(site: Site, per: str, refused: int) -> None:
    params = RateParams(count=2, seconds=60, per=per)  # type: ignore[arg-type]
    terms = Rate(version=1, when="true", params=params)

    def talk() -> list[bool]:
        """Which of seven messages are committed."""
        sent = [site.alice.writes(site.bob.id) for _ in range(3)]
        sent += [site.alice.writes(site.on_call), site.bob.writes(site.on_call)]
        first = site.world.append(*sent)
        site.later(70)
        return [
            hasattr(each, "index") for each in [*first, *site.world.append(site.alice.writes(site.bob.id))]
        ]

    assert talk() == [True] * 6
    said = site.would(terms)
    site.world.commit(site.world.admin.installs("trial", terms))
    site.later(70)
    really = talk().count(False)

    assert said == [f"In the last 30 days it would have refused {really} of 6 messages, 0 alerts among them."]
    assert really == refused


def test_it_says_what_would_be_erased_by_now(site: Site) -> None:
    site.says(site.alice, site.bob.id, "x" * 100_000)
    erased = site.alice.writes(site.bob.id)
    alarm, open_one = site.fridge.alerts(site.on_call), site.fridge.alerts(site.on_call)
    site.world.commit(erased, alarm, open_one)
    site.world.commit(site.alice.redacts(erased), site.bob.answers(alarm))
    site.later(90 * DAY)
    site.says(site.alice, site.bob.id)

    assert site.would(Retain(version=1, when="true", params=RetainParams(seconds=60 * DAY))) == [
        "Had it always been in force, what 2 messages said (0.1 MB) would be gone now."
    ]
    assert site.would(Retain(version=1, when="true", params=RetainParams(seconds=100 * DAY))) == [
        "Had it always been in force, what 0 messages said (0.0 MB) would be gone now."
    ]


def test_it_says_what_would_have_taken_several_admins(site: Site) -> None:
    site.world.now += MONTH_MS + STEP
    site.world.commit(site.world.admin.revokes(site.bob.id))
    carol = site.world.join("carol")
    site.world.commit(carol.contact("request", site.alice.id))

    assert site.would(
        Quorum(version=1, when='type == "revoke"', params=QuorumParams(need=2, seconds=60))
    ) == ["In the last 30 days 1 of 2 acts of admins would have taken 2 admins."]


@pytest.mark.parametrize("kind", ["alerts", "messages", "bodies", "acts"])
def test_when_it_did_not_look_at_all_it_says_so(
    site: Site, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    for _ in range(5):
        site.world.commit(site.fridge.alerts(site.on_call))
        site.says(site.alice, site.bob.id)
    site.later(DAY)
    monkeypatch.setattr(dryrun, "MAX_LOOKED", 3)
    terms: dict[str, Terms] = {
        "alerts": site.escalates("false"),
        "messages": Access(version=1, when="false", params=Nothing()),
        "bodies": Retain(version=1, when="!is_alert", params=RetainParams(seconds=60)),
        "acts": Quorum(version=1, when="false", params=QuorumParams(need=2, seconds=60)),
    }

    said = site.would(terms[kind])[-1]

    assert said in {
        "It looked at 3 alerts only: to look at all would have taken too long.",
        "It looked at the newest 3 entries of that time only.",
        "It looked at the newest 3 entries that are old enough only.",
        "It looked at the newest 3 acts only.",
    }


def test_the_deeds_of_the_contract_count_as_work_too(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(5):
        site.world.commit(site.fridge.alerts(site.on_call))
    site.later(DAY)
    monkeypatch.setattr(dryrun, "MAX_LOOKED", 8)

    # An alert is one entry and three deeds.
    assert site.would(site.escalates())[-1] == (
        "It looked at 2 alerts only: to look at all would have taken too long."
    )


def test_an_alert_that_is_too_long_does_not_hide_the_others(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.world.commit(site.fridge.alerts(site.on_call))
    header = Alert("e" * 22, "technical", "low", "continue")
    for _ in range(9):
        site.world.commit(site.fridge.writes(site.on_call, alert=header))
    monkeypatch.setattr(dryrun, "MAX_LOOKED", 8)

    assert site.would(site.escalates())[0].startswith(
        "In the last 30 days it would have acted on 1 of 1 alert"
    )
    assert site.would(site.escalates())[-1].startswith("It looked at 1 alert only")


def test_what_is_no_guard_is_refused(site: Site) -> None:
    with pytest.raises(BadGuard, match="no variable 'prority'"):
        site.would(site.escalates('prority == "high"'))


def test_nothing_is_changed(site: Site) -> None:
    site.world.commit(site.fridge.alerts(site.on_call))
    site.later(1000)
    before = site.world.dump()

    site.would(site.escalates())

    assert site.world.dump() == before


def test_what_is_recalled_is_what_was_said(site: Site) -> None:
    site.says(site.alice, site.bob.id)
    site.world.commit(site.world.admin.revokes(site.bob.id))

    for idx, leaf in site.world.chain.store.leaves(0, site.world.chain.head.size):
        assert entry.recall(leaf) == entry.parse(leaf).entry, idx
