"""`GET /healthz`: whether entries are committed."""

import http.client
import json
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from gateway.pulse import Pulses
from gateway.rest.alive import LEAST_FREE
from provisioning.site import Site as WholeSite
from tests.site import Site, a_site
from tests.sites import running_site

PATIENCE = 60


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with a_site(tmp_path) as made:
        yield made


def test_anybody_is_told_that_it_is_well(site: Site) -> None:
    answer = site.browser().get("/healthz")

    assert (answer.status_code, answer.json) == (200, {"ok": True})


def test_it_is_not_while_the_committer_is_not_heard_of(site: Site) -> None:
    site.relay.pulses = Pulses()
    app = site.build()

    answer = app.test_client().get("/healthz")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert answer.json is not None
    assert answer.json["type"] == "urn:blockpost:problem:unwell"
    assert "committer was not heard of for 10 s" in answer.json["detail"]


def test_it_is_not_when_the_disk_is_full(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(site.folder)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=LEAST_FREE - 1))

    answer = site.browser().get("/healthz")

    assert answer.status_code == 503
    assert "disk of the chain is full" in answer.text


def asked(site: WholeSite) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", site.http_port, timeout=PATIENCE)
    try:
        connection.request("GET", "/healthz")
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def until(site: WholeSite, wanted: int) -> Any:
    """What it says once its status is this."""
    deadline = time.monotonic() + PATIENCE
    while (found := asked(site))[0] != wanted:
        assert time.monotonic() < deadline, found
        time.sleep(0.2)
    return found[1]


def committer_of(site: WholeSite) -> psutil.Process:
    assert site._gateway is not None
    for child in psutil.Process(site._gateway.pid).children():
        line = child.cmdline()
        if "gateway.cli" in line and line[line.index("gateway.cli") + 1] == "commit":
            return child
    raise AssertionError("no committer runs")


def test_a_committer_that_stands_still_is_noticed_and_so_is_its_return(tmp_path: Path) -> None:
    with running_site(tmp_path) as site:
        assert until(site, 200) == {"ok": True}
        committer = committer_of(site)

        committer.send_signal(signal.SIGSTOP)
        said = until(site, 503)
        committer.send_signal(signal.SIGCONT)

        assert said["type"] == "urn:blockpost:problem:unwell"
        assert until(site, 200) == {"ok": True}
