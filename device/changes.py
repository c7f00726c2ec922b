"""
Changes of limits: who asks for them is answered, and whom the sensors alert is told what is in force.

A change is on disk together with the message that confirms it, and in force before that message leaves. Whoever asks
and gets no answer may ask again: nothing is in force that was not confirmed, and nothing confirmed that is not.
"""

import logging
from collections.abc import Callable
from typing import Any

from chain.errors import Malformed
from device import content, limits
from device.client import Client, Read
from device.config import Config, Sensor
from device.content import LIMITS, SETTINGS, LimitsChange
from device.errors import BadConfig, Problem, Untrusted
from device.limits import Override
from device.outbox import Note, Told
from device.reporting import Report

log = logging.getLogger(__name__)

POSITION = "agent"
"""The inbox of a sensor's agent: what a person reads at the command line is still new to it."""

TRY_AGAIN = frozenset({408, 429})
SERVER_ERROR = 500
"""Statuses of a gateway that cannot say now: these, and all from there on."""


class Refused(Exception):
    """Nothing is changed; the message is for whoever asked."""


class Changes:
    """
    Of one agent, whose settings file says `file`. `adopt` is told of each sensor whose limits are others from now on,
    `show` of what is queued.

    `heed` raises `Unreachable`, or a `Problem` that passes, if nothing can be decided now: then it is to be called again.
    """

    def __init__(
        self,
        client: Client,
        file: Config,
        *,
        adopt: Callable[[str, Sensor], None],
        show: Callable[[dict[str, Any]], None],
    ) -> None:
        self._client, self._file, self._adopt, self._show = client, file, adopt, show
        self._held = self._standing()
        self.config = limits.in_force(file, self._held.values())
        self._asked: dict[str, tuple[str, frozenset[str]]] = {}

    def heed(self, read: Read) -> None:
        """Do what a message asks for, if it asks for other limits, and answer it."""
        if read.cty != LIMITS or read.text is None or read.entry.to != self._client.account:
            return
        self._asked.clear()
        try:
            self._consider(read, read.text)
        except (Problem, Untrusted) as error:
            if _passes(error):
                raise
            # Whoever cannot be written to has changed nothing, either.
            log.warning("limits not changed, and nobody told by=%s reason=%s", read.author, error)

    def _consider(self, read: Read, text: str) -> None:
        try:
            change = content.read(LIMITS, text)
            assert isinstance(change, LimitsChange)
            held = self._held.get(change.sensor)
            if held is not None and read.index <= held.index:
                log.warning("limits not changed sensor=%s reason=a_later_request_holds", change.sensor)
                return
            made = self._decided(read, change)
        except (Malformed, BadConfig, Refused) as reason:
            log.warning("limits not changed by=%s reason=%s", read.author, reason)
            self._answer(read, self._held, None, str(reason))
        else:
            after = self._held | {made.sensor: made}
            self._answer(read, after, made, None)
            log.info("limits changed sensor=%s by=%s request=%s", made.sensor, made.by, made.request)
            self._hold(after)

    def refresh(self) -> None:
        """See what was forgotten at the command line."""
        held = self._standing()
        if held != self._held:
            self._hold(held)

    def untold(self) -> list[str]:
        """The names of those who were not told yet what is in force."""
        told = self._client.outbox.told()
        return [name for name in self._alerted() if not _knows(told.get(name), self._to_tell(name))]

    def report(self, name: str) -> Report:
        """What is to be told there now; whoever can read it is known once the addressee was looked up."""
        now, known = self._to_tell(name), self._client.outbox.told().get(name)
        if known is not None and known.settings == now.settings:
            now = Told(name, now.settings, now.readers | known.readers)
        return Report(now.settings, SETTINGS, None, Note(told=(now,)))

    def _to_tell(self, name: str) -> Told:
        route = self._client.book.route(name)
        accounts = frozenset() if route is None else frozenset(route.accounts)
        return Told(name, self._text(name, self.config, self._held), accounts)

    # Deciding

    def _decided(self, read: Read, change: LimitsChange) -> Override:
        """Raise `Refused` or `BadConfig` with the reason why not."""
        name = change.sensor
        kind, pin = self._client.directory.writer(read.author)
        if kind != "person":
            raise Refused("limits are changed by persons only")
        if pin.waiting is not None:
            raise Refused("your keys are new, and somebody has to confirm them at this device first")
        if name not in self._file.sensors or not self._may(read.author, name):
            raise Refused(f"there is no sensor {name!r} here whose limits you may change")
        return limits.override(
            self._file,
            self._held.get(name),
            change,
            index=read.index,
            request=read.entry.id,
            by=read.author,
            at=read.entry.at,
        )

    def _may(self, account: str, sensor: str) -> bool:
        names = self._file.limits_from or self._file.addressees(sensor)
        return any(account in self._accounts(name)[1] for name in names)

    def _accounts(self, name: str) -> tuple[str, frozenset[str]]:
        """A name that leads nowhere gives nobody a right."""
        if name not in self._asked:
            try:
                self._asked[name] = self._client.directory.accounts(name)
            except (Problem, Untrusted) as error:
                if _passes(error):
                    raise
                log.warning("nobody may change limits by this name name=%s reason=%s", name, error)
                self._asked[name] = name, frozenset()
        return self._asked[name]

    # Answering

    def _answer(
        self, read: Read, held: dict[str, Override], made: Override | None, refused: str | None
    ) -> None:
        """Put the answer into the outbox, and with it what was made."""
        mine = [name for name in self._file.sensors if self._may(read.author, name)]
        config = limits.in_force(self._file, held.values())
        text = content.written(limits.settings(config, held, mine, refused))
        # For whom it says all there is to say, it is not said twice.
        told = tuple(
            Told(name, text, frozenset({read.author}))
            for name in self._alerted()
            if self._text(name, config, held) == text and self._accounts(name)[0] == read.author
        )
        to = self._client.directory.addressee(read.author)
        note = Note(limits=made, told=told, answers=(POSITION, read.index))
        queued = self._client.write_message(to, text, cty=SETTINGS, re=read.entry.id, note=note)
        self._show(
            {"event": "queued", "id": queued.id, "to": read.handle, "cty": SETTINGS, "re": read.entry.id}
        )

    def _hold(self, held: dict[str, Override]) -> None:
        before, self._held = self.config, held
        self.config = limits.in_force(self._file, held.values())
        for name, sensor in self.config.sensors.items():
            if sensor != before.sensors[name]:
                self._adopt(name, sensor)

    def _standing(self) -> dict[str, Override]:
        """What was set and still holds; the rest is forgotten."""
        held = self._client.outbox.limits()
        for each in list(held.values()):
            why = limits.outdated(self._file, each)
            if why is not None:
                log.warning("limits forgotten sensor=%s by=%s reason=%s", each.sensor, each.by, why)
                self._client.outbox.forget_limits(each.sensor)
                del held[each.sensor]
        return held

    def _alerted(self) -> list[str]:
        """The names of those whom alerts go to."""
        return sorted({name for sensor in self._file.sensors for name in self._file.addressees(sensor)})

    def _text(self, name: str, config: Config, held: dict[str, Override]) -> str:
        """What is in force of the sensors whose alerts go there."""
        sensors = [sensor for sensor in self._file.sensors if name in self._file.addressees(sensor)]
        return content.written(limits.settings(config, held, sensors))


def _passes(error: Exception) -> bool:
    """Whether another time the answer may be another."""
    return isinstance(error, Problem) and (error.status in TRY_AGAIN or error.status >= SERVER_ERROR)


def _knows(told: Told | None, now: Told) -> bool:
    """Whoever came to a group since was not told."""
    return told is not None and told.settings == now.settings and now.readers <= told.readers
