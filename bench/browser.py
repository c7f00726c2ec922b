"""The system's Chromium, driven by Playwright: the page is measured, and tested, in the browser that people use."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bench import part
from bench.errors import BenchError

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    # In a container, as root, there is no sandbox; and it is to talk to nobody but our gateway.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def chromium(*more: str) -> Iterator["Browser"]:
    """`more` are arguments of its command line. Raise `BenchError` if this machine lacks it, or what drives it."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        raise BenchError(f"want one of {', '.join(NAMES)} on the path: apt-get install chromium")
    with part.needed("playwright.sync_api", "playwright").sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*ARGUMENTS, *more])
        yield browser
        browser.close()
