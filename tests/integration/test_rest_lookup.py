"""Finding somebody by handle, to ask them to be a contact."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.site import Site, a_site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with a_site(tmp_path) as made:
        yield made


def test_a_handle_finds_its_account_though_the_two_have_nothing_to_do_with_each_other(site: Site) -> None:
    answer = site.post(site.carol, "/v1/lookup", {"handle": "bob"})

    assert answer.status_code == 200
    assert answer.json == {"account": site.bob.id, "kind": "person", "handle": "bob", "name": "Bob"}


def test_a_device_is_found_too(site: Site) -> None:
    answer = site.post(site.carol, "/v1/lookup", {"handle": "fridge-2"})

    assert answer.json is not None
    assert (answer.json["account"], answer.json["kind"]) == (site.fridge.id, "device")


def test_whom_one_found_one_may_ask(site: Site) -> None:
    found = site.post(site.carol, "/v1/lookup", {"handle": "bob"}).json
    assert found is not None

    asked = site.submit(site.carol, site.carol.contact("request", found["account"]))

    assert asked.status_code == 201


@pytest.mark.parametrize("handle", ["nobody", "Bob", "bo", "bob ", "%", "on call", "a" * 26])
def test_only_exactly_this_handle_is_meant(site: Site, handle: str) -> None:
    answer = site.post(site.carol, "/v1/lookup", {"handle": handle})

    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")


def test_neither_an_id_nor_the_gateway_is_a_handle(site: Site) -> None:
    asked = [site.bob.id, site.world.gateway.id]

    answers = [site.post(site.carol, "/v1/lookup", {"handle": handle}) for handle in asked]

    assert {answer.status_code for answer in answers} == {404}


def test_whoever_was_revoked_is_not_found(site: Site) -> None:
    site.commit(site.admin.revokes(site.bob.id))

    assert site.post(site.carol, "/v1/lookup", {"handle": "bob"}).status_code == 404
