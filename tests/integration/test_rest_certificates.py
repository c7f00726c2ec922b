"""Certificates over REST: who gets one, who may see them, and what tells that they end."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.x509 import load_der_x509_certificate
from prometheus_client.parser import text_string_to_metric_families
from werkzeug.test import TestResponse

from gateway.authority import Denied, NoAuthority
from tests.certificates import request
from tests.offices import HOUR_MS, LanSite
from tests.site import Site, a_site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with a_site(tmp_path) as made:
        yield made


@pytest.fixture
def lan(site: Site, tmp_path: Path) -> LanSite:
    return LanSite(site, tmp_path / "tls")


def problem(answer: TestResponse) -> tuple[int, str]:
    assert answer.json is not None
    return answer.status_code, answer.json["type"].removeprefix("urn:blockpost:problem:")


def ask(lan: LanSite) -> TestResponse:
    fridge = lan.site.fridge
    return lan.site.post(fridge, "/v1/certificates", {"csr": request(fridge.id)})


def test_an_account_gets_one_for_its_token(lan: LanSite) -> None:
    answer = ask(lan)

    assert answer.status_code == 201
    assert answer.json is not None
    assert (answer.json["certificate"], answer.json["crl_until"]) == ("leaf", 3)
    assert lan.office.asked == [("certify", lan.site.fridge.id)]


def test_an_open_page_gets_none(lan: LanSite) -> None:
    browser = lan.site.browser(lan.site.alice)

    answer = browser.post("/v1/certificates", json={"csr": request(lan.site.alice.id)})

    assert answer.status_code == 403
    assert answer.json is not None
    assert answer.json["rule"] == "permission"
    assert lan.office.asked == []


def test_nobody_gets_none_nor_does_whoever_was_revoked(lan: LanSite) -> None:
    stranger = lan.site.browser().post("/v1/certificates", json={"csr": request("x")})
    lan.site.commit(lan.site.admin.revokes(lan.site.fridge.id))

    assert stranger.status_code == ask(lan).status_code == 401
    assert lan.office.asked == []


def test_what_is_no_request_is_not_passed_on(lan: LanSite) -> None:
    for csr in ("", "AAAA", "!", request("x")[:-4]):
        answer = lan.site.post(lan.site.fridge, "/v1/certificates", {"csr": csr})
        assert problem(answer) == (400, "malformed"), csr

    assert lan.office.asked == []


def test_a_refusal_says_what_to_do(lan: LanSite) -> None:
    lan.office.refuses = Denied("its certificate has expired: ask an admin to renew it")

    answer = ask(lan)

    assert problem(answer) == (403, "expired")
    assert "ask an admin" in answer.text


def test_without_an_authority_it_is_to_be_tried_again(lan: LanSite) -> None:
    lan.office.refuses = NoAuthority("the authority does not answer")

    answer = ask(lan)

    assert problem(answer) == (503, "noauthority")
    assert answer.headers["Retry-After"] == "2"


def test_an_account_that_asks_without_end_is_slowed_down_and_no_other(lan: LanSite) -> None:
    said = [ask(lan).status_code for _ in range(6)]
    other = lan.site.post(lan.site.alice, "/v1/certificates", {"csr": request(lan.site.alice.id)})

    assert said == [201] * 5 + [429]
    assert other.status_code == 201


def test_the_root_and_the_list_of_revoked_ones_are_for_everybody(lan: LanSite) -> None:
    root, crl = (lan.site.browser().get(path) for path in ("/root.crt", "/v1/crl"))

    assert load_der_x509_certificate(root.data) == lan.pki.root.certificate
    assert crl.text.startswith("-----BEGIN X509 CRL-----")
    assert crl.content_type == "application/x-pem-file"


def test_an_admin_sees_them_in_pages_with_names(lan: LanSite) -> None:
    site, now = lan.site, lan.site.clock()
    site.commit(site.admin.revokes(site.bob.id))
    lan.office.lines = [
        lan.line(site.alice.id, until=now + HOUR_MS),
        lan.line(site.bob.id, until=now - HOUR_MS),
        lan.line(site.fridge.id, until=now - HOUR_MS),
    ]
    told, after = {}, ""
    while after is not None:
        answer = site.get(site.admin, f"/v1/admin/certificates?limit=1&after={after}")
        assert answer.json is not None
        (line,) = answer.json["certificates"]
        told[line["account"]] = (line["handle"], line["live"], line["expired"])
        after = answer.json["next"]

    assert told == {
        site.alice.id: ("alice", True, False),
        site.bob.id: ("bob", False, False),  # it needs none any more
        site.fridge.id: ("fridge-2", True, True),
    }


def test_an_admin_lets_an_account_renew(lan: LanSite) -> None:
    fridge = lan.site.fridge.id

    answer = lan.site.post(lan.site.admin, f"/v1/admin/certificates/{fridge}/renew", {})

    assert (answer.status_code, answer.json) == (200, {"until": 5})
    assert lan.office.asked == [("renew", fridge)]


def test_there_is_nothing_to_renew_for_who_is_not_there(lan: LanSite) -> None:
    site = lan.site
    site.commit(site.admin.revokes(site.bob.id))
    for account in ("x", site.bob.id):
        answer = site.post(site.admin, f"/v1/admin/certificates/{account}/renew", {})
        assert problem(answer) == (404, "missing")
    lan.office.refuses = Denied("it never had one")

    assert problem(site.post(site.admin, f"/v1/admin/certificates/{site.carol.id}/renew", {})) == (
        404,
        "missing",
    )


@pytest.mark.parametrize("path", ["/v1/admin/certificates", "/v1/admin/certificates/x/renew"])
def test_nobody_else_is_asked_for(lan: LanSite, path: str) -> None:
    method = "POST" if path.endswith("renew") else "GET"

    answer = lan.site.browser().open(path, method=method, headers=lan.site.bearer(lan.site.alice), json={})

    assert answer.status_code == 403
    assert lan.office.asked == []


@pytest.mark.parametrize("path", ["/v1/crl", "/root.crt", "/v1/admin/certificates"])
def test_a_gateway_on_its_own_machine_has_none(site: Site, path: str) -> None:
    assert problem(site.get(site.admin, path)) == (404, "missing")
    assert problem(site.post(site.admin, "/v1/certificates", {"csr": request("x")})) == (404, "missing")


# What ends


def metrics(site: Site) -> dict[tuple[str, str], float]:
    text = site.browser().get("/metrics").text
    return {
        (sample.name, sample.labels.get("name", "")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def at(lan: LanSite, *, before: datetime) -> None:
    """Two minutes before."""
    lan.site.clock.now = int((before - timedelta(minutes=2)).timestamp() * 1000)


def test_metrics_tell_how_long_each_still_holds(lan: LanSite) -> None:
    until = datetime(2031, 5, 1, tzinfo=UTC)
    lan.pki.revoke(until=until)
    lan.pki.serve(["gateway.test"], until=until + timedelta(hours=1))
    at(lan, before=until)

    told = metrics(lan.site)

    assert told["blockpost_crl_seconds", ""] == 120
    assert told["blockpost_certificate_seconds", "server"] == 3720
    assert {name for key, name in told if key == "blockpost_certificate_seconds"} == {
        "server",
        "issuing",
        "root",
    }


def test_metrics_make_nothing_up(lan: LanSite, site: Site) -> None:
    assert lan.site.lan is not None
    for path in (lan.site.lan.files.crl, lan.site.lan.files.server):
        path.write_text("nothing")

    told = metrics(site)

    assert ("blockpost_crl_seconds", "") not in told
    assert ("blockpost_certificate_seconds", "server") not in told
    assert ("blockpost_certificate_seconds", "root") in told


def test_a_gateway_on_its_own_machine_tells_of_none(site: Site) -> None:
    assert not [name for name, _ in metrics(site) if "crl" in name or "certificate" in name]


def test_it_is_unwell_once_the_list_has_expired_and_well_with_a_new_one(lan: LanSite) -> None:
    until = datetime(2031, 5, 1, tzinfo=UTC)
    lan.pki.revoke(until=until)
    at(lan, before=until)
    before = lan.site.browser().get("/healthz").status_code
    at(lan, before=until + timedelta(minutes=3))
    expired = lan.site.browser().get("/healthz")
    lan.pki.revoke(until=until + timedelta(days=30))
    after = lan.site.browser().get("/healthz").status_code

    assert (before, after) == (200, 200)
    assert problem(expired) == (503, "unwell")
    assert "revoked certificates expired on 2031-05-01" in expired.text
    assert "the authority" in expired.text


def test_nor_is_it_well_without_a_list(lan: LanSite) -> None:
    assert lan.site.lan is not None
    lan.site.lan.files.crl.unlink()

    assert problem(lan.site.browser().get("/healthz")) == (503, "unwell")
