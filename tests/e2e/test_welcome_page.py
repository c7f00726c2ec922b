"""The welcome page in a browser that has never been here: how it looks, and where it leads."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from gateway import tls
from gateway.expiry import certificates
from gateway.site import Site
from tests.browser import Window
from tests.integration.test_welcome import a_gateway, is_open, running, until
from tests.look import look_at


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = a_gateway(tmp_path_factory.mktemp("made") / "site")
    with running(made):
        until(lambda: is_open(made))
        yield made


@pytest.fixture
def window(site: Site, browser: Browser) -> Iterator[Window]:
    opened = Window(browser, f"http://127.0.0.1:{site.settings.welcome_port}")
    yield opened
    assert opened.complaints == opened.foreign == []
    opened.close()


def test_it_can_be_read_by_everybody_in_every_form(window: Window) -> None:
    look_at(window.page, "welcome")
    for summary in window.page.locator("summary").all():
        summary.press("Enter")
    assert window.page.locator("details[open]").count() == 6

    look_at(window.page, "welcome-steps")


def test_its_fingerprint_is_that_of_the_file_that_it_offers(
    window: Window, site: Site, tmp_path: Path
) -> None:
    with window.page.expect_download() as downloading:
        window.page.get_by_role("link", name="Download root.crt").click()
    downloading.value.save_as(tmp_path / "root.crt")

    shown = window.page.locator(".print").inner_text().split()
    root = certificates(site.certificates.root)[0]
    assert ":".join(shown) == tls.fingerprint(root)
    assert downloading.value.suggested_filename == "root.crt"


def test_it_leads_to_the_gateway(window: Window, site: Site) -> None:
    address = f"https://gateway.test:{site.settings.http_port}/"

    assert window.page.get_by_role("link", name=f"Open {address}").get_attribute("href") == address
