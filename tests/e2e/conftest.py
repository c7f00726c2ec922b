"""What the tests of the page share: one Chromium, a ward for each module, and an ear for what its pages complain of."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from bench.browser import chromium
from tests.ward import INSECURE_HOST, Ward, running_ward

PATIENCE_MS = 60_000


# Not for the session: Playwright keeps an event loop in this thread, which other packages' tests want for themselves.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE_MS)
    with chromium(f"--host-resolver-rules=MAP {INSECURE_HOST} 127.0.0.1") as started:
        yield started


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Ward]:
    with running_ward(tmp_path_factory.mktemp("ward"), browser) as ward:
        yield ward


@pytest.fixture(scope="module")
def lan(request: pytest.FixtureRequest) -> bool:
    """Whether the site of this module serves a LAN: `tests.sites.BOTH_KINDS` has it both ways."""
    return bool(request.param)


@pytest.fixture(autouse=True)
def calm(request: pytest.FixtureRequest) -> Iterator[None]:
    """No page complains, or speaks to anybody but the gateway; windows that a test opened are closed after it."""
    ward = request.getfixturevalue("ward") if "ward" in request.fixturenames else None
    if not isinstance(ward, Ward):
        # It has no page.
        yield
        return
    before = len(ward.windows)
    yield
    ward.check_windows()
    ward.close_windows(after=before)
