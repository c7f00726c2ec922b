"""Somebody in front of a computer of their own, who gets to know the gateway from the page on port 80."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserType

from bench.browser import ARGUMENTS, NAMES
from tests.browser import Window
from tests.guide.place import GATEWAY, Place
from tests.page import Person

WELCOME = "http://gateway.local/"


@contextmanager
def computer(place: Place, kind: BrowserType, folder: Path) -> Iterator[Browser]:
    """A browser that trusts nobody but the world's, and what is put into its store below `folder`, its home."""
    path = next(filter(None, map(shutil.which, NAMES)))
    assert path, "make chromium installs it"
    starter = folder / "browser"
    entered = f"nsenter --net={place.space} " if place.space else ""
    starter.write_text(f'#!/bin/sh\nexec {entered}{path} "$@"\n', "utf-8")
    starter.chmod(0o755)
    browser = kind.launch(
        executable_path=starter,
        # What a browser does with names that end in .local differs from system to system.
        args=[*ARGUMENTS, f"--host-resolver-rules=MAP gateway.local {GATEWAY}"],
        env={"HOME": str(folder), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
    )
    yield browser
    browser.close()


def introduced(place: Place, kind: BrowserType, folder: Path) -> str:
    """Get the root's certificate from the plain page, and trust it; return the address that the page leads to."""
    certificate = folder / "root.crt"
    with computer(place, kind, folder) as browser:
        page = browser.new_page()
        page.goto(place.here(WELCOME))
        with page.expect_download() as download:
            page.get_by_role("link", name="Download root.crt").click()
        download.value.save_as(certificate)
        address = page.get_by_role("link", name="Open https://").get_attribute("href")
    assert address
    store = folder / ".pki" / "nssdb"
    store.mkdir(parents=True)
    _certutil(store, "-N", "--empty-password")
    _certutil(store, "-A", "-t", "C,,", "-n", "blockpost", "-i", str(certificate))
    return address


def at(browser: Browser, address: str) -> Person:
    return Person(Window(browser, address))


def _certutil(store: Path, *words: str) -> None:
    subprocess.run(["certutil", "-d", f"sql:{store}", *words], check=True, capture_output=True)
