"""Both doctors on a site at work: all is well, and what is taken away is found."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from device import cli as device_cli
from gateway import cli as gateway_cli
from provisioning import gateway as provisioning_gateway
from provisioning.site import Site
from tests.sites import added, processes_of, ran, running_site

PATIENCE = 60.0
MACHINES = {"clock", "fsync", "disk"}
"""What depends on the machine that the tests run on."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("site")) as site:
        added(site, "dr.lee")
        added(site, "sensor-1", kind="device")
        yield site


def levels(text: str) -> dict[str, str]:
    found = {each["what"]: each["level"] for each in map(json.loads, text.splitlines())}
    return {what: level for what, level in found.items() if what not in MACHINES}


def gateway(site: Site) -> dict[str, str]:
    return levels(ran(gateway_cli.main, "doctor", site.directory / "gateway", "--json").out)


def account(home: Path) -> dict[str, str]:
    return levels(ran(device_cli.main, "--home", home, "doctor", "--json").out)


def test_a_gateway_at_work_is_well(site: Site) -> None:
    deadline = time.monotonic() + PATIENCE
    while gateway(site).get("committer") != "ok":
        assert time.monotonic() < deadline, "the committer's pulse is heard"
        time.sleep(0.1)

    assert set(gateway(site).values()) == {"ok"}
    assert {"broker", "web", "committer", "chain"} <= set(gateway(site))


def test_an_account_at_work_is_well(site: Site) -> None:
    found = account(site.home("sensor-1"))

    assert set(found.values()) == {"ok"}
    assert {"gateway", "account", "trust", "time", "broker", "outbox"} <= set(found)


def test_an_account_that_was_revoked_is_told_so(site: Site) -> None:
    site.admin("admin", "revoke", "dr.lee", "--reason", "left")

    found = account(site.home("dr.lee"))

    assert found["account"] == "problem"
    assert found["gateway"] == "ok"


def test_another_gateway_on_its_ports_is_found(site: Site, tmp_path: Path) -> None:
    ports = ("--http-port", str(site.http_port), "--mqtt-port", str(site.mqtt_port))
    ran(provisioning_gateway.main, "init", tmp_path / "other", *ports)

    done = ran(gateway_cli.main, "doctor", tmp_path / "other", "--json")

    assert (done.code, levels(done.out)["web"]) == (1, "problem")


def test_a_gateway_that_serves_a_lan_is_well_at_work_and_what_ends_is_found(tmp_path: Path) -> None:
    with running_site(tmp_path, lan=True) as site:
        deadline = time.monotonic() + PATIENCE
        # The parts that nobody waits for at the start: the page with the root, and who signs certificates.
        while set(well := gateway(site).values()) != {"ok"}:
            assert time.monotonic() < deadline, gateway(site)
            time.sleep(0.5)
        after = gateway(site)
        for part in ("authority", "welcome"):
            for process in processes_of(site, part):
                process.suspend()

        without = gateway(site)

    assert set(well) == {"ok"}
    parts = {
        "certificates",
        "root",
        "names",
        "addresses",
        "authority",
        "mosquitto",
        "broker",
        "welcome",
        "web",
        "committer",
    }
    assert parts <= set(after)
    assert {what for what, level in without.items() if level != "ok"} == {"authority", "welcome"}
