"""Alerts as those see them whom they concern, and whom they have come to concern; and to whom one may escalate."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from msgspec import structs

from chain import entry
from chain.api import LoadPage
from chain.contracts.terms import Escalate, EscalateParams, Step
from chain.entry import Alert, Contract, Message
from chain.store import Uptime
from chain.wire import Submission
from gateway import uptime
from gateway.rest import alerts
from tests.site import Site, a_site
from tests.world import DAY, START, Actor, Source

MINUTE = 60_000
WEEK = 7 * DAY


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """An alert of `fridge` to the group on call comes to `carol` after a minute, and to that group again after another."""
    with a_site(tmp_path) as made:
        made.commit(made.admin.installs("ladder", ladder(made.carol.id, made.on_call)))
        yield made


def ladder(*parties: str, when: str = "is_alert", resolve_within: int | None = None) -> Escalate:
    steps = [Step(party, 60) for party in parties]
    params = EscalateParams(steps=steps, wait=60, laps=2, resolve_within=resolve_within)
    return Escalate(version=1, when=when, params=params)


def raised(site: Site) -> Submission:
    """An alert, and the web server's clock is that of its block."""
    alarm = site.fridge.alerts(site.on_call)
    site.commit(alarm)
    site.clock.now = site.world.chain.head.timestamp
    return alarm


def passed(site: Site, seconds: float) -> None:
    site.world.passes(seconds)
    site.clock.now = site.world.chain.head.timestamp


def lines(site: Site, who: Actor) -> list[Any]:
    answer = site.get(who, "/v1/alerts")
    assert answer.status_code == 200, answer.text
    assert answer.json is not None
    return list(answer.json["alerts"])


def line(site: Site, who: Actor) -> Any:
    (only,) = lines(site, who)
    return only


def entries(site: Site, who: Actor, message: Submission) -> list[Any]:
    """The entries of an alert, in their order."""
    answer = site.get(who, f"/v1/alerts/{message.signed.entry.id}/entries")
    assert answer.status_code == 200, answer.text
    assert answer.json is not None
    return [entry.parse(each["entry"].encode()).entry for each in answer.json["entries"]]


def header_of(alarm: Submission) -> Alert:
    said = alarm.signed.entry
    assert isinstance(said, Message)
    assert said.alert is not None
    return said.alert


def goes_on(site: Site, alarm: Submission, state: Literal["continue", "end"] = "continue") -> Submission:
    """A further message of the alert."""
    message = site.fridge.writes(site.on_call, alert=structs.replace(header_of(alarm), state=state))
    site.commit(message)
    return message


# GET /v1/alerts


def test_an_alert_is_told_of_to_whom_it_concerns(site: Site) -> None:
    alarm = raised(site)

    told = line(site, site.alice)

    steps = [
        {"to": site.carol.id, "name": "Carol", "after": 60},
        {"to": site.on_call, "name": "on call", "after": 60},
    ]
    assert told == {
        "id": alarm.signed.entry.id,
        "author": site.fridge.id,
        "episode": header_of(alarm).episode,
        "to": site.on_call,
        "priority": "high",
        "kind": "physiological",
        "active": True,
        "began": site.world.chain.head.timestamp,
        "taken_by": None,
        "taken_at": None,
        "resolved": False,
        "snoozed_until": None,
        "contract": "ladder",
        "step": None,
        "lap": None,
        "steps": steps,
        "due_in": MINUTE,
        "nobody": False,
        "concerns": [site.on_call],
    }
    assert told == line(site, site.bob)


def test_nobody_else_is_told(site: Site) -> None:
    raised(site)

    assert lines(site, site.carol) == lines(site, site.admin) == lines(site, site.fridge) == []


def test_whom_a_step_names_is_told_from_then_on(site: Site) -> None:
    raised(site)
    passed(site, 61)

    told = line(site, site.carol)

    assert (told["step"], told["lap"], told["due_in"]) == (0, 0, MINUTE)
    assert told["concerns"] == sorted([site.on_call, site.carol.id])


def test_it_says_how_far_the_escalation_has_come(site: Site) -> None:
    raised(site)
    seen = []
    for seconds in (61, 61, 121, 61, 61):
        passed(site, seconds)
        told = line(site, site.alice)
        seen.append((told["step"], told["lap"], told["due_in"], told["nobody"]))

    assert seen == [
        (0, 0, MINUTE, False),
        (1, 0, 2 * MINUTE, False),
        (0, 1, MINUTE, False),
        (1, 1, MINUTE, False),
        (1, 1, None, True),
    ]


def test_what_is_due_comes_nearer_as_time_passes(site: Site) -> None:
    raised(site)
    site.clock.now += 20_000

    assert line(site, site.alice)["due_in"] == MINUTE - 20_000


@pytest.mark.parametrize(("moved", "due_in"), [(-DAY, MINUTE), (DAY, 0)], ids=["back", "ahead"])
def test_a_clock_that_jumped_never_makes_it_less_than_nothing(site: Site, moved: int, due_in: int) -> None:
    raised(site)
    site.clock.now += moved

    assert line(site, site.alice)["due_in"] == due_in


@pytest.mark.parametrize("moved", [-DAY, DAY], ids=["back", "ahead"])
def test_since_the_machine_was_started_its_uptime_counts_and_no_other_clock(
    site: Site, monkeypatch: pytest.MonkeyPatch, moved: int
) -> None:
    raised(site)
    site.clock.now += moved
    site.world.chain.store.write_uptime(Uptime("this boot", 1_000_000), site.world.chain.head.clock)
    monkeypatch.setattr(uptime, "now", lambda: Uptime("this boot", 1_020_000))

    assert line(site, site.alice)["due_in"] == MINUTE - 20_000


def test_taken_it_says_by_whom_and_waits_for_nothing(site: Site) -> None:
    alarm = raised(site)
    site.commit(site.alice.answers(alarm))

    told = line(site, site.bob)

    assert (told["taken_by"], told["taken_at"]) == (site.alice.id, site.world.chain.head.timestamp)
    assert (told["due_in"], told["resolved"]) == (None, False)


def test_taken_it_may_wait_to_be_resolved(site: Site) -> None:
    site.commit(site.admin.installs("ladder", ladder(site.carol.id, resolve_within=600)))
    alarm = raised(site)
    site.commit(site.alice.answers(alarm))
    site.clock.now = site.world.chain.head.timestamp

    assert line(site, site.bob)["due_in"] == 600_000


def test_snoozed_it_says_until_when(site: Site) -> None:
    alarm = raised(site)
    until = site.world.now + 10 * MINUTE
    site.commit(site.bob.answers(alarm, "snoozed", until=until, reason="care"))
    site.clock.now = site.world.chain.head.timestamp

    told = line(site, site.alice)

    assert told["snoozed_until"] == until
    assert told["due_in"] == until - site.clock.now


def test_without_a_contract_nothing_is_due(site: Site) -> None:
    site.commit(site.admin.removes("ladder"))
    raised(site)

    told = line(site, site.alice)

    assert (told["contract"], told["steps"], told["due_in"]) == (None, [], None)


def test_what_is_over_is_listed_for_a_day(site: Site) -> None:
    alarm = raised(site)
    site.commit(site.alice.answers(alarm))
    goes_on(site, alarm, state="end")
    site.clock.now = site.world.chain.head.timestamp + DAY - 1

    assert not line(site, site.alice)["active"]
    site.clock.now += 1
    assert lines(site, site.alice) == []


def test_what_nobody_answered_stays_listed(site: Site) -> None:
    alarm = raised(site)
    goes_on(site, alarm, state="end")
    site.clock.now += 30 * DAY

    assert line(site, site.alice)["id"] == alarm.signed.entry.id


def test_the_newest_come_first_and_there_is_an_end(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alerts, "MOST_ALERTS", 2)
    alarms = [raised(site) for _ in range(3)]

    answer = site.get(site.alice, "/v1/alerts")

    assert answer.json is not None
    newest = [alarm.signed.entry.id for alarm in alarms[:0:-1]]
    assert ([each["id"] for each in answer.json["alerts"]], answer.json["more"]) == (newest, True)


def test_there_is_no_more_than_there_is(site: Site) -> None:
    raised(site)

    answer = site.get(site.alice, "/v1/alerts")

    assert answer.json is not None
    assert answer.json["more"] is False


# GET /v1/alerts/<entry_id>/entries


def test_whom_a_step_named_gets_what_came_before(site: Site) -> None:
    alarm = raised(site)
    goes_on(site, alarm)
    site.commit(site.alice.answers(alarm, "seen"))
    passed(site, 61)

    told = entries(site, site.carol, alarm)

    assert [entry.type_of(each) for each in told] == ["message", "message", "status"]
    assert told == entries(site, site.alice, alarm) == entries(site, site.fridge, alarm)
    assert told[0] == alarm.signed.entry


def test_each_comes_with_its_body_and_its_proof(site: Site) -> None:
    alarm = raised(site)
    passed(site, 61)

    answer = site.get(site.carol, f"/v1/alerts/{alarm.signed.entry.id}/entries")
    alone = site.get(site.carol, f"/v1/entries/{alarm.signed.entry.id}")

    assert answer.json is not None
    assert answer.json == {"entries": [alone.json], "more": False}
    assert alone.json is not None
    assert alone.json["body"]
    assert alone.json["receipt"]


def test_any_of_its_messages_stands_for_it(site: Site) -> None:
    alarm = raised(site)
    further = goes_on(site, alarm)

    assert entries(site, site.alice, further) == entries(site, site.alice, alarm)


def test_whom_it_does_not_concern_gets_nothing(site: Site) -> None:
    alarm = raised(site)
    path = f"/v1/alerts/{alarm.signed.entry.id}/entries"

    assert site.get(site.carol, path).status_code == 404
    assert site.get(site.admin, path).status_code == 404


@pytest.mark.parametrize("name", ["x", "0199f6a0-0000-7000-8000-000000000000"])
def test_there_is_no_such_alert(site: Site, name: str) -> None:
    assert site.get(site.alice, f"/v1/alerts/{name}/entries").status_code == 404


def test_a_message_that_is_no_alert_has_no_such_entries(site: Site) -> None:
    letter = site.alice.writes(site.bob.id)
    site.commit(letter)

    assert site.get(site.bob, f"/v1/alerts/{letter.signed.entry.id}/entries").status_code == 404


def test_of_a_long_one_the_first_message_and_the_newest_come(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alerts, "LARGEST_PAGE", 3)
    alarm = raised(site)
    further = [goes_on(site, alarm) for _ in range(5)]

    answer = site.get(site.alice, f"/v1/alerts/{alarm.signed.entry.id}/entries")

    assert answer.json is not None
    assert answer.json["more"] is True
    kept = [alarm, *further[-3:]]
    assert entries(site, site.alice, alarm) == [each.signed.entry for each in kept]


def test_of_a_large_one_the_newest_come_that_there_is_room_for(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    alarm = raised(site)
    further = [goes_on(site, alarm) for _ in range(5)]
    monkeypatch.setattr(alerts, "BUDGET", 3 * (len(alarm.signed.leaf) + 20) + 60)

    told = entries(site, site.alice, alarm)

    assert told == [each.signed.entry for each in (alarm, *further[-2:])]


def test_whom_a_step_named_may_check_who_wrote_it(site: Site) -> None:
    alarm = raised(site)
    site.commit(site.alice.answers(alarm, "seen"))
    before = [site.get(site.carol, f"/v1/accounts/{who.id}").status_code for who in (site.fridge, site.alice)]
    passed(site, 61)

    after = [site.get(site.carol, f"/v1/accounts/{who.id}").status_code for who in (site.fridge, site.alice)]

    assert (before, after) == ([404, 404], [200, 200])
    assert site.get(site.alice, f"/v1/accounts/{site.carol.id}").status_code == 200


# GET /v1/alerts/load


def load(site: Site, who: Actor) -> list[Any]:
    answer = site.get(who, "/v1/alerts/load")
    assert answer.status_code == 200
    assert answer.json is not None
    return list(answer.json["weeks"])


def test_the_load_is_counted_by_week_and_author(site: Site) -> None:
    taken, resolved, _open = raised(site), raised(site), raised(site)
    site.commit(site.alice.answers(taken), site.bob.answers(resolved, "resolved"))
    at = site.world.chain.head.timestamp
    monday = at - (at - 4 * DAY) % WEEK

    waited = at - _began(site, resolved)
    (told,) = load(site, site.alice)

    assert told == {
        "author": site.fridge.id,
        "week": monday,
        "alerts": 3,
        "technical": 0,
        "taken": 2,
        "nobody": 0,
        "median_ms": waited,
    }


def _began(site: Site, alarm: Submission) -> int:
    found = site.world.chain.store.find(alarm.signed.entry.id)
    assert found is not None
    return site.world.chain.store.time_of(found[0])


def test_what_nobody_answered_and_what_was_technical_is_counted_apart(site: Site) -> None:
    site.commit(
        site.fridge.writes(
            site.on_call, alert=Alert(entry.new_stream(Source("a")), "technical", "low", "start")
        )
    )
    for _ in range(6):
        passed(site, 600)

    (told,) = load(site, site.alice)

    assert (told["alerts"], told["technical"], told["nobody"]) == (1, 1, 1)
    assert (told["taken"], told["median_ms"]) == (0, None)


def test_an_admin_sees_the_load_of_all_and_others_their_own(site: Site) -> None:
    raised(site)

    assert load(site, site.carol) == []
    assert [each["author"] for each in load(site, site.admin)] == [site.fridge.id]


def test_what_is_older_than_a_quarter_is_not_counted(site: Site) -> None:
    raised(site)
    site.clock.now += 13 * WEEK

    assert load(site, site.alice) == []


def test_the_newest_week_comes_first_and_begins_on_monday(site: Site) -> None:
    raised(site)
    site.world.now += WEEK
    raised(site)

    weeks = [each["week"] for each in load(site, site.alice)]

    assert weeks == sorted(weeks, reverse=True)
    assert weeks[0] - weeks[1] == WEEK
    assert {(week // DAY + 3) % 7 for week in weeks} == {0}


def test_no_alerts_are_no_load() -> None:
    assert alerts.loads([]) == LoadPage([])


# POST /v1/intents


HIGH = {"kind": "physiological", "priority": "high"}


def intent(site: Site, who: Actor, to: str, **says: Any) -> Any:
    answer = site.post(who, "/v1/intents", {"to": to} | says)
    assert answer.status_code == 200, answer.text
    return answer.json


def test_the_escalation_of_an_alert_is_told_with_its_proof(site: Site) -> None:
    told = intent(site, site.fridge, "on call", alert=HIGH)

    escalation = told["escalation"]
    said = entry.parse(escalation["contract"]["entry"].encode()).entry
    assert isinstance(said, Contract)
    assert (said.contract, said.author) == ("ladder", site.admin.id)
    assert escalation["admin"]["account"] == site.admin.id
    assert [party["to"] for party in escalation["parties"]] == [site.carol.id, site.on_call]
    carol, on_call = escalation["parties"]
    assert [party["account"] for party in carol["recipients"]] == carol["on_duty"] == [site.carol.id]
    assert (carol["group"], carol["admin"]) == (None, None)
    assert {key: on_call[key] for key in ("recipients", "group", "admin", "on_duty")} == {
        key: told[key] for key in ("recipients", "group", "admin", "on_duty")
    }


def test_what_is_no_alert_has_no_escalation(site: Site) -> None:
    assert intent(site, site.fridge, "on call")["escalation"] is None


@pytest.mark.parametrize(
    ("when", "is_meant"),
    [
        ('priority == "high" && kind == "physiological" && state == "start"', True),
        ('author_kind == "device" && is_group && !is_reply', True),
        ('priority == "low"', False),
        ("size / 0 > 1", True),
    ],
)
def test_the_contract_is_the_one_whose_guard_holds_or_cannot_be_judged(
    site: Site, when: str, *, is_meant: bool
) -> None:
    site.commit(site.admin.installs("ladder", ladder(site.carol.id, when=when)))

    told = intent(site, site.fridge, "on call", alert=HIGH)

    assert (told["escalation"] is not None) == is_meant
    raised(site)
    assert (line(site, site.alice)["contract"] is not None) == is_meant


def test_who_is_on_duty_comes_first(site: Site) -> None:
    accounts = [each["account"] for each in intent(site, site.fridge, "on call")["recipients"]]
    last = site.alice if accounts[-1] == site.alice.id else site.bob
    site.commit(site.admin.plans(site.on_call, START, site.clock() + 1, account=last.id))

    told = intent(site, site.fridge, "on call")

    assert [each["account"] for each in told["recipients"]] == accounts[::-1]
    assert told["on_duty"] == [last.id]


def test_a_party_in_which_nobody_has_a_key_is_left_out(site: Site) -> None:
    site.commit(site.admin.revokes(site.carol.id, key=site.carol.keys.kid))

    told = intent(site, site.fridge, "on call", alert=HIGH)

    assert [party["to"] for party in told["escalation"]["parties"]] == [site.on_call]


def test_an_alert_may_be_handed_on_to_whom_it_concerns_though_they_are_no_contacts(site: Site) -> None:
    alarm = raised(site)
    ask = {"to": site.carol.id, "re": alarm.signed.entry.id}
    assert site.post(site.alice, "/v1/intents", ask).status_code == 403
    passed(site, 61)

    told = intent(site, site.alice, site.carol.id, re=alarm.signed.entry.id)

    assert [each["account"] for each in told["recipients"]] == [site.carol.id]
    assert told["escalation"] is not None
    assert site.submit(site.alice, site.alice.writes(site.carol.id, re=ask["re"])).status_code == 201
    assert site.post(site.alice, "/v1/intents", {"to": site.carol.id}).status_code == 403


def test_nobody_hands_on_what_they_may_not_read(site: Site) -> None:
    alarm = raised(site)
    ask = {"to": site.on_call, "re": alarm.signed.entry.id}

    assert site.post(site.carol, "/v1/intents", ask).status_code == 403
    assert site.post(site.admin, "/v1/intents", ask).status_code == 403


@pytest.mark.parametrize(
    "body",
    [
        {"to": "bob", "alert": {"kind": "physiological"}},
        {"to": "bob", "alert": HIGH | {"state": "start"}},
        {"to": "bob", "alert": {"kind": "odd", "priority": "high"}},
        {"to": "bob", "re": "x"},
    ],
)
def test_an_intent_of_another_form_is_malformed(site: Site, body: dict[str, Any]) -> None:
    assert site.post(site.alice, "/v1/intents", body).status_code == 400
