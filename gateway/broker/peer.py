"""One admitted client: what it may still be sent, and whether it is alive."""

import asyncio

from gateway.broker.greeting import Greeting
from gateway.broker.limits import Limits
from gateway.broker.packets import Message
from gateway.broker.window import Window
from gateway.broker.wire import Wire

_GRACE = 1.5
"""MQTT 3.1.1 section 3.1.2.10: one and a half keep-alive periods of silence end a connection."""


class Peer:
    def __init__(self, greeting: Greeting, wire: Wire, limits: Limits) -> None:
        self.client_id = greeting.client_id
        self.account = greeting.account
        self.will = greeting.will
        self.wire = wire
        self.farewell = "connection lost"
        """Why it went, for the log."""
        self.held = False
        """Its next packet waits for room at somebody else: its silence is of our making."""
        self._keep_alive = greeting.keep_alive
        self._limits = limits
        self._window = Window(limits.in_flight, limits.in_flight_bytes)
        self._room = asyncio.Event()
        self._progress = wire.heard

    @property
    def is_full(self) -> bool:
        return self._window.full

    @property
    def is_crowded(self) -> bool:
        return self._window.crowded

    def send(self, message: Message, qos: int, *, retain: bool) -> None:
        """Send QoS 1 only while not full; QoS 0 is dropped for a client that does not read."""
        packet_id = 0
        if qos:
            packet_id = self._window.take(len(message.payload))
            if self._window.full:
                self._progress = asyncio.get_running_loop().time()
        elif self.wire.unsent_bytes > self._limits.in_flight_bytes:
            return
        self.wire.send(message.to_bytes(qos=qos, packet_id=packet_id, retain=retain))

    def acknowledge(self, packet_id: int) -> None:
        """Late, twice or out of order: all harmless."""
        if self._window.release(packet_id):
            self._progress = self.wire.heard
            if not self._window.full:
                self._room.set()

    async def room(self) -> None:
        """Return when there may be room, or when the client has gone."""
        self._room.clear()
        await self._room.wait()

    def leave(self, reason: str) -> None:
        """Cut the connection; its own task does the rest. Only the first reason counts."""
        if not self.wire.is_closing:
            self.farewell = reason
        self.wire.cut()
        self._room.set()

    def overdue(self, now: float) -> str | None:
        """Say why this client must go, if it must."""
        if self._window.full and now - self._progress > self._limits.stall_seconds:
            return "acknowledges nothing"
        if self._keep_alive and not self.held and now - self.wire.heard > _GRACE * self._keep_alive:
            return "silent"
        return None
