"""
How fast the page is: from a click on a conversation to its newest messages on the screen, in a real Chromium.

The gateway is a real one, and so are the messages: sealed by a device, and opened by the page.
"""

import argparse
import json
import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from msgspec import Struct

from bench import part
from bench.browser import chromium
from bench.errors import BenchError
from bench.machine import Machine
from bench.part import Part
from bench.site import Progress, now_ms
from chain import body, entry
from chain.author import Author
from chain.chain import MAX_BLOCK_ENTRIES, Chain
from chain.encoding import b64url
from chain.entry import Message
from chain.errors import Refused
from chain.wire import Submission
from device import identity, sealing
from device.content import READING
from gateway.site import Site as Gateway
from provisioning.site import Site

if TYPE_CHECKING:
    from playwright.sync_api import Page

ADMIN, CLINICIAN, DEVICE = "admin", "dr.lee", "sensor-1"
NAMES = {ADMIN: "Administrator", CLINICIAN: "Dr. Lee", DEVICE: "Sensor 1"}
ROUNDS = 5
READ_SECONDS = 600.0
"""How long a new browser may take to read the history."""

CLICK_TO_PAINT = """link => new Promise(done => {
    const began = performance.now();
    const look = () => {
        // A reading is there once it was opened: its value stands out.
        const shown = document.querySelector('[role="region"] article strong, section article strong');
        if (!shown) return requestAnimationFrame(look);
        // The frame in which it is painted ends before the one after it begins.
        requestAnimationFrame(() => done(performance.now() - began));
    };
    link.click();
    requestAnimationFrame(look);
})"""
SCROLL = """region => new Promise(done => {
    const list = [region, ...region.querySelectorAll('*')].find(each => each.scrollHeight > each.clientHeight + 100);
    const frames = [];
    let before = performance.now();
    let left = 300;
    const step = () => {
        const now = performance.now();
        frames.push(now - before);
        before = now;
        left -= 1;
        if (left === 0) return done(frames);
        list.scrollTop -= list.clientHeight;
        requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
})"""


class Options(Struct, frozen=True, kw_only=True):
    """`messages` in the conversation."""

    messages: int
    directory: Path | None


class Result(Struct, frozen=True):
    """
    Medians, in ms but for `read_s`: a new browser's log-in until it has read and verified the whole history.

    `reload_ms`: from a reload to the list of friends. `open_ms`: from the click to the first frame with an opened
    message in it. `frame_ms` and `worst_frame_ms`: the time between two frames while it is scrolled up, a screen at a time.
    """

    messages: int
    read_s: float
    reload_ms: int
    open_ms: int
    frame_ms: float
    worst_frame_ms: float
    machine: Machine


def measure(options: Options, progress: Progress) -> Result:
    """Raise `BenchError` if there is no browser, or the page does not show what it should."""
    with tempfile.TemporaryDirectory(prefix="blockpost-bench-", dir=options.directory) as name:
        machine = Machine.at(Path(name))
        progress(str(machine))
        site, password = Site(Path(name)), secrets.token_urlsafe(12)
        try:
            progress("making a site with a clinician and a device")
            _set_up(site, password)
            progress(f"sealing {options.messages:,} messages")
            _fill(site, options.messages)
            site.start()
            return _look(site, password, options, machine, progress)
        finally:
            site.stop()


def _set_up(site: Site, password: str) -> None:
    code = site.init(admin=ADMIN)
    site.start()
    site.join(ADMIN, code, name=NAMES[ADMIN])
    for handle, kind in ((CLINICIAN, "person"), (DEVICE, "device")):
        site.join(handle, site.admin(ADMIN, "invite", handle, "--kind", kind).strip(), name=NAMES[handle])
    site.admin(ADMIN, "link", DEVICE, CLINICIAN)
    site.set_password(CLINICIAN, password)
    site.stop()


def _fill(site: Site, messages: int) -> None:
    """Append the device's messages while no gateway runs: nobody measures how they got there."""
    writer = Gateway.load(site.directory / "gateway").key().writer
    with closing(Chain.open(site.chain_file, write=True)) as chain:
        left = _messages(site, chain, messages)
        while block := list(islice(left, MAX_BLOCK_ENTRIES)):
            for outcome in chain.append(block, writer=writer, now=now_ms()):
                if isinstance(outcome, Refused):
                    raise BenchError(f"page: the chain refused a message: {outcome}")


def _messages(site: Site, chain: Chain, count: int) -> Iterator[Submission]:
    """A reading each second, ending now."""
    device, clinician = (identity.load(site.home(handle)) for handle in (DEVICE, CLINICIAN))
    author = Author(
        origin=chain.origin,
        account=device.account_id,
        stream=entry.new_stream(secrets.token_bytes),
        kid=device.signing.thumbprint,
        sign=device.sign,
    )
    seen, end = chain.verified(chain.checkpoint()).seen, now_ms()
    for number in range(count):
        at = end - (count - number) * 1000
        mid = entry.new_id(at, secrets.token_bytes)
        reading = {"sensor": "temperature", "unit": "Cel", "value": 4 + (number * 7919 % 100) / 50}
        sealed = sealing.seal(
            json.dumps(reading),
            cty=READING,
            iss=author.account,
            skid=author.kid,
            mid=mid,
            recipients=[clinician.sealing, device.sealing],
        )
        yield author.parcel(
            Message,
            entry_id=mid,
            seq=number + 1,
            at=at,
            seen=seen,
            beside=body.make(sealed.body, secrets.token_bytes),
            to=clinician.account_id,
            commitment=b64url(sealed.commitment),
        ).load()


def _look(site: Site, password: str, options: Options, machine: Machine, progress: Progress) -> Result:
    with chromium() as browser:
        page = browser.new_page(base_url=site.url, viewport={"width": 1280, "height": 800})
        page.set_default_timeout(READ_SECONDS * 1000)
        progress("a new browser logs in, and reads and verifies the whole history")
        read = _read(page, password, options.messages)
        rounds = []
        for number in range(ROUNDS):
            rounds.append(_open(page))
            progress(f"round {number + 1} of {ROUNDS}: {rounds[-1][1]:.0f} ms from the click to the messages")
        frames = _scroll(page)
    reloads, opens = zip(*rounds, strict=True)
    return Result(
        options.messages,
        read,
        round(median(reloads)),
        round(median(opens)),
        round(median(frames), 1),
        round(max(frames), 1),
        machine,
    )


def _read(page: "Page", password: str, messages: int) -> float:
    """Log in; return the seconds until everything is read: only then does the count say so."""
    page.goto("/")
    page.get_by_label("Handle").fill(CLINICIAN)
    page.get_by_label("Password", exact=True).fill(password)
    began = time.monotonic()
    page.keyboard.press("Enter")
    page.get_by_role("link", name=f"{messages} unread").wait_for()
    return round(time.monotonic() - began, 1)


def _open(page: "Page") -> tuple[float, float]:
    """Reload; return the ms until the friends are there, and from the click to the frame with a message in it."""
    page.goto("/#/")
    began = time.monotonic()
    page.reload()
    friend = page.get_by_role("link", name=NAMES[DEVICE])
    friend.wait_for()
    reloaded = (time.monotonic() - began) * 1000
    return reloaded, friend.evaluate(CLICK_TO_PAINT)


def _scroll(page: "Page") -> list[float]:
    """Scroll to the beginning, a screen at each frame; return the ms between frames."""
    frames = page.get_by_role("region", name="Messages with").evaluate(SCROLL)
    assert isinstance(frames, list)
    return [float(frame) for frame in frames]


def _add(parser: argparse.ArgumentParser) -> None:
    part.add_count(parser, "messages", 10_000, "messages in the conversation")


def _lines(result: Result) -> Iterator[str]:
    yield f"read       {result.read_s} s for a new browser to read and verify {result.messages:,} messages"
    yield f"reload     {result.reload_ms} ms until the friends are there"
    yield f"open       {result.open_ms} ms from the click on the conversation to its newest messages"
    yield f"scroll     {result.frame_ms} ms a frame, {result.worst_frame_ms} ms the longest"


PART = Part(
    name="page",
    text="the page in a real Chromium: opening a long conversation",
    options=Options,
    add=_add,
    measure=measure,
    lines=_lines,
    examples={"page": "how fast the page opens a conversation of 10,000 messages"},
)
