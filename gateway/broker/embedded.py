"""
The broker itself: amqtt's, with everything that happens on a connection replaced.

amqtt starts, stops and reads the rare packets. Its sessions, queues and tasks per message
are not used: they lose, reorder and grow (tests/integration/test_broker.py names each hole).
A connection is one task that handles its packets one after the other, so the messages of one
publisher reach one subscriber in the order they came.
"""

import asyncio
import logging
import socket
from collections.abc import AsyncGenerator
from contextlib import aclosing

from amqtt.broker import Broker  # type: ignore[import-untyped]
from amqtt.contexts import BrokerConfig, ListenerConfig  # type: ignore[import-untyped]

from gateway.broker.door import Door
from gateway.broker.greeting import Greeting, TurnedAway, read_greeting
from gateway.broker.limits import Limits
from gateway.broker.packets import (
    PINGRESP,
    Connack,
    Frame,
    Kind,
    Message,
    Violation,
    connack,
    puback,
    read_puback,
    read_publish,
    suback,
    unsuback,
)
from gateway.broker.peer import Peer
from gateway.broker.rare import read_subscribe, read_unsubscribe
from gateway.broker.subscriptions import Subscriptions
from gateway.broker.topics import may_publish, may_retain, may_subscribe
from gateway.broker.wire import Wire

log = logging.getLogger(__name__)

_REFUSED = 0x80
"""MQTT 3.1.1 section 3.9.3: this filter is not subscribed."""

_WATCH_SECONDS = 0.25


class EmbeddedBroker(Broker):  # type: ignore[misc] # amqtt has no types
    """
    Serves the sockets that `listener`, already bound, accepts.

    The client named `gateway`, the committer, is the one that others wait for when it is full;
    everybody else who does not keep up is cut off, and asks for what it missed when it is back.
    """

    def __init__(self, listener: socket.socket, door: Door, *, gateway: str, limits: Limits) -> None:
        super().__init__(BrokerConfig(listeners={"default": ListenerConfig(bind="127.0.0.1:0")}, plugins={}))
        self._listener = listener
        self._door = door
        self._gateway = gateway
        self._limits = limits
        self._wires: dict[Wire, asyncio.Task[None]] = {}
        self._peers: dict[str, Peer] = {}
        self._routes: Subscriptions[Peer] = Subscriptions()
        self._kept: dict[str, Message] = {}
        self._crowded = False
        self._accepting: asyncio.Server | None = None

    async def _create_server_instance(self, *_: object) -> asyncio.Server:
        self._accepting = await asyncio.start_server(self._connected, sock=self._listener)
        return self._accepting

    async def shutdown(self) -> None:
        """Nobody is told that a client is gone when it is the broker that goes: wills stay unsaid."""
        if self._accepting is not None:
            self._accepting.close()
        for peer in self._peers.values():
            peer.will = None
        tasks = list(self._wires.values())
        for wire in self._wires:
            wire.cut()
        await asyncio.gather(*tasks, return_exceptions=True)
        await super().shutdown()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wire = Wire(
            reader, writer, packet_bytes=self._limits.connect_bytes, unsent_bytes=self._limits.unsent_bytes
        )
        task = asyncio.current_task()
        if task is None or not self._has_place():
            wire.cut()
            return
        self._wires[wire] = task
        try:
            await self._attend(wire)
        except TurnedAway as error:
            log.info("client refused reason=%s", error)
            wire.send(connack(error.code))
            wire.close()
        except (Violation, OSError) as error:
            log.info("connection closed reason=%s", error)
        finally:
            del self._wires[wire]
            if not wire.is_closing:
                wire.cut()

    def _has_place(self) -> bool:
        crowded = len(self._wires) >= self._limits.connections
        if crowded != self._crowded:
            log.warning("connections %s limit=%d", "full" if crowded else "free", self._limits.connections)
        self._crowded = crowded
        return not crowded

    async def _attend(self, wire: Wire) -> None:
        async with aclosing(wire.packets()) as packets:
            first = await self._first(packets)
            peer = await self._seat(wire, await read_greeting(first, self._door, self._limits))
            try:
                async for frame in packets:
                    await self._handle(peer, frame)
            except (Violation, OSError) as error:
                peer.leave(str(error))
            finally:
                await self._unseat(peer)

    async def _first(self, packets: AsyncGenerator[Frame, None]) -> Frame:
        try:
            async with asyncio.timeout(self._limits.connect_seconds):
                return await anext(packets)
        except TimeoutError as error:
            raise Violation("no CONNECT in time") from error
        except StopAsyncIteration as error:
            raise Violation("gone before CONNECT") from error

    async def _seat(self, wire: Wire, greeting: Greeting) -> Peer:
        ours = greeting.client_id == self._gateway
        peer = Peer(greeting, wire, self._limits.of_committer if ours else self._limits)
        while old := self._peers.get(peer.client_id):
            old.leave("taken over by a newer connection")
            await self._unseat(old)
        self._peers[peer.client_id] = peer
        wire.frames.limit = self._limits.packet_bytes
        wire.send(connack(Connack.ACCEPTED))
        log.info("client up id=%s", peer.client_id)
        return peer

    async def _unseat(self, peer: Peer) -> None:
        """Forget all of a client but what it left to be kept. Only the first call for a client counts."""
        if self._peers.get(peer.client_id) is not peer:
            return
        del self._peers[peer.client_id]
        self._routes.drop(peer)
        peer.leave("connection lost")
        log.info("client down id=%s reason=%s", peer.client_id, peer.farewell)
        if peer.will is not None:
            await self._pass_on(peer.will, sender=peer)

    async def _handle(self, peer: Peer, frame: Frame) -> None:
        match frame.kind:
            case Kind.PUBLISH:
                await self._publish(peer, frame)
            case Kind.PUBACK:
                peer.acknowledge(read_puback(frame))
            case Kind.PINGREQ:
                peer.wire.send(PINGRESP)
            case Kind.SUBSCRIBE:
                await self._subscribe(peer, frame)
            case Kind.UNSUBSCRIBE:
                await self._unsubscribe(peer, frame)
            case Kind.DISCONNECT:
                peer.will = None
                peer.leave("goodbye")
            case kind:
                raise Violation(f"packet type {kind} from a client")

    async def _publish(self, peer: Peer, frame: Frame) -> None:
        message, packet_id = read_publish(frame)
        if not may_publish(peer.account, message.topic, gateway=self._gateway):
            raise Violation("PUBLISH to a topic not its own")
        if message.retain and not may_retain(message.topic):
            raise Violation("PUBLISH with retain to a topic that keeps nothing")
        if message.retain and len(message.payload) > self._limits.retained_bytes:
            raise Violation(f"PUBLISH with retain of more than {self._limits.retained_bytes} bytes")
        await self._pass_on(message, sender=peer)
        if message.qos:
            peer.wire.send(puback(packet_id))

    async def _pass_on(self, message: Message, *, sender: Peer) -> None:
        if message.retain:
            self._keep(message)
        for peer, granted in self._routes.matching(message.topic).items():
            qos = min(message.qos, granted)
            if qos and peer.is_full:
                await self._make_room(peer, sender)
            if not peer.wire.is_closing:
                peer.send(message, qos, retain=False)
            if qos and peer.is_crowded and peer.client_id == self._gateway:
                # Whoever has more to send lets the others go first: one of them alone would take all the places.
                await asyncio.sleep(0)

    async def _make_room(self, peer: Peer, sender: Peer) -> None:
        """
        Hold the sender until the committer has room again; a slow device costs nobody else's time.

        Nobody waits for the gateway's second client: it and the committer would wait for each other.
        """
        if peer.client_id != self._gateway or peer is sender:
            peer.leave("too many messages unacknowledged")
            return
        sender.held = True
        while peer.is_full and not peer.wire.is_closing:
            await peer.room()
        sender.held = False
        sender.wire.heard = asyncio.get_running_loop().time()

    def _keep(self, message: Message) -> None:
        """MQTT 3.1.1 section 3.3.1.3: an empty payload clears what was kept."""
        if message.payload:
            self._kept[message.topic] = message
        else:
            self._kept.pop(message.topic, None)

    async def _subscribe(self, peer: Peer, frame: Frame) -> None:
        subscribe = await read_subscribe(frame)
        if len(subscribe.filters) > self._limits.subscriptions:
            raise Violation("SUBSCRIBE to more than a client may have")
        codes = [self._grant(peer, topic_filter, qos) for topic_filter, qos in subscribe.filters]
        peer.wire.send(suback(subscribe.packet_id, codes))
        for (topic_filter, _), code in zip(subscribe.filters, codes, strict=True):
            if code != _REFUSED:
                await self._send_kept(peer, topic_filter, code)
        # Looking through what is kept takes a while: others come in between two SUBSCRIBEs of one client.
        await asyncio.sleep(0)

    def _grant(self, peer: Peer, topic_filter: str, qos: int) -> int:
        known = self._routes.has(peer, topic_filter)
        if not known and self._routes.count(peer) >= self._limits.subscriptions:
            return _REFUSED
        if not may_subscribe(peer.account, topic_filter, gateway=self._gateway):
            return _REFUSED
        granted = min(qos, 1)
        self._routes.add(peer, topic_filter, granted)
        return granted

    async def _send_kept(self, peer: Peer, topic_filter: str, granted: int) -> None:
        for topic, message in list(self._kept.items()):
            if self._matches(topic, topic_filter):
                qos = min(message.qos, granted)
                if qos and peer.is_full:
                    await self._make_room(peer, peer)
                if peer.wire.is_closing:
                    return
                peer.send(message, qos, retain=True)

    async def _unsubscribe(self, peer: Peer, frame: Frame) -> None:
        unsubscribe = await read_unsubscribe(frame)
        for topic_filter in unsubscribe.filters:
            self._routes.remove(peer, topic_filter)
        peer.wire.send(unsuback(unsubscribe.packet_id))

    async def _session_monitor(self) -> None:
        """Run in amqtt's place for the same errand: see, all the time, who has gone without saying so, or must go."""
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            now = asyncio.get_running_loop().time()
            for peer in list(self._peers.values()):
                if reason := peer.overdue(now):
                    peer.leave(reason)
            self._expel()

    def _expel(self) -> None:
        try:
            expelled = self._door.expelled({peer.account for peer in self._peers.values()})
        except Exception:
            # Without this loop nobody would be given up any more.
            log.exception("nobody could be expelled")
            return
        for peer in list(self._peers.values()):
            if peer.account in expelled:
                peer.leave("revoked")
