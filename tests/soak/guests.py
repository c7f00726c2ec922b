"""People's browsers: light ones, which are sessions over REST that verify what they get, and a real one now and then."""

import threading
import time
from contextlib import closing

import msgspec
import urllib3
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import expect

from bench.browser import chromium
from chain import checkpoint
from chain.errors import ChainError
from chain.wire import Delivery
from device.client import Client, Home
from device.errors import DeviceError, Problem, Unreachable, Untrusted
from provisioning.site import Site
from tests.browser import Window
from tests.page import Person
from tests.soak.crowd import NURSE
from tests.visitor import OK, Visitor

SECRET = "a soak of a password"
PAGE = 50
LATELY = 500
"""Entries of the chain, from its end, that a light session looks at."""

PATIENCE_MS = 120_000


class Guest(threading.Thread):
    """
    One browser session of the nurse, without a browser: logs in, reads the newest, and keeps a stream of events open.

    `trouble` is what it met, if anything; `began` is when, by the clock of the soak.
    """

    def __init__(self, site: Site, seconds: float, began: float) -> None:
        super().__init__(name="guest", daemon=True)
        self.began = began
        self.trouble = ""
        self.verified = 0
        self.events = 0
        self._site = site
        self._seconds = seconds

    def run(self) -> None:
        try:
            self._visit()
        except (
            urllib3.exceptions.HTTPError,
            ChainError,
            Problem,
            Unreachable,
            Untrusted,
            DeviceError,
            AssertionError,
            msgspec.MsgspecError,
            ValueError,
        ) as error:
            self.trouble = f"{type(error).__name__}: {error}"

    def _visit(self) -> None:
        root = self._site.directory / "gateway" / "tls" / "root.crt" if self._site.lan else None
        visitor = Visitor(self._site.http_port, root)
        status = visitor.login(NURSE, visitor.keys(NURSE, SECRET).auth)
        assert status == OK, f"login: {status}"
        with closing(Client(Home(self._site.home(NURSE)))) as client:
            newest = self._read(visitor, client)
        self._listen(visitor, newest)
        status, _ = visitor.get("/v1/sessions")
        assert status == OK, f"sessions: {status}"

    def _read(self, visitor: Visitor, client: Client) -> int:
        """The newest of the inbox, each entry verified as the page does; return the last index there was."""
        client.check_gateway()
        member = client.membership
        note = client.gateway.checkpoint()
        size = checkpoint.verify(note, origin=member.origin, key=member.gateway_key).size
        status, answer = visitor.get(f"/v1/inbox?after={max(-1, size - LATELY)}&limit={PAGE}")
        assert status == OK, f"inbox: {status}"
        for delivered in msgspec.convert(answer, Delivery).entries:
            client.read(delivered, client.committed(delivered))
            self.verified += 1
        return size - 1

    def _listen(self, visitor: Visitor, after: int) -> None:
        ends = time.monotonic() + self._seconds
        with closing(visitor.stream(f"/v1/events?after={after}")) as lines:
            for line in lines:
                self.events += line.startswith(b"event:")
                if time.monotonic() > ends:
                    return


def visit(site: Site) -> list[str]:
    """
    The nurse with a new, real browser: logs in, opens the conversation with a device, logs out.

    Return what its page complained of; raise `AssertionError` if it did not come that far.
    """
    expect.set_options(timeout=PATIENCE_MS)
    with chromium() as browser:
        window = Window(browser, site.url, ignore_https_errors=site.lan)
        window.page.set_default_timeout(PATIENCE_MS)
        try:
            person = Person(window)
            person.log_in(NURSE, SECRET)
            expect(person.page.get_by_role("navigation", name="Main")).to_be_visible()
            person.log_out(forget=True)
        except PlaywrightError as error:
            raise AssertionError(str(error)) from error
        finally:
            window.close()
        return window.complaints
