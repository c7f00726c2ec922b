"""Who is on duty, as those see it who may write to a group."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.rest import duty
from tests.site import Site, a_site
from tests.world import Actor

HOUR = 3_600_000


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with a_site(tmp_path) as made:
        made.clock.now = made.world.now
        yield made


def groups(site: Site, who: Actor) -> list[Any]:
    answer = site.get(who, "/v1/duty")
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["now"] == site.clock.now
    return list(answer.json["groups"])


def group(site: Site, who: Actor) -> Any:
    (only,) = groups(site, who)
    return only


def both(site: Site) -> list[str]:
    return sorted([site.alice.id, site.bob.id])


def plan(site: Site, who: Actor, from_: int, until: int) -> dict[str, Any]:
    """From and until so many hours from now."""
    begins, ends = (site.clock.now + hours * HOUR for hours in (from_, until))
    site.commit(site.admin.plans(site.on_call, begins, ends, account=who.id))
    return {"account": who.id, "begins": begins, "ends": ends}


def test_where_it_is_nobodys_shift_everybody_is_on(site: Site) -> None:
    assert group(site, site.alice) == {
        "id": site.on_call,
        "name": "on call",
        "members": both(site),
        "on": both(site),
        "shifts": [],
    }


def test_whose_shift_it_is_is_on(site: Site) -> None:
    now, later = plan(site, site.bob, -1, 1), plan(site, site.alice, 1, 2)

    told = group(site, site.alice)

    assert (told["members"], told["on"], told["shifts"]) == (both(site), [site.bob.id], [now, later])


def test_what_has_ended_is_not_told(site: Site) -> None:
    plan(site, site.bob, -2, 1)
    site.clock.now += HOUR

    told = group(site, site.alice)

    assert (told["on"], told["shifts"]) == (both(site), [])


def test_a_shift_that_was_taken_over_is_another_ones(site: Site) -> None:
    shift = plan(site, site.bob, -1, 1)
    begins, ends = shift["begins"], shift["ends"]
    site.commit(site.alice.plans(site.on_call, begins, ends, account=site.alice.id, instead=site.bob.id))

    assert group(site, site.bob)["on"] == [site.alice.id]


def test_whoever_was_revoked_is_not_on(site: Site) -> None:
    plan(site, site.bob, -1, 1)
    site.commit(site.admin.revokes(site.bob.id))

    told = group(site, site.alice)

    assert told["members"] == told["on"] == [site.alice.id]


def test_a_device_is_told_of_the_groups_that_it_may_write_to(site: Site) -> None:
    assert group(site, site.fridge)["id"] == site.on_call


def test_others_are_told_of_none_and_an_admin_of_all(site: Site) -> None:
    by_night = site.world.group(site.carol)

    assert [each["id"] for each in groups(site, site.carol)] == [by_night]
    assert [each["id"] for each in groups(site, site.admin)] == [site.on_call, by_night]


def test_a_group_whose_name_was_erased_has_none(site: Site) -> None:
    named = site.admin.groups(site.on_call, site.alice.id)
    site.commit(named)
    site.commit(site.admin.redacts(named))

    assert group(site, site.alice)["name"] is None


def test_groups_come_in_pages(site: Site) -> None:
    by_night = site.world.group(site.carol)

    first = site.get(site.admin, "/v1/duty?limit=1").json
    assert first is not None
    second = site.get(site.admin, f"/v1/duty?limit=1&after={first['next']}").json

    assert second is not None
    assert [page["groups"][0]["id"] for page in (first, second)] == [site.on_call, by_night]
    assert second["next"] is None


def test_so_many_shifts_are_told_and_no_more(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duty, "MOST_SHIFTS", 2)
    shifts = [plan(site, site.bob, hour, hour + 1) for hour in range(3)]

    assert group(site, site.alice)["shifts"] == shifts[:2]
