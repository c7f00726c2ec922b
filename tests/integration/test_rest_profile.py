"""The caller's own profile, which has the key backups in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chain import wire
from chain.body import Card
from chain.receipt import Receipt
from tests.site import Site, a_site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with a_site(tmp_path) as made:
        yield made


def test_the_newest_profile_comes_with_its_body_and_proof(site: Site) -> None:
    site.commit(site.profile(site.alice, "another"))
    (newest,) = site.commit(site.profile(site.alice, "a third"))

    answer = site.browser().get("/v1/profile", headers=site.bearer(site.alice))

    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["index"] == newest
    parcel = wire.Parcel(answer.json["entry"], salt=answer.json["salt"], body=answer.json["body"]).load()
    assert parcel.body is not None
    assert parcel.body.read(Card).handle == "alice"
    assert parcel.signed.entry.author == site.alice.id
    Receipt.from_text(answer.json["receipt"]).verify(
        parcel.signed.leaf, origin=site.world.origin, key=site.world.gateway.keys.public
    )


def test_who_never_wrote_one_has_none(site: Site) -> None:
    dave, code = site.world.stranger("dave"), site.world.code()
    invite = site.admin.invites(code, handle="dave")
    site.commit(invite)
    site.commit(dave.joins(invite, code))

    assert site.get(dave, "/v1/profile").status_code == 404


def test_an_erased_one_comes_without_its_body(site: Site) -> None:
    profile = site.profile(site.alice)
    site.commit(profile)
    browser = site.browser(site.alice)
    token = site.bearer(site.alice)

    site.commit(site.alice.redacts(profile))

    answer = site.browser().get("/v1/profile", headers=token)
    assert answer.json is not None
    assert answer.json.keys() == {"index", "entry", "receipt", "committed"}
    assert browser.get("/v1/profile").status_code == 401
