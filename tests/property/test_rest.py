"""Whatever anybody sends, the gateway keeps its composure."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from gateway.rest.tiles import path_of
from tests.offices import LanSite
from tests.site import Site, a_site, parcel_of


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    assets = folder / "static" / "assets"
    assets.mkdir(parents=True)
    (assets / "a.js").write_text("1;" * 100)
    (assets.parent / "index.html").write_text("<!doctype html>")
    with a_site(folder) as made:
        LanSite(made, folder / "tls")
        yield made


PATHS = [
    "/",
    "/assets/",
    "/assets/a.js",
    "/check",
    "/login",
    "/logout",
    "/friendslist",
    "/messages",
    "/v1/login/salt",
    "/v1/lookup",
    "/v1/profile",
    "/healthz",
    "/metrics",
    "/openapi.json",
    "/docs",
    "/v1/sessions",
    "/v1/sessions/",
    f"/v1/sessions/{'A' * 22}/end",
    "/v1/site",
    "/v1/certificates",
    "/v1/crl",
    "/root.crt",
    "/v1/admin/certificates",
    "/v1/admin/certificates/",
    "/v1/accounts",
    "/v1/invites",
    "/v1/accounts/",
    "/v1/entries",
    "/v1/entries/",
    "/v1/intents",
    "/v1/inbox",
    "/v1/alerts",
    "/v1/alerts/",
    "/v1/alerts/load",
    "/v1/duty",
    "/v1/contracts",
    "/v1/admin/contracts/check",
    "/v1/events",
    "/checkpoint",
    "/tile/",
    "/tile/0/",
    "/v1/chain/consistency",
    "/v1/chain/blocks/",
    "/v1/admin/accounts",
    "/v1/admin/invites",
    "/v1/admin/audit",
    "/v1/admin/chain",
    "/v1/admin/chain/download",
    "/v1/admin/groups",
    "/v1/admin/joins",
    "/v1/admin/joins/",
    f"/v1/admin/joins/{'a' * 8}/confirm",
    f"/v1/admin/joins/{'a' * 8}/cancel",
    "/v1/admin/links",
    "/v1/admin/refusals",
    "/v1/admin/sessions",
    "/v1/admin/sessions/",
]

SPARED = {"/v1/admin/chain/verify"}
"""Each time, it would start a process."""

METHODS = st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])

pieces = st.text(max_size=12).map(lambda text: quote(text.encode("utf-8", "surrogatepass"))) | st.binary(
    max_size=8
).map(quote)
paths = st.builds(
    lambda known, rest: known + rest, st.sampled_from(PATHS), st.just("") | pieces
) | pieces.map("/{}".format)
names = ["after", "limit", "all", "from", "to", "before"]
queries = st.dictionaries(
    st.sampled_from(names) | st.text(max_size=4), st.integers().map(str) | st.text(max_size=6), max_size=3
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
fields = st.sampled_from(
    ["handle", "key", "friend", "before", "limit", "to", "entry", "salt", "body", "after", "csr"]
) | st.text(max_size=4)
documents = st.dictionaries(fields, scalars | st.lists(scalars, max_size=2), max_size=4)
header_text = st.text(
    st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=30
)


headers = st.fixed_dictionaries(
    {},
    optional={
        "Accept-Encoding": header_text | header_text.map("gzip;q={}".format),
        "Authorization": header_text | header_text.map("Bearer {}".format),
        "Cookie": header_text | header_text.map("blockpost_session={}".format),
        "Last-Event-ID": header_text | st.integers().map(str),
        "Origin": header_text,
        "Host": header_text,
        "If-None-Match": header_text | header_text.map('W/"{}"'.format),
        "User-Agent": header_text,
    },
)
requests = {"method": METHODS, "path": paths, "query_string": queries}
bodies: st.SearchStrategy[dict[str, Any]] = st.builds(dict, json=documents) | st.builds(
    dict, data=st.binary(max_size=100), content_type=st.just("application/json") | header_text
)


def check(answer: TestResponse) -> None:
    assert answer.status_code < 500, answer.text
    assert answer.status_code < 400 or answer.content_type == "application/problem+json"
    answer.close()


def test_no_route_is_left_out(site: Site) -> None:
    beginnings = {rule.rule.partition("<")[0] for rule in site.app.url_map.iter_rules()}

    assert beginnings - SPARED <= set(PATHS)


@settings(deadline=None)
@given(request=st.fixed_dictionaries(requests), headers=headers, body=bodies)
def test_no_bytes_bring_it_down(
    site: Site, request: dict[str, Any], headers: dict[str, str], body: dict[str, Any]
) -> None:
    # With a base, the client does not take a path of two slashes for the name of a host.
    client = site.app.test_client()
    check(client.open(**request, **body, headers=headers, base_url="http://localhost", buffered=False))


@settings(deadline=None)
@given(request=st.fixed_dictionaries(requests), headers=headers, body=bodies)
def test_nor_do_those_of_somebody_who_is_logged_in(
    site: Site, request: dict[str, Any], headers: dict[str, str], body: dict[str, Any]
) -> None:
    mine = headers | site.bearer(site.admin)

    check(site.app.test_client().open(**request, **body, headers=mine, buffered=False))


@settings(deadline=None)
@given(
    field=st.sampled_from(["entry", "salt", "body"]),
    place=st.integers(min_value=0, max_value=3000),
    letter=st.characters(codec="utf-8"),
)
def test_a_parcel_with_one_letter_changed_is_refused_or_the_same(
    site: Site, field: str, place: int, letter: str
) -> None:
    parcel = parcel_of(site.alice.writes(site.bob.id))
    text = parcel[field]
    place %= len(text)
    changed = parcel | {field: text[:place] + letter + text[place + 1 :]}

    answer = site.post(site.alice, "/v1/entries", changed)

    assert (answer.status_code == 201) == (changed == parcel)
    check(answer)


@given(st.integers(min_value=0, max_value=10**12))
def test_a_tiles_number_is_read_from_its_path(number: int) -> None:
    digits = path_of(number).replace("x", "").replace("/", "")

    assert int(digits) == number
    assert len(digits) % 3 == 0
