"""Must hold: junk from an enrolled device, and from strangers, costs the gateway nothing and honest ones little."""

import os
import random
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any

import paho.mqtt.client as mqtt
import psutil
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from chain import token, wire
from chain.audit import audit
from chain.encoding import b64url, digest
from device.client import Client, Home
from device.errors import Unreachable
from device.tls import Tls
from gateway.tls import Files
from provisioning.site import Site
from tests.sites import BOTH_KINDS

JUNK = 6_000
STRANGERS = 300
PATIENCE = 10
MIB = 2**20
BOUND = 160 * MIB
"""What all of the gateway's processes together may grow by: far less than the junk that was sent."""


pytestmark = BOTH_KINDS


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, *, lan: bool) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("site"), lan=lan)
    code = site.init(admin="admin")
    site.start()
    try:
        site.join("admin", code, name="Admin")
        for handle, kind in (("dr.lee", "person"), ("honest", "device"), ("hostile", "device")):
            site.join(handle, site.admin("admin", "invite", handle, "--kind", kind).strip(), name=handle)
        site.admin("admin", "link", "honest", "dr.lee")
        yield site
    finally:
        site.stop()


def resident(site: Site) -> int:
    """Bytes that the gateway's processes hold."""
    wanted = str(site.directory / "gateway")
    running = psutil.process_iter(["cmdline", "memory_info"])
    return sum(
        process.info["memory_info"].rss
        for process in running
        if process.info["cmdline"] and process.info["cmdline"][-1] == wanted
    )


class Hostile:
    """An enrolled device's own client, speaking whatever it likes; connects again when it is thrown out."""

    def __init__(self, site: Site) -> None:
        self.refusals: list[bytes] = []
        self.connections = 0
        with closing(Client(Home(site.home("hostile")))) as client:
            self.account = client.account
            password = client.gateway.token(token.MQTT)
            self.key, self.origin = client.membership.gateway_key, client.membership.origin
        self.mqtt = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=self.account, clean_session=True)
        if site.lan:
            self.mqtt.tls_set_context(Tls(site.home("hostile")).context(own=True))
        else:
            self.mqtt.username_pw_set(self.account, password)
        self.mqtt.on_connect = self._connected
        self.mqtt.on_message = lambda _client, _data, message: self.refusals.append(bytes(message.payload))
        self.mqtt.reconnect_delay_set(1, 1)
        self.mqtt.connect("localhost", site.mqtt_port)
        self.mqtt.loop_start()

    def _connected(self, client: mqtt.Client, *_: Any) -> None:
        self.connections += 1
        client.subscribe(wire.down_topic(self.account, "refusal"), qos=1)

    def stop(self) -> None:
        self.mqtt.disconnect()
        self.mqtt.loop_stop()


def junk(chance: random.Random) -> bytes:
    """Anything: noise, half-made parcels, JSON bombs, parcels too large."""
    match chance.randrange(5):
        case 0:
            return os.urandom(chance.randrange(2_000))
        case 1:
            return b'{"entry":"' + secrets.token_hex(2_000).encode() + b'.e30.AA"}'
        case 2:
            return b"[" * chance.randrange(100_000)
        case 3:
            return b'{"entry":"\\ud800","body":"\\ud800","salt":"' + b"A" * 43 + b'"}'
        case _:
            return b'{"entry":"' + b"e" * 70_000 + b'"}'


def test_a_flood_of_junk_is_refused_in_bounded_memory_while_others_are_served(site: Site) -> None:
    chance = random.Random(1)
    hostile = Hostile(site)
    before = resident(site)

    def flood() -> None:
        for _ in range(JUNK):
            hostile.mqtt.publish(wire.up_topic(hostile.account, "entry"), junk(chance), qos=0)

    thread = threading.Thread(target=flood)
    thread.start()
    with closing(Client(Home(site.home("honest")))) as honest:
        while thread.is_alive():
            hand_in(honest, "still here")
    thread.join()
    until_refused(hostile, b"the last of it")
    hostile.stop()

    assert resident(site) - before < BOUND
    for refusal in hostile.refusals[:50]:
        said = wire.read_refusal(refusal, key=hostile.key, origin=hostile.origin)
        assert said.rule in ("malformed", "oversized")
    assert audit(site.chain_file).size > 10


def hand_in(client: Client, text: str) -> None:
    """As a device does: what was not decided in time is handed in again, the same."""
    queued = client.write_message(client.directory.addressee("dr.lee"), text, cty="text/plain")
    for _ in range(PATIENCE):
        with suppress(Unreachable):
            client.submit(queued)
            return
    raise AssertionError(f"not committed in {PATIENCE} tries: {text}")


def until_refused(hostile: Hostile, payload: bytes) -> None:
    """
    The committer answers in order: once it refuses this, it has had everything before it.

    A broker whose queue is full acknowledges what comes, and drops it: so it is sent again, as an author does.
    """
    wanted = b64url(digest(payload))
    for turn in range(600):
        if turn % 50 == 0:
            hostile.mqtt.publish(wire.up_topic(hostile.account, "entry"), payload, qos=1)
        read = (
            wire.read_refusal(each, key=hostile.key, origin=hostile.origin) for each in hostile.refusals[-5:]
        )
        if any(said.digest == wanted for said in read):
            return
        threading.Event().wait(0.1)
    raise AssertionError("the last message was never refused")


def test_strangers_at_the_brokers_door_cost_it_nothing(site: Site) -> None:
    before = resident(site)

    for _ in range(STRANGERS):
        with socket.create_connection(("127.0.0.1", site.mqtt_port)) as stranger:
            stranger.sendall(os.urandom(4_096))

    assert resident(site) - before < BOUND
    with closing(Client(Home(site.home("honest")))) as honest:
        hand_in(honest, "and now")


def test_the_gateway_logged_no_traceback(site: Site) -> None:
    assert "Traceback" not in (site.directory / "gateway.log").read_text("utf-8")


def test_no_home_of_the_site_is_readable_by_others(site: Site) -> None:
    secrets_of = [*site.directory.glob("*/keys-*.json"), site.directory / "gateway" / "gateway.key"]
    if site.lan:
        files = Files(site.directory / "gateway" / "tls")
        secrets_of += [files.issuing_key, files.server, files.committer, files.web, site.root_file]
        secrets_of += site.directory.glob("*/tls.pem")

    assert len(secrets_of) == (14 if site.lan else 5)
    for path in secrets_of:
        assert path.stat().st_mode & 0o077 == 0, path
        assert path == site.root_file or path.parent.stat().st_mode & 0o077 == 0, path.parent
