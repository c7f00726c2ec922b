"""The admin's list of who is in contact with whom."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.site import Site, a_site
from tests.world import Actor


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with a_site(tmp_path) as made:
        yield made


def listed(site: Site, query: str = "") -> dict[str, Any]:
    answer = site.get(site.admin, f"/v1/admin/links{query}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json or {})


def pair(one: Actor | str, other: Actor | str) -> tuple[str, ...]:
    return tuple(sorted(each if isinstance(each, str) else each.id for each in (one, other)))


def test_it_holds_links_contacts_and_requests_as_they_came_to_be(site: Site) -> None:
    (asked,) = site.commit(site.carol.contact("request", site.bob.id))

    page = listed(site)

    assert [((line["one"], line["other"]), line["asked_by"]) for line in page["links"]] == [
        (pair(site.fridge, site.on_call), None),
        (pair(site.alice, site.bob), None),
        (pair(site.bob, site.carol), site.carol.id),
    ]
    assert page["links"][-1]["index"] == asked
    assert page["next"] is None


def test_it_comes_page_by_page(site: Site) -> None:
    site.commit(site.carol.contact("request", site.bob.id))
    first, second, third = (line["index"] for line in listed(site)["links"])
    after, found = -1, []

    while after is not None:
        page = listed(site, f"?after={after}&limit=2")
        found.append([line["index"] for line in page["links"]])
        after = page["next"]

    assert found == [[first, second], [third]]


def test_what_has_ended_is_not_in_it(site: Site) -> None:
    site.commit(site.alice.contact("remove", site.bob.id))

    assert [(line["one"], line["other"]) for line in listed(site)["links"]] == [
        pair(site.fridge, site.on_call)
    ]


def test_only_an_admin_sees_it(site: Site) -> None:
    assert site.get(site.alice, "/v1/admin/links").status_code == 403
