"""`blockpost admin` and `provision bulk` where a LAN is served: over HTTPS, with certificates."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from device.joinfile import JoinFile
from provisioning import bulk, cli
from provisioning.admin import cli as admin
from provisioning.site import Site
from tests.sites import Done, added, enter, ran, running_site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("site"), lan=True) as site:
        yield site


def as_admin(site: Site, *words: str | Path) -> Done:
    done = ran(admin.main, "--home", site.home("admin"), *words)
    assert done.code == 0, done.err + done.out
    return done


def states(site: Site) -> dict[str, str]:
    """The state of the certificate of each device."""
    lines = map(json.loads, as_admin(site, "devices", "--json").out.splitlines())
    return {line["handle"]: line["state"] for line in lines}


def test_a_device_s_certificate_is_listed_until_when_it_is_good(site: Site) -> None:
    added(site, "fridge-1", kind="device")

    assert states(site)["fridge-1"] == "in force"
    assert "fridge-1" in as_admin(site, "certificates").out
    assert "fridge-1" not in as_admin(site, "certificates", "--expired").out


def test_an_admin_lets_a_device_renew(site: Site) -> None:
    added(site, "fridge-2", kind="device")

    assert as_admin(site, "renew", "fridge-2").out.startswith("fridge-2 may have a new certificate until ")


def test_status_says_how_long_certificates_and_the_revocation_list_are_good(site: Site) -> None:
    lines = [json.loads(line) for line in as_admin(site, "status", "--json").out.splitlines()]

    levels = {line["what"]: line["level"] for line in lines}
    assert (levels["certificates"], levels["revocations"]) == ("ok", "ok")


def test_a_join_file_names_the_root_and_lets_a_device_in(site: Site, tmp_path: Path) -> None:
    done = ran(cli.main, "bulk", "--home", site.home("admin"), "--out", tmp_path, "fridge-3")
    assert done.code == 0, done.err
    found = JoinFile.load(tmp_path / "fridge-3" / bulk.FILE)

    enter(site, "fridge-3", found.code, name=found.name)

    assert found.code.is_lan
    assert states(site)["fridge-3"] == "in force"


def test_the_log_is_taken_away_over_https(site: Site, tmp_path: Path) -> None:
    assert "hashes, links and signatures hold" in as_admin(site, "download", tmp_path / "log.jsonl").out
