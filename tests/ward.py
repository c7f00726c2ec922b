"""
A ward with a page: a gateway at work, an admin, a group on call, a device that writes to it, and people with browsers.

Browsers reach the gateway through a wiretap, so that a test can read all that they said, and cut them off.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser

from device import cli
from provisioning.admin import cli as admin
from provisioning.site import Site
from tests.browser import Window
from tests.page import Person
from tests.sites import added, invited, ran, running_site
from tests.wiretap import Wiretap

ADMIN, DEVICE, GROUP = "admin", "sensor-1", "on-call"
INSECURE_HOST = "ward.test"
"""A name of the gateway by which it is no secure context, as from another machine over plain HTTP."""

DEVICE_TITLE = "Sensor-1"


class Ward:
    """`tap` is between the browsers and the gateway."""

    def __init__(self, site: Site, tap: Wiretap, browser: Browser) -> None:
        self.site = site
        self.tap = tap
        self.windows: list[Window] = []
        self._browser = browser
        added(site, DEVICE, kind="device")
        self.admin("group", GROUP, ADMIN)
        self.admin("link", DEVICE, GROUP)

    @property
    def address(self) -> str:
        """Where browsers find the page. By this name it is a secure context."""
        return f"http://localhost:{self.tap.port}"

    def visitor(self, **options: Any) -> Person:
        """Somebody with a new, empty browser; `options` are of Playwright's `new_context`."""
        window = Window(self._browser, self.address, **options)
        self.windows.append(window)
        return Person(window)

    def code(self, handle: str, *, role: str = "member", match: bool = False) -> str:
        """A join string for a person."""
        return invited(self.site, handle, role=role, match=match).to_text()

    def member(self, handle: str, password: str, *, name: str | None = None) -> str:
        """Somebody who joined on the command line, and may log in to the page; their recovery code."""
        added(self.site, handle, name=name)
        return self.let_in(handle, password)

    def let_in(self, handle: str, password: str) -> str:
        """Who joined on the command line may log in to the page; return their recovery code."""
        said = self.agent(handle, "password", "--stdin", "--json", stdin=f"{password}\n")
        return str(json.loads(said)["recovery"])

    def admin(self, *words: str) -> str:
        """One command of the first admin; what it printed."""
        done = ran(admin.main, "--home", self.site.home(ADMIN), *words)
        assert done.code == 0, done.err
        return done.out

    def agent(self, handle: str, *words: str, stdin: str = "") -> str:
        """One command of a device, or of whoever joined on the command line; what it printed."""
        done = ran(cli.main, "--home", self.site.home(handle), *words, stdin=stdin)
        assert done.code == 0, done.err
        return done.out

    def on_call(self, *handles: str) -> None:
        """These, and the admin, get what the device writes from now on."""
        self.admin("group", GROUP, ADMIN, *handles)

    def check_windows(self) -> None:
        """Raise `AssertionError` if a page complained, or spoke to anybody else."""
        heard = [(each.complaints.copy(), each.foreign.copy()) for each in self.windows]
        for each in self.windows:
            each.complaints.clear()
            each.foreign.clear()
        loud = [each for each in heard if any(each)]
        assert not loud, f"want calm pages, heard complaints and foreign addresses: {loud}"

    def close_windows(self, *, after: int = 0) -> None:
        """All but the first so many."""
        while len(self.windows) > after:
            self.windows.pop().close()


@contextmanager
def running_ward(folder: Path, browser: Browser) -> Iterator[Ward]:
    with running_site(folder) as site:
        tap = Wiretap(site.http_port)
        ward = Ward(site, tap, browser)
        try:
            yield ward
        finally:
            ward.close_windows()
            tap.close()
