"""
What a gateway tells its LAN by multicast DNS (RFC 6762, 6763): that it is there, under which name, and on which ports.

A hint, and no more: anybody on the LAN can say the same. Who joins checks the root that the join code names.
"""

import asyncio
import logging
from collections.abc import Callable
from ipaddress import ip_address

from msgspec import Struct
from zeroconf import Error, ServiceInfo
from zeroconf.asyncio import AsyncZeroconf

from gateway.site import is_loopback

log = logging.getLogger(__name__)

HTTPS = "_https._tcp.local."
MQTTS = "_secure-mqtt._tcp.local."

RETRY_SECONDS = 15.0
"""Until it is tried again, where there is no network yet."""

LOOK_SECONDS = 15.0
"""How often it is looked whether the addresses are still the same."""

PIN_LETTERS = 8
"""Of the pin: enough to tell two gateways apart, and too few to be taken for a proof."""

_LABEL_BYTES = 63

Addresses = Callable[[], list[str]]


class Service(Struct, frozen=True):
    """`origin` is the chain's, `pin` what join codes name the root by, `hosts` what the certificate says."""

    origin: str
    pin: str
    hosts: tuple[str, ...]
    http_port: int
    mqtt_port: int

    @property
    def instance(self) -> str:
        """What a person reads in a list of services."""
        label = f"Blockpost {self.origin.partition('/')[0].partition('.')[0]}"
        return label.encode()[:_LABEL_BYTES].decode(errors="ignore")

    @property
    def server(self) -> str:
        """The name that has the addresses: the one in the certificate, if it is one for this kind of DNS."""
        names = [host for host in self.hosts if not _is_address(host) and not is_loopback(host)]
        local = [name for name in names if name.casefold().rstrip(".").endswith(".local")]
        name = next(iter((*local, *names)), f"blockpost-{self.pin[:PIN_LETTERS]}.local")
        return f"{name.rstrip('.')}."


def infos(service: Service, found: list[str]) -> list[ServiceInfo]:
    """What is announced on a machine with the addresses `found`."""
    properties = {"origin": service.origin, "pin": service.pin[:PIN_LETTERS]}
    # Addresses belong to names of this kind of DNS only; any other name has its own server.
    addresses = found if service.server.endswith(".local.") else []
    return [
        ServiceInfo(
            kind,
            f"{service.instance}.{kind}",
            port=port,
            server=service.server,
            properties=properties,
            parsed_addresses=addresses,
        )
        for kind, port in ((HTTPS, service.http_port), (MQTTS, service.mqtt_port))
    ]


async def keep(service: Service, where: Addresses) -> None:
    """Announce it on the addresses that `where` finds, and anew whenever they change, until this is cancelled."""
    told = ""
    while True:
        reason = "this machine has no address but loopback"
        if found := where():
            try:
                await _announce(service, found, where)
                told = ""
                continue
            except (OSError, Error) as error:
                reason = str(error) or type(error).__name__
        if reason != told:
            told = reason
            log.warning("not announced by mDNS: %s; trying again every %.0f s", reason, RETRY_SECONDS)
        await asyncio.sleep(RETRY_SECONDS)


async def _announce(service: Service, found: list[str], where: Addresses) -> None:
    """Until the addresses are others."""
    network = AsyncZeroconf(interfaces=found)
    try:
        for info in infos(service, found):
            await (await network.async_register_service(info, allow_name_change=True))
        log.info("announced by mDNS name=%s addresses=%s", service.server, ",".join(found))
        while where() == found:  # noqa: ASYNC110 - nobody tells of a change
            await asyncio.sleep(LOOK_SECONDS)
    finally:
        await network.async_unregister_all_services()
        await network.async_close()


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
