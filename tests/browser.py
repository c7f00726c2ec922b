"""Somebody's browser: a context of a real Chromium, empty at first, and what its pages complained of."""

from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

LISTEN = """
window.sounded = [];
const begin = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...when) {
    window.sounded.push(this.frequency.value);
    return begin.apply(this, when);
};
"""
"""Every tone that a page really starts, by its frequency in Hz."""


class Window:
    """
    One browser of its own with one page, and everything that the page complained of.

    `options` are of Playwright's `new_context`.
    """

    def __init__(self, browser: Browser, address: str, **options: Any) -> None:
        self.context: BrowserContext = browser.new_context(base_url=address, **options)
        self.context.add_init_script(LISTEN)
        self.complaints: list[str] = []
        self.foreign: list[str] = []
        self.address = address
        self.page = self.open()

    def open(self) -> Page:
        """Another page of the same browser."""
        page = self.context.new_page()
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self._asked(request.url))
        page.goto("/")
        return page

    def close(self) -> None:
        self.context.close()

    def _heard(self, message: ConsoleMessage) -> None:
        # The browser itself reports every answer of 400 and above; those are the page's to handle.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)

    def _asked(self, url: str) -> None:
        if not url.startswith((self.address, "blob:", "data:")):
            self.foreign.append(url)
