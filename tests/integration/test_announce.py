"""What is announced by mDNS, heard by a real browser of services over the real network stack."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from zeroconf import ServiceBrowser, ServiceInfo, ServiceListener, Zeroconf

from gateway import announce
from gateway.announce import HTTPS, MQTTS, Service, infos

PATIENCE = 90
PIN = "abcdefgh" + 44 * "q"
SERVICE = Service(f"ward-3.example/{26 * 'x'}", PIN, ("192.0.2.7", "ward-gw.local"), 8443, 8883)


@dataclass
class Heard(ServiceListener):
    """What a browser of services on loopback has heard."""

    found: dict[str, ServiceInfo | None] = field(default_factory=dict)

    def add_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        # Who has gone meanwhile does not answer; that this is so comes next.
        self.found[name] = zc.get_service_info(type_, name, timeout=1000)

    def remove_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        self.found.pop(name, None)

    def update_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        self.add_service(zc, type_, name)


@pytest.fixture
def heard() -> Iterator[Heard]:
    network = Zeroconf(interfaces=["127.0.0.1"])
    listener = Heard()
    browser = ServiceBrowser(network, [HTTPS, MQTTS], listener)
    yield listener
    browser.cancel()
    network.close()


async def until(happened: Iterator[bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not next(happened):  # noqa: ASYNC110 - a thread of zeroconf's hears it
            await asyncio.sleep(0.05)


async def end(announced: asyncio.Task[None]) -> None:
    announced.cancel()
    with suppress(asyncio.CancelledError):
        await announced


def test_a_browser_of_services_hears_of_it_until_it_ends(heard: Heard) -> None:
    https, mqtts = (f"Blockpost ward-3.{kind}" for kind in (HTTPS, MQTTS))

    async def meet() -> dict[str, ServiceInfo | None]:
        announced = asyncio.create_task(announce.keep(SERVICE, lambda: ["127.0.0.1"]))
        await until(all(heard.found.get(name) for name in (https, mqtts)) for _ in iter(int, 1))
        found = dict(heard.found)
        await end(announced)
        await until(not heard.found for _ in iter(int, 1))
        return found

    found = asyncio.run(meet())

    web, broker = found[https], found[mqtts]
    assert web is not None
    assert broker is not None
    assert (web.server, web.port) == ("ward-gw.local.", 8443)
    assert (broker.server, broker.port) == ("ward-gw.local.", 8883)
    assert web.parsed_addresses() == broker.parsed_addresses() == ["127.0.0.1"]
    assert web.decoded_properties == {"origin": SERVICE.origin, "pin": "abcdefgh"}


def test_it_is_announced_anew_when_the_address_changes(heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announce, "LOOK_SECONDS", 0.05)
    name = f"Blockpost ward-3.{HTTPS}"
    here = ["127.0.0.1"]

    def shown() -> list[str]:
        info = heard.found.get(name)
        return info.parsed_addresses() if info else []

    async def meet() -> list[str]:
        announced = asyncio.create_task(announce.keep(SERVICE, lambda: list(here)))
        await until(shown() == ["127.0.0.1"] for _ in iter(int, 1))
        here[:] = ["127.0.0.1", "127.0.0.2"]
        await until(len(shown()) > 1 for _ in iter(int, 1))
        after = shown()
        await end(announced)
        return after

    assert sorted(asyncio.run(meet())) == ["127.0.0.1", "127.0.0.2"]


# zeroconf leaves a socket to the collector when it cannot have the other one.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("found", [[], ["203.0.113.99"]], ids=["no address", "an address that is not there"])
def test_without_a_network_it_says_so_once_and_goes_on_trying(
    found: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(announce, "RETRY_SECONDS", 0.01)
    asked = 0

    def where() -> list[str]:
        nonlocal asked
        asked += 1
        return found

    async def meet() -> None:
        announced = asyncio.create_task(announce.keep(SERVICE, where))
        await until(asked > 4 for _ in iter(int, 1))
        await end(announced)

    asyncio.run(meet())

    assert [record.levelname for record in caplog.records if record.name == "gateway.announce"] == ["WARNING"]


@pytest.mark.parametrize(
    ("hosts", "server", "addresses"),
    [
        (("gw.ward.example",), "gw.ward.example.", []),
        (("192.0.2.7",), "blockpost-abcdefgh.local.", ["192.0.2.7"]),
        (("localhost",), "blockpost-abcdefgh.local.", ["192.0.2.7"]),
        (("gw.ward.example", "GW.local."), "GW.local.", ["192.0.2.7"]),
    ],
)
def test_the_name_is_one_of_the_certificate_if_there_is_one(
    hosts: tuple[str, ...], server: str, addresses: list[str]
) -> None:
    web, broker = infos(Service(SERVICE.origin, PIN, hosts, 8443, 8883), ["192.0.2.7"])

    assert (web.server, broker.server) == (server, server)
    assert web.parsed_addresses() == addresses


def test_a_long_name_is_shortened_to_what_dns_holds() -> None:
    web, _ = infos(Service("ü" * 60 + "/x", PIN, ("a.local",), 8443, 8883), ["192.0.2.7"])

    assert len(web.get_name().encode()) <= 63
