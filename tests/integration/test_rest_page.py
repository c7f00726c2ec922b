"""The page as a browser gets it."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from tests.site import Site, a_site

HTML = "<!doctype html><title>Blockpost</title>" + "<p>" * 100
SCRIPT = "export const word = 'word';\n" * 100
ICON = "<svg xmlns='http://www.w3.org/2000/svg'/>"
FONT = bytes(range(256)) * 4


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """With a page that was built."""
    assets = tmp_path / "static" / "assets"
    assets.mkdir(parents=True)
    (assets.parent / "index.html").write_text(HTML)
    (assets.parent / "icon.svg").write_text(ICON)
    (assets.parent / "manifest.webmanifest").write_text('{"name":"Blockpost"}')
    (assets / "index-4f1c.js").write_text(SCRIPT)
    (assets / "text-9a2b.woff2").write_bytes(FONT)
    with a_site(tmp_path) as made:
        yield made


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Site]:
    """Of which no page was built."""
    with a_site(tmp_path) as made:
        yield made


def get(site: Site, path: str, **headers: str) -> TestResponse:
    return site.browser().get(path, headers=headers)


def policy_of(answer: TestResponse) -> dict[str, str]:
    parts = answer.headers["Content-Security-Policy"].split("; ")
    return dict(part.split(" ", 1) for part in parts)


def test_anybody_gets_the_page(site: Site) -> None:
    answer = get(site, "/")

    assert (answer.status_code, answer.text) == (200, HTML)
    assert answer.content_type == "text/html; charset=utf-8"


def test_the_page_runs_and_loads_nothing_but_its_own(site: Site) -> None:
    policy = policy_of(get(site, "/"))

    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["base-uri"] == policy["form-action"] == policy["frame-ancestors"] == "'none'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert policy["trusted-types"] == "'none'"
    assert "unsafe" not in str(policy)


def test_the_page_keeps_to_itself(site: Site) -> None:
    headers = get(site, "/").headers

    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert {"camera=()", "microphone=()", "geolocation=()"} <= set(headers["Permissions-Policy"].split(", "))


@pytest.mark.parametrize("path", ["/", "/assets/index-4f1c.js", "/icon.svg", "/check"])
def test_another_site_can_embed_nothing(site: Site, path: str) -> None:
    headers = get(site, path).headers

    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("path", "media"),
    [
        ("/assets/index-4f1c.js", "text/javascript; charset=utf-8"),
        ("/assets/text-9a2b.woff2", "font/woff2"),
        ("/icon.svg", "image/svg+xml"),
        ("/manifest.webmanifest", "application/manifest+json"),
    ],
)
def test_each_file_comes_under_its_own_type(site: Site, path: str, media: str) -> None:
    answer = get(site, path)

    assert (answer.status_code, answer.content_type) == (200, media)


def test_what_is_named_after_its_hash_is_kept_and_all_else_is_asked_for_again(site: Site) -> None:
    kept = {
        path: get(site, path).headers["Cache-Control"] for path in ("/", "/icon.svg", "/assets/index-4f1c.js")
    }

    assert kept == {
        "/": "no-cache",
        "/icon.svg": "no-cache",
        "/assets/index-4f1c.js": "public, max-age=31536000, immutable",
    }


@pytest.mark.parametrize("accepts", ["gzip, deflate, br", "*", "br;q=1, gzip;q=0.5"])
def test_it_comes_packed_for_who_takes_that(site: Site, accepts: str) -> None:
    answer = get(site, "/assets/index-4f1c.js", Accept_Encoding=accepts)

    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert int(answer.headers["Content-Length"]) == len(answer.data) < len(SCRIPT)
    assert gzip.decompress(answer.data).decode() == SCRIPT


@pytest.mark.parametrize("accepts", ["identity", "gzip;q=0", "br"])
def test_and_as_it_is_for_who_does_not(site: Site, accepts: str) -> None:
    answer = get(site, "/assets/index-4f1c.js", Accept_Encoding=accepts)

    assert "Content-Encoding" not in answer.headers
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert answer.text == SCRIPT


def test_what_would_not_get_smaller_is_not_packed(site: Site) -> None:
    answer = get(site, "/assets/text-9a2b.woff2", Accept_Encoding="gzip")

    assert {"Content-Encoding", "Vary"}.isdisjoint(answer.headers)
    assert answer.data == FONT


@pytest.mark.parametrize("accepts", ["gzip", "identity"])
def test_who_has_it_already_is_told_so(site: Site, accepts: str) -> None:
    first = get(site, "/", Accept_Encoding=accepts)

    again = get(site, "/", Accept_Encoding=accepts, If_None_Match=first.headers["ETag"])
    other = get(site, "/", Accept_Encoding=accepts, If_None_Match='W/"other"')

    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert policy_of(again) == policy_of(first)
    assert (other.status_code, other.data) == (200, first.data)


@pytest.mark.parametrize("path", ["/", "/assets/index-4f1c.js", "/icon.svg"])
def test_one_may_ask_for_the_headers_alone(site: Site, path: str) -> None:
    answer = site.browser().head(path)

    assert (answer.status_code, answer.data) == (200, b"")
    assert answer.headers["Content-Length"] == get(site, path).headers["Content-Length"]


@pytest.mark.parametrize(
    "path",
    [
        "/index.html",
        "/home",
        "/assets",
        "/assets/",
        "/assets/other.js",
        "/assets/..%2findex.html",
        "/assets/../chain.db",
        "/%2e%2e/sessions.db",
        "/assets/index-4f1c.js/",
    ],
)
def test_nothing_else_is_the_page(site: Site, path: str) -> None:
    answer = get(site, path)

    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")


def test_what_changes_on_the_disk_does_not_change_what_is_served(site: Site) -> None:
    (site.static / "icon.svg").write_text("<svg/>")
    (site.static / "new.svg").write_text("<svg/>")

    assert get(site, "/icon.svg").text == ICON
    assert get(site, "/new.svg").status_code == 404


def test_where_no_page_was_built_it_says_how_to(bare: Site) -> None:
    answer = get(bare, "/")

    assert (answer.status_code, answer.content_type) == (503, "application/problem+json")
    assert "make page" in answer.text
    assert get(bare, "/assets/index.js").status_code == 404
