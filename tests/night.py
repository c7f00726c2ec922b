"""
A ward at night: a fridge that raises alerts, people who are called, and what the chain says became of it.

The fridge's agent and everybody's ears are real ones, on threads of the test; what they speak to is the gateway's
processes.
"""

import contextlib
import queue
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar

from chain import entry
from chain.alerts import Alert
from chain.api import AlertLine
from chain.block import Header
from chain.chain import Chain
from chain.contracts.terms import Escalate, EscalateParams, Step
from chain.entry import Common, Contact, Contract, Entry, Priority, Status, Tick
from chain.wire import Delivered
from device.agent import Agent
from device.client import Client, Home
from device.content import TEXT
from device.errors import Unreachable
from device.inbox import Inbox
from device.reception import Reception, unharmed
from provisioning.admin import cli as admin
from provisioning.site import Site
from tests.sites import added, client_of, ran

FRIDGE, ADMIN = "fridge-2", "admin"
KIM, LEE, ROE = "kim", "lee", "dr.roe"
NURSES = "nurses"
"""Kim and Lee; the fridge may write to them. Nobody has linked it to Roe."""

CONTRACT = "at-night"
ALL = ("step", "step", "nobody")
"""What becomes of an alert that nobody answers, by the contract that is in force unless a test says otherwise."""

PATIENCE = 60.0
"""Seconds after which a test gives up; none measures time."""

T = TypeVar("T")


class Raised(NamedTuple):
    """A message of an alert: its id, its episode, and where it is on the chain."""

    id: str
    episode: str
    at: int


class Done(NamedTuple):
    """What a contract did about an alert, at which entry, and when in steady ms."""

    did: str
    to: str | None
    at: int
    clock: int


def until(condition: Callable[[], T | None], what: str, *, pause: float = 0.01) -> T:
    """What the condition is, once it is something."""
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, f"it never came about that {what}"
        time.sleep(pause)
    return found


class Ear:
    """Somebody who listens as a pager does, and remembers which entries reached them, and which the broker brought."""

    def __init__(self, home: Home) -> None:
        self.heard: list[Entry] = []
        self.brought: Counter[int] = Counter()
        self._home = home
        self._came: queue.SimpleQueue[tuple[str, bytes]] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._listen, name=f"ear of {home.directory.name}", daemon=True
        )
        self._thread.start()

    def deeds(self, alert: Raised) -> list[str]:
        """What it heard of what contracts did about an alert."""
        ticks = [said for said in self.heard if isinstance(said, Tick)]
        return [deed.did for tick in ticks for deed in tick.did if deed.about == alert.id]

    def answers(self, alert: Raised) -> list[str]:
        """What it heard that people answered."""
        return [said.state for said in self.heard if isinstance(said, Status) and said.about == alert.id]

    def close(self) -> None:
        self._stop.set()
        self._thread.join()

    def _listen(self) -> None:
        with closing(Client(self._home)) as client:
            inbox = Inbox(client, name="ear")
            reception = Reception(
                client,
                inbox,
                on_message=lambda topic, payload: self._came.put((topic, payload)),
                on_up=lambda: self._came.put(("", b"")),
                every=1.0,
            )
            with reception.opened():
                while not self._stop.is_set():
                    self._turn(inbox, reception)

    def _turn(self, inbox: Inbox, reception: Reception) -> None:
        with contextlib.suppress(queue.Empty):
            topic, payload = self._came.get(timeout=0.05)
            if not topic:
                reception.hurry()
            elif topic.endswith("/entry"):
                with unharmed(topic):
                    news = reception.news(payload)
                    self.brought.update(each.index for each in news)
                    self._take(inbox, news)
        if reception.is_due(time.monotonic()):
            reception.ask(time.monotonic(), lambda: self._catch_up(inbox))

    def _catch_up(self, inbox: Inbox) -> None:
        for entries in inbox.pages():
            self._take(inbox, entries)

    def _take(self, inbox: Inbox, entries: Sequence[Delivered]) -> None:
        self.heard += [signed.entry for _, signed in inbox.committed(entries)]


class Night:
    """Everybody has joined `site`, which runs; the fridge's agent and the ears work until the end of a `with`."""

    def __init__(self, site: Site) -> None:
        self.site = site
        people = (KIM, LEE, ROE)
        self.accounts = {handle: added(site, handle).account for handle in people}
        self.accounts[FRIDGE] = added(site, FRIDGE, kind="device").account
        self.accounts[ADMIN] = Home(site.home(ADMIN)).book.membership().account
        done = ran(admin.main, "--home", site.home(ADMIN), "group", NURSES, KIM, LEE)
        assert done.code == 0, done.err
        with client_of(site, ADMIN) as client:
            (group,) = client.gateway.groups()
        self.nurses = group.id
        self.says(ADMIN, Contact, action="link", of=self.accounts[FRIDGE], peer=self.nurses)
        self._begun: list[Raised] = []
        self._stop = threading.Event()
        self._open = ExitStack()
        self._fridge = self._open.enter_context(client_of(site, FRIDGE))
        self._to = self._fridge.directory.addressee(NURSES)
        sender = threading.Thread(target=self._send, name=FRIDGE, daemon=True)
        sender.start()
        self._open.callback(sender.join)
        self._open.callback(self._stop.set)
        self.ears = {
            handle: self._open.enter_context(closing(Ear(Home(site.home(handle)))))
            for handle in (*people, ADMIN)
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def _send(self) -> None:
        with client_of(self.site, FRIDGE) as client:
            Agent(client, lambda _: None).run(self._stop)

    # What they do

    def says(self, handle: str, type_: type[Common], **says: Any) -> int:
        """
        Where on the chain it is what somebody says; raise `Refused`.

        While the gateway is away, they try again.
        """
        with client_of(self.site, handle) as client:
            queued = client.write("command", type_, **says)

            def sent() -> tuple[int] | None:
                try:
                    return (client.send_commands(queued),)
                except Unreachable:
                    return None

            (at,) = until(sent, f"{handle} is heard")
            return at

    def answers(self, handle: str, alert: Raised, state: str, **says: Any) -> int:
        return self.says(handle, Status, about=alert.id, state=state, **says)

    def escalates(self, *steps: Step, laps: int = 1, resolve_within: int | None = None) -> None:
        """
        How alerts of this ward escalate from now on; raise `Refused`.

        Unless it is said otherwise, they reach the nurses after a second, and Roe a second later.
        """
        params = EscalateParams(
            steps=list(steps) or [Step(self.nurses, 1), Step(self.accounts[ROE], 1)],
            wait=1,
            laps=laps,
            resolve_within=resolve_within,
        )
        terms = Escalate(version=1, when="is_alert", params=params)
        self.says(ADMIN, Contract, action="install", contract=CONTRACT, terms=terms)

    def alerts(
        self, episode: str | None = None, *, priority: Priority = "high", state: Any = "start"
    ) -> Raised:
        """The fridge raises an alert, or says more of one; return when that is on the chain."""
        episode = episode or entry.new_stream(secrets.token_bytes)
        header = entry.Alert(episode, "physiological", priority, state)
        queued = self._fridge.write_message(self._to, "the fridge is open", cty=TEXT, alert=header)
        (at,) = until(lambda: self._place(queued.id), "the alert is on the chain")
        raised = Raised(queued.id, episode, at)
        if state == "start":
            self._begun.append(raised)
        return raised

    def resolves_all(self) -> None:
        """Nothing is left of the alerts so far."""
        for alert in self._begun:
            self.answers(KIM, alert, "resolved")
        self._begun.clear()

    # What the chain says

    def deeds(self, alert: Raised, after: int = 0) -> list[Done]:
        """What contracts did about it, after the entry at a place."""
        return [
            Done(deed.did, deed.to, at, clock)
            for at, clock, said in self._history(max(after + 1, alert.at))
            if isinstance(said, Tick)
            for deed in said.did
            if deed.about == alert.id
        ]

    def did(self, alert: Raised) -> list[str]:
        return [deed.did for deed in self.deeds(alert)]

    def waits_for(self, alert: Raised, *did: str) -> None:
        """Contracts have done this about it, and perhaps more by now."""
        until(lambda: len(self.did(alert)) >= len(did), f"{did} was done")
        assert self.did(alert)[: len(did)] == list(did)

    def comes_to(self, alert: Raised, *did: str) -> list[Done]:
        """What contracts did about it, once that is all this; and it is nothing else."""
        until(lambda: len(self.did(alert)) >= len(did), f"{did} was done")
        deeds = self.deeds(alert)
        assert [deed.did for deed in deeds] == list(did)
        return deeds

    def state_of(self, alert: Raised) -> Alert:
        with closing(Chain.open(self.site.chain_file)) as chain:
            found = chain.state.alerts.get(self.accounts[FRIDGE], alert.episode)
        assert found is not None
        return found

    def on_duty(self) -> set[str]:
        """Of the nurses."""
        with closing(Chain.open(self.site.chain_file)) as chain:
            return chain.state.on_duty(self.nurses, self.now)

    def clock_of(self, at: int) -> int:
        """When an entry was committed, in steady ms."""
        return self._header(at).clock

    def time_of(self, at: int) -> int:
        """The same in ms since 1970."""
        return self._header(at).timestamp

    @property
    def now(self) -> int:
        """In ms since 1970."""
        return time.time_ns() // 1_000_000

    def headers(self) -> list[Header]:
        """Of all blocks."""
        with closing(Chain.open(self.site.chain_file)) as chain:
            return [chain.store.header(height) for height in range(chain.head.height + 1)]

    def _history(self, first: int) -> Iterator[tuple[int, int, Entry]]:
        """Place, steady time in ms, and entry of all from the first."""
        with closing(Chain.open(self.site.chain_file)) as chain:
            for at in range(first, chain.head.size):
                clock = chain.store.header(chain.store.height_of(at)).clock
                yield at, clock, entry.parse(chain.store.leaf(at)).entry

    def _header(self, at: int) -> Header:
        with closing(Chain.open(self.site.chain_file)) as chain:
            return chain.store.header(chain.store.height_of(at))

    def _place(self, entry_id: str) -> tuple[int] | None:
        with closing(Chain.open(self.site.chain_file)) as chain:
            found = chain.store.find(entry_id)
        return None if found is None else (found[0],)

    # What they are told

    def hears(self, handle: str, alert: Raised, what: str) -> None:
        """Wait until somebody has heard that about it."""
        ear = self.ears[handle]
        until(lambda: what in (*ear.deeds(alert), *ear.answers(alert)), f"{handle} hears of {what}")

    def listed(self, handle: str) -> dict[str, AlertLine]:
        """The alerts that concern somebody, by the gateway's word."""
        with client_of(self.site, handle) as client:
            return {line.id: line for line in client.gateway.alerts()}

    def entries(self, handle: str, alert: Raised) -> dict[str, Entry]:
        """What somebody is shown who asks what the alert follows from, by id; all of it is proven."""
        with client_of(self.site, handle) as client:
            said = [client.committed(each).entry for each in client.gateway.alert(alert.id)]
        return {each.id: each for each in said}
