"""An annunciator that hears of a real chain, joined to it by a link that loses nothing but what a test takes away."""

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chain import wire
from chain.alerts import Alert
from chain.api import AlertLine
from chain.contracts.terms import Escalate, EscalateParams, Step
from chain.entry import Alert as Header
from chain.errors import Unverified
from chain.wire import Delivered, Delivery, Submission
from device.annunciator import Alarms, Picture
from device.client import Client
from device.errors import Problem, TwoHistories, Unreachable
from device.pager import POSITION, Listener, Post, cue
from device.patterns import Patterns
from tests.homes import NearGateway, enrol, settle
from tests.integration.test_agent import NearLink
from tests.world import World

BUZZ = 'mode = "repeat"\ncommand = ["buzz"]\nevery = 2\n'
TABLES = ("high", "medium", "low", "nobody", "fault")
FILE = "fault_after = 5\n" + "".join(f"[{name}]\n{BUZZ}" for name in TABLES) + '[quiet]\ncommand = ["hush"]\n'


class BellGateway(NearGateway):
    """It answers for alerts, too."""

    def alive(self) -> None:
        self._now("alive")

    def site(self) -> Any:
        self._now("site")
        return SimpleNamespace(now=self.world.now)

    def alerts(self) -> list[AlertLine]:
        found = self._now("alerts").state.alerts.of_parties(self._parties, since=0, limit=100)
        return [shown(alert) for alert in found]

    def alert(self, entry_id: str) -> list[Delivered]:
        now = self._now("alert")
        for alert in now.state.alerts.of_parties(self._parties, since=0, limit=100):
            if alert.entry == entry_id:
                return self.delivered(*now.state.alerts.entries(alert.idx, 100))
        raise Problem(404, "no such alert")

    @property
    def _parties(self) -> list[str]:
        groups = self.world.chain.state.groups_of(self._account)
        return [self._account, *groups]


def shown(alert: Alert) -> AlertLine:
    return AlertLine(
        id=alert.entry,
        author=alert.author,
        episode=alert.episode,
        to=alert.party,
        priority=alert.priority,
        kind=alert.kind,
        active=alert.active,
        began=alert.began,
        taken_by=alert.taken_by,
        taken_at=alert.taken,
        resolved=alert.resolved,
        snoozed_until=alert.snoozed,
        contract=alert.contract,
        step=None,
        lap=None,
        steps=[],
        due_in=None,
        nobody=alert.nobody is not None,
        concerns=[],
    )


class Bell:
    """`alice` is the annunciator, `bob` raises alerts, and `carol` takes them."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        (folder / "world").mkdir()
        self.world = World(folder / "world")
        self.alice, self.bob = enrol(self.world, "alice"), enrol(self.world, "bob")
        self.carol = self.world.join("carol")
        self.group = self.world.group(self.alice, self.carol)
        self.world.commit(self.world.admin.contact("link", self.group, of=self.bob.id))
        self.gateway = BellGateway(self.world, self.alice.id)
        patch.setattr("device.client.Gateway", lambda *_, **__: self.gateway)
        patch.setattr("device.reception.Link", NearLink)
        patch.setattr("device.pager.TURN_SECONDS", 0.001)
        file = folder / "annunciator.toml"
        file.write_text(FILE, "utf-8")
        self.patterns = Patterns.load(file)
        self.client = Client(settle(self.world, "alice", folder / "alice"))
        self.restarts()
        self.turn()

    def close(self) -> None:
        self.client.close()
        self.world.close()

    def restarts(self) -> None:
        """As after a kill: nothing is left but what is in the home."""
        self.post = Post()
        self.listener = Listener(self.client, Alarms(), self.post, 10)

    def turn(self) -> None:
        self.listener.turn()

    def asks(self) -> None:
        """Its time to ask has come; and once more, for it may have found a reason to."""
        for _ in range(2):
            self.listener._wonder()
            self.turn()

    def commits(self, submission: Submission, *, delivered: bool = True) -> Submission:
        (index,) = self.world.commit(submission)
        if delivered:
            self.delivers(index)
        return submission

    def delivers(self, *indices: int) -> None:
        mine = [index for index in indices if index in self.received()]
        if mine:
            previous = self.world.chain.state.received_before(self.alice.id, mine[0])
            payload = wire.encode(Delivery(previous, self.gateway.delivered(*mine)))
            self.listener._messages.put((wire.down_topic(self.alice.id, "entry"), payload))
            self.turn()

    def received(self) -> list[int]:
        return list(self.world.chain.state.received(self.alice.id, -1, 1000))

    def raised(self, priority: Any = "high", *, delivered: bool = True) -> Submission:
        header = Header("E" * 21 + "A", "physiological", priority, "start")
        return self.commits(self.bob.writes(self.group, alert=header), delivered=delivered)

    @property
    def sounds(self) -> str | None:
        found = cue(self.patterns, self.post, time.monotonic())
        return None if found is None else found.name


@pytest.fixture
def bell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bell]:
    with closing(Bell(tmp_path, monkeypatch)) as bell:
        yield bell


def test_an_alert_to_its_group_sounds_until_somebody_takes_it(bell: Bell) -> None:
    assert bell.sounds == "quiet"

    alert = bell.raised()
    assert bell.sounds == "high"

    bell.commits(bell.carol.answers(alert))
    assert bell.sounds == "quiet"


def test_what_the_broker_lost_is_asked_for(bell: Bell) -> None:
    alert = bell.raised(delivered=False)
    bell.asks()
    assert bell.sounds == "high"

    bell.commits(bell.carol.answers(alert), delivered=False)
    bell.asks()

    assert bell.sounds == "quiet"


def test_after_a_restart_it_sounds_again(bell: Bell) -> None:
    bell.raised("medium")

    bell.restarts()
    assert bell.sounds is None, "it is not known yet whether it is quiet"
    bell.turn()

    assert bell.sounds == "medium"


def test_after_a_restart_a_taken_alert_is_silent(bell: Bell) -> None:
    alert = bell.raised()
    bell.commits(bell.carol.answers(alert))

    bell.restarts()
    bell.asks()

    assert bell.sounds == "quiet"


def escalating(bell: Bell, *steps: str, resolve_within: int | None = None) -> None:
    params = EscalateParams(
        steps=[Step(to=party, after=60) for party in steps], wait=60, laps=1, resolve_within=resolve_within
    )
    bell.commits(
        bell.world.admin.installs("ward", Escalate(version=1, when="is_alert", params=params)),
        delivered=False,
    )


def test_what_came_of_it_by_a_tick_outlives_a_restart(bell: Bell) -> None:
    """The tick lies before its place in the inbox, and is none of the alert's own entries."""
    escalating(bell, bell.group, resolve_within=60)
    alert = bell.raised()
    bell.commits(bell.carol.answers(alert))
    assert bell.sounds == "quiet"
    assert [deed.did for deed in bell.world.passes(61)] == ["overdue"]
    bell.delivers(bell.received()[-1])
    assert bell.sounds == "high"

    bell.restarts()
    bell.asks()
    assert bell.sounds == "high"

    bell.commits(bell.carol.answers(alert))
    assert bell.sounds == "quiet"


def test_nobody_answered_is_the_loudest_and_outlives_a_restart(bell: Bell) -> None:
    escalating(bell, bell.group)
    bell.raised("low")
    assert [deed.did for deed in bell.world.passes(600)] == ["step"]
    assert [deed.did for deed in bell.world.passes(600)] == ["nobody"]
    bell.delivers(*bell.received()[-2:])
    assert bell.sounds == "nobody"

    bell.restarts()
    bell.asks()

    assert bell.sounds == "nobody"


def test_an_alert_that_reaches_it_by_a_step_sounds_from_then_on(bell: Bell) -> None:
    first, second = bell.world.group(bell.carol), bell.group
    bell.commits(bell.world.admin.contact("link", first, of=bell.bob.id), delivered=False)
    escalating(bell, second)
    header = Header("E" * 21 + "A", "technical", "medium", "start")
    bell.asks()
    alert = bell.commits(bell.bob.writes(first, alert=header), delivered=False)
    bell.asks()
    assert bell.sounds == "quiet"
    assert [deed.did for deed in bell.world.passes(61)] == ["step"]

    bell.delivers(bell.received()[-1])
    bell.turn()
    assert bell.sounds == "medium"

    bell.commits(bell.carol.answers(alert))
    assert bell.sounds == "quiet"


def test_what_is_no_concern_of_its_any_more_is_silent(bell: Bell) -> None:
    bell.raised()

    bell.commits(bell.world.admin.groups(bell.group, bell.carol.id), delivered=False)
    bell.asks()

    assert bell.sounds == "quiet"


def test_what_is_its_concern_again_is_heard_again(bell: Bell) -> None:
    alert = bell.raised()
    bell.commits(bell.world.admin.groups(bell.group, bell.carol.id), delivered=False)
    bell.asks()
    bell.commits(bell.world.admin.groups(bell.group, bell.alice.id, bell.carol.id), delivered=False)
    bell.asks()
    assert bell.sounds == "high"

    bell.commits(bell.carol.answers(alert))

    assert bell.sounds == "quiet"


def test_what_only_the_gateway_says_of_an_alert_sounds_until_it_says_otherwise(
    bell: Bell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its entries cannot be had, by a fault of the gateway's."""

    def missing(_: str) -> list[Delivered]:
        raise Problem(404, "no such alert")

    monkeypatch.setattr(bell.gateway, "alert", missing)
    alert = bell.raised()
    bell.restarts()
    bell.asks()
    assert bell.sounds == "high"

    bell.commits(bell.carol.answers(alert), delivered=False)
    bell.asks()
    bell.asks()

    assert bell.sounds == "quiet"


def test_a_snooze_is_by_the_gateways_clock(bell: Bell, monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine's own may stand anywhere."""
    monkeypatch.setattr("device.pager.now_ms", lambda: 0)
    bell.restarts()
    bell.asks()
    alert = bell.raised()

    bell.commits(bell.carol.answers(alert, "snoozed", until=bell.world.now + 3_600_000, reason="care"))
    assert bell.sounds == "quiet"

    bell.world.now += 3_600_000
    bell.asks()
    assert bell.sounds == "high"


def test_a_key_that_is_not_believed_silences_nothing(bell: Bell, monkeypatch: pytest.MonkeyPatch) -> None:
    alert = bell.raised()

    def unproven(*_: object) -> str:
        raise Unverified("the signature does not hold")

    monkeypatch.setattr(bell.client, "proven", unproven)
    bell.commits(bell.carol.answers(alert))
    assert bell.sounds == "high"
    bell.asks()

    assert bell.sounds == "high"


def test_all_that_is_open_is_asked_for_now_and_then_only(bell: Bell) -> None:
    bell.raised()
    bell.asks()
    bell.gateway.asked.clear()

    for _ in range(5):
        bell.listener._reception.hurry()
        bell.turn()

    assert bell.gateway.asked.count("inbox") == 5
    assert "alerts" not in bell.gateway.asked


def test_a_comparison_that_broke_off_is_made_again(bell: Bell, monkeypatch: pytest.MonkeyPatch) -> None:
    bell.raised()
    bell.restarts()
    with monkeypatch.context() as away:
        away.setattr(bell.gateway, "alert", unreachable)
        bell.turn()
        assert bell.sounds is None

    bell.listener._reception.hurry()
    bell.turn()

    assert bell.sounds == "high"


def unreachable(*_: object) -> list[Delivered]:
    raise Unreachable("nobody there")


def test_it_keeps_a_place_of_its_own_in_the_inbox(bell: Bell) -> None:
    bell.raised()

    assert bell.client.outbox.counter(POSITION) == bell.received()[-1]
    assert bell.client.outbox.counter("inbox") == 0


# What it cannot hear


def silent_for(bell: Bell, seconds: float) -> None:
    bell.post.well -= seconds


@pytest.mark.parametrize("away", ["gateway", "broker"])
def test_a_gateway_out_of_reach_is_no_calm_ward(bell: Bell, away: str) -> None:
    if away == "gateway":
        bell.gateway.reachable = False
    else:
        bell.listener._reception.link.is_up = False  # type: ignore[misc] # of a link that stands in
    bell.asks()
    silent_for(bell, 4)
    assert bell.sounds == "quiet"

    silent_for(bell, 1)
    assert bell.sounds == "fault"

    bell.gateway.reachable = True
    bell.listener._reception.link.is_up = True  # type: ignore[misc]
    bell.asks()
    assert bell.sounds == "quiet"


def test_a_gateway_that_was_never_there_is_a_fault_too(bell: Bell) -> None:
    bell.gateway.reachable = False
    bell.restarts()
    bell.asks()
    assert bell.sounds is None

    silent_for(bell, 5)

    assert bell.sounds == "fault"


def test_that_it_is_away_is_told_once_each_way(bell: Bell, caplog: pytest.LogCaptureFixture) -> None:
    bell.gateway.reachable = False
    bell.asks()
    bell.asks()
    assert caplog.text.count("catch-up put off") == 1

    bell.gateway.reachable = True
    bell.asks()
    bell.gateway.reachable = False
    bell.asks()

    assert caplog.text.count("catch-up put off") == 2


def test_a_committer_that_stands_still_is_a_fault(bell: Bell, monkeypatch: pytest.MonkeyPatch) -> None:
    def standing() -> None:
        raise Problem(500, "the committer was not heard of")

    monkeypatch.setattr(bell.gateway, "alive", standing)
    bell.asks()
    silent_for(bell, 5)

    assert bell.sounds == "fault"


def test_an_alert_goes_on_while_the_gateway_is_away(bell: Bell) -> None:
    bell.raised()
    bell.gateway.reachable = False
    bell.asks()
    silent_for(bell, 500)

    assert bell.sounds == "high"


def test_a_gateway_that_shows_two_histories_ends_listening(bell: Bell) -> None:
    bell.gateway.checkpoint = lambda: bell.client.book.checkpoint() or ""  # type: ignore[method-assign]
    bell.client.trust.catch("note", "it shows another history")

    with pytest.raises(TwoHistories):
        bell.asks()


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lane=st.sampled_from(["entry", "receipt", "refusal", ""]), payload=st.binary(max_size=200))
def test_no_nonsense_ends_it(bell: Bell, lane: str, payload: bytes) -> None:
    bell.listener._messages.put((f"blockpost/v1/down/x/{lane}", payload))

    bell.turn()


def test_before_anything_is_known_nothing_is_quiet(bell: Bell) -> None:
    post = Post()

    assert cue(bell.patterns, post, time.monotonic()) is None

    post.picture = Picture()
    found = cue(bell.patterns, post, time.monotonic())
    assert found is not None
    assert found.name == "quiet"


def test_a_command_learns_nothing_but_priority_kind_and_count(bell: Bell) -> None:
    bell.raised("low")

    found = cue(bell.patterns, bell.post, time.monotonic())

    assert found is not None
    assert found.says == {
        "BLOCKPOST_SOUND": "low",
        "BLOCKPOST_PRIORITY": "low",
        "BLOCKPOST_KIND": "physiological",
        "BLOCKPOST_COUNT": "1",
    }
