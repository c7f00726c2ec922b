"""
The soak itself: what happens when, by the clock, and what is left to be judged.

One thread does one thing after the other; agents, sessions and the gateway are processes and threads of their own.
"""

import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from bench.machine import Machine
from tests.faults.invariants import Invariants
from tests.faults.repertoire import repertoire
from tests.faults.scene import DEVICES, Scene, scene
from tests.soak import guests
from tests.soak.crowd import NURSE, Crowd, PutOff
from tests.soak.ear import Ear, Heard
from tests.soak.guests import Guest
from tests.soak.scales import Minute, Scales

if TYPE_CHECKING:
    from tests.faults.fault import Fault

TURN_SECONDS = 0.1
AFTER_SECONDS = 30.0
"""After a fault, what the logs say is still of its making: connections are tried again, a process starts."""

LONGEST_FAULT = 4.0
MOST_VISITORS = 4

Tell = Callable[[str], None]


class Options(Struct, frozen=True, kw_only=True):
    """
    Seconds, but for `minutes`. `faults_every`, `browser_every`: on average, and exactly; none of either with 0. `devices`
    measure all the time, each once in `pause`.
    """

    minutes: float
    seed: int
    lan: bool
    devices: int = 8
    pause: float = 0.5
    stretch: float = 60.0
    churn_every: float = 20.0
    guest_every: float = 30.0
    guest_seconds: float = 25.0
    restart_every: float = 180.0
    browser_every: float = 300.0
    faults_every: float = 90.0


class Outcome(Struct, frozen=True):
    """`broken` is what did not hold in the end; `cut_short`: it was interrupted."""

    options: Options
    machine: Machine
    minutes: list[Minute]
    counts: dict[str, int]
    faults: dict[str, int]
    errors: list[Heard]
    warnings: dict[str, int]
    troubles: list[str]
    broken: list[str]
    cut_short: bool


class Soak:
    """One run on a scene that is at work."""

    def __init__(self, stage: Scene, options: Options, tell: Tell) -> None:
        self._stage, self._options, self._tell = stage, options, tell
        self._chance = random.Random(options.seed)
        self._repertoire = repertoire(lan=options.lan)
        self.crowd = Crowd(stage, self._chance)
        self.ear = Ear(stage.site.directory)
        self.minutes: list[Minute] = []
        self.faults: Counter[str] = Counter()
        self.troubles: list[str] = []
        """What a visitor of the page met while nothing was wrong on purpose."""
        self._running: Fault | None = None
        self._ends = self._over = 0.0
        self._stretch_calm = True
        self._guests: list[Guest] = []
        self._begun = 0.0
        self._errors = 0

    @property
    def counts(self) -> dict[str, int]:
        return dict(self.crowd.counts)

    def settle(self) -> None:
        """Who is there all the time."""
        options = self._options
        self.crowd.person(NURSE, guests.SECRET)
        self.crowd.stay(options.devices, options.pause)
        self.crowd.stay(1, 4 * options.pause, (NURSE,))

    def run(self) -> None:
        """Until the time is up, or whoever watches has had enough (`KeyboardInterrupt`)."""
        options = self._options
        scales = Scales(self._stage, self.crowd)
        # By when each is due first; what is put off has its turn again later.
        tasks: list[tuple[float, Callable[[], float], str]] = [
            (options.stretch, lambda: self._measure(scales), "measure"),
            (options.churn_every / 2, self._churn, "churn"),
            (options.guest_every / 2, self._guest, "guest"),
            (options.restart_every, self._restart, "restart"),
        ]
        if options.browser_every:
            tasks.append((options.browser_every / 3, self._visit, "visit"))
        if options.faults_every:
            tasks.append((options.faults_every / 2, self._wrong, "fault"))
        due = {name: at for at, _, name in tasks}
        self._begun = time.monotonic()
        try:
            while (now := self._now()) < options.minutes * 60:
                self._mend(now)
                self._listen()
                for _, task, name in tasks:
                    if self._now() >= due[name]:
                        due[name] = self._now() + task()
                time.sleep(TURN_SECONDS)
        finally:
            if self._running is not None:
                self._running.end()
                self._running = None
            if self._now() - (self.minutes[-1].at if self.minutes else 0) > options.stretch / 2:
                self._measure(scales)

    def finish(self) -> list[str]:
        """Let everything come to rest, and say what does not hold."""
        broken: list[str] = []
        for step in (self._rest, self.crowd.check):
            try:
                step()
            except AssertionError as error:
                broken.append(str(error))
        return broken

    def _rest(self) -> None:
        for guest in self._guests:
            guest.join(guests.PATIENCE_MS / 1000)
        self.crowd.leave_all()
        self._stage.recovers()
        self._listen()
        self._stage.stops()
        Invariants(self._stage).check()

    def _now(self) -> float:
        return time.monotonic() - self._begun

    @property
    def _cause(self) -> str | None:
        """What is wrong on purpose just now, or was until a moment ago."""
        return self._stage.faults[-1] if self._stage.faults and self._now() < self._over else None

    # Each task does its work, and says in how many seconds it is to be done again

    def _measure(self, scales: Scales) -> float:
        minute = scales.minute(self._now(), errors=self._errors, calm=self._stretch_calm)
        self._errors, self._stretch_calm = 0, self._cause is None
        self.minutes.append(minute)
        self._tell(str(minute))
        return self._options.stretch

    def _churn(self) -> float:
        try:
            if self.crowd.present < self._chance.randint(1, MOST_VISITORS):
                self.crowd.arrive()
            elif log := self.crowd.leave():
                self.ear.deaf.add(log)
        except PutOff as error:
            self._trouble(f"churn put off: {error}")
        return self._chance.uniform(0.5, 1.5) * self._options.churn_every

    def _guest(self) -> float:
        for guest in [each for each in self._guests if not each.is_alive()]:
            self._guests.remove(guest)
            if guest.trouble:
                self._trouble(f"session: {guest.trouble}", since=guest.began)
            self.crowd.counts.update(sessions=1, verified=guest.verified, events=guest.events)
        if not self._guests:
            guest = Guest(self._stage.site, self._options.guest_seconds, self._now())
            guest.start()
            self._guests.append(guest)
        return self._chance.uniform(0.5, 1.5) * self._options.guest_every

    def _restart(self) -> float:
        self.crowd.restart(self._chance.choice((*DEVICES, *self.crowd.staying())))
        return self._options.restart_every

    def _visit(self) -> float:
        if self._cause is not None:
            return 1.0
        try:
            complaints = guests.visit(self._stage.site)
        except AssertionError as error:
            self._trouble(f"browser: {error}")
            return self._options.browser_every
        self.crowd.counts["browsers"] += 1
        for text in complaints:
            self._trouble(f"page: {text}")
        return self._options.browser_every

    def _wrong(self) -> float:
        if self._running is None:
            name = self._chance.choice(sorted(self._repertoire))
            fault = self._repertoire[name](self._stage, random.Random(self._chance.randrange(2**32)))
            self._ends = self._now() + self._chance.uniform(0, LONGEST_FAULT)
            self._over = self._ends + AFTER_SECONDS
            self._stretch_calm = False
            self._stage.faults.append(str(fault))
            self.faults[name] += 1
            self._tell(f"{self._now() / 60:5.1f} min  fault: {fault}")
            fault.begin()
            self._running = fault
        return self._chance.expovariate(1 / self._options.faults_every)

    def _mend(self, now: float) -> None:
        if self._running is not None and now >= self._ends:
            self._running.end()
            self._running = None
            self._over = self._now() + AFTER_SECONDS
        # A member may have been ended by a fault that was not its own.
        for member in self._stage.members.values():
            if self._running is None and not member.is_running:
                member.revive()

    def _listen(self) -> None:
        for heard in self.ear.listen(self._cause):
            self._errors += 1
            self._tell(f"error in {heard.log}.log: {heard.text}")

    def _trouble(self, text: str, since: float | None = None) -> None:
        """`since`: when it may have begun; a fault may have come and gone by now."""
        if self._over < (self._now() if since is None else since):
            self.troubles.append(text)
            self._tell(text)
        else:
            self.crowd.counts["put off"] += 1


def run(options: Options, folder: Path, tell: Tell) -> Outcome:
    """A scene of its own, in a folder that is empty."""
    cut_short = False
    with scene(folder, lan=options.lan) as stage:
        soak = Soak(stage, options, tell)
        soak.settle()
        tell(f"at work: {len(stage.members)} accounts, {options.minutes:g} minutes, seed {options.seed}")
        try:
            soak.run()
        except KeyboardInterrupt:
            cut_short = True
            tell("interrupted: it is brought to rest, and judged by what there is")
        broken = soak.finish()
    return Outcome(
        options=options,
        machine=Machine.at(folder),
        minutes=soak.minutes,
        counts=soak.counts,
        faults=dict(soak.faults),
        errors=soak.ear.errors,
        warnings={
            f"{text}{' (faults)' if fault else ''}": n for (text, fault), n in soak.ear.warnings.items()
        },
        troubles=soak.troubles,
        broken=broken,
        cut_short=cut_short,
    )
