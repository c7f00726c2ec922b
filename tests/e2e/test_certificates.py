"""Must hold: a gateway's certificates are renewed, and its root is brought back from paper, and no device is touched."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.x509 import load_pem_x509_certificates

from chain import durable
from gateway.site import Site as GatewaySite
from provisioning.admin import cli as admin
from provisioning.authority import certificates, cli
from provisioning.authority.certificates import RENEW_DAYS, bundle, new_key
from provisioning.authority.stock import Owner, Stock
from provisioning.site import Process, Site
from tests.sites import added, invited, ran, running_site

DEVICE = "fridge-2"
SENSES = 'to = ["admin"]\n[sensors.door]\nmode = "poll"\nevery = 0.5\ncommand = ["echo", "4.5"]\n'
PATIENCE = 120.0


class Agent:
    """A device at work, which is started once and never again."""

    def __init__(self, site: Site) -> None:
        added(site, DEVICE, kind="device")
        done = ran(admin.main, "--home", site.home("admin"), "link", DEVICE, "admin")
        assert done.code == 0, done.err
        (site.home(DEVICE) / "agent.toml").write_text(SENSES, "utf-8")
        self.receipted: set[str] = set()
        self.process: Process = site.device(DEVICE, "run", "--json", hear=self._hear)

    def _hear(self, event: dict[str, Any]) -> None:
        if event["event"] == "receipted":
            self.receipted.add(event["id"])

    def goes_on(self) -> None:
        """Wait until readings are receipted that were not before."""
        before = len(self.receipted)
        until(lambda: len(self.receipted) > before + 3)
        assert self.process.is_running


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("site"), lan=True) as site:
        yield site


@pytest.fixture(scope="module")
def agent(site: Site) -> Iterator[Agent]:
    agent = Agent(site)
    yield agent
    assert agent.process.stop() == 0


def until(condition: Any) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.1)


def stock_of(site: Site) -> Stock:
    gateway = GatewaySite.load(site.directory / "gateway")
    return Stock(gateway.certificates, Owner.of(gateway.settings, gateway.key().account))


def test_a_servers_certificate_is_renewed_while_devices_go_on(site: Site, agent: Agent) -> None:
    agent.goes_on()
    stock, key = stock_of(site), new_key()
    due = datetime.now(UTC) - timedelta(days=RENEW_DAYS, hours=1)
    hosts = GatewaySite.load(site.directory / "gateway").settings.hosts
    old = certificates.server(stock.signer(), key.public_key(), hosts=hosts, now=due)
    durable.write(stock.files.server, bundle(key, [old, stock.signer().certificate, stock.root()]))

    until(lambda: load_pem_x509_certificates(stock.files.server.read_bytes())[0] != old)

    # The web server ends with its certificate, and is started again with the new one.
    until(lambda: "there is a new certificate" in (site.directory / "gateway.log").read_text("utf-8"))
    site.wait_ready()
    agent.goes_on()


def test_the_root_is_brought_back_from_the_recovery_sheet(site: Site, agent: Agent) -> None:
    agent.goes_on()
    pin, before = invited(site, "before").pin, stock_of(site).signer().certificate
    site.root_file.unlink()
    site.stop()

    done = ran(cli.main, "reissue", site.directory / "gateway", "--sheet", site.sheet_file)
    site.start()

    assert done.code == 0, done.err
    assert stock_of(site).signer().certificate != before
    agent.goes_on()
    assert invited(site, "after").pin == pin
    added(site, "fridge-3", kind="device")
