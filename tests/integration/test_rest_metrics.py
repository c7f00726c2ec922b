"""What Prometheus is told, and the dashboard that draws it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway.pulse import Meter, Pulses
from tests.offices import LanSite
from tests.site import Site, a_site

ROOT = Path(__file__).parents[2]
DASHBOARD = json.loads((ROOT / "docs" / "grafana.json").read_text("utf-8"))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with a_site(tmp_path) as made:
        yield made


def scraped(site: Site) -> dict[str, float]:
    """Each sample by its name and labels, as Prometheus's own parser reads them."""
    answer = site.browser().get("/metrics")
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain; version=")
    return {
        f"{sample.name}{{{','.join(f'{name}={value}' for name, value in sorted(sample.labels.items()))}}}": sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_it_tells_how_the_chain_is(site: Site) -> None:
    site.clock.now = site.world.now + 5_000

    told = scraped(site)

    head = site.world.chain.head
    assert told["blockpost_chain_entries{}"] == head.size
    assert told["blockpost_chain_height{}"] == head.height
    assert told["blockpost_checkpoint_age_seconds{}"] == pytest.approx(5, abs=1)
    assert told["blockpost_chain_bytes{}"] >= site.world.path.stat().st_size
    assert told["blockpost_disk_free_bytes{}"] > 0


def test_it_tells_what_the_committer_did(site: Site) -> None:
    meter = Meter()
    meter.count(blocks=1, entries=3, refused=["gap", "gap", "key"], seconds=0.02)
    meter.count(blocks=1, entries=1, refused=[], seconds=0.2)
    site.relay.pulses.hear(meter.pulse())

    told = scraped(site)

    assert told["blockpost_committer_up{}"] == 1
    assert (told["blockpost_blocks_total{}"], told["blockpost_entries_total{}"]) == (2, 4)
    assert (told["blockpost_refusals_total{rule=gap}"], told["blockpost_refusals_total{rule=key}"]) == (2, 1)
    assert told["blockpost_block_seconds_bucket{le=0.025}"] == 1
    assert told["blockpost_block_seconds_bucket{le=+Inf}"] == told["blockpost_block_seconds_count{}"] == 2
    assert told["blockpost_block_seconds_sum{}"] == pytest.approx(0.22)


def test_where_the_committer_is_not_heard_of_it_says_so_and_makes_nothing_up(site: Site) -> None:
    site.relay.pulses = Pulses()
    site.app = site.build()

    told = scraped(site)

    assert told["blockpost_committer_up{}"] == 0
    assert not [name for name in told if name.startswith(("blockpost_entries", "blockpost_block_seconds"))]


def test_it_tells_who_is_there(site: Site) -> None:
    site.browser(site.alice)
    site.browser(site.bob)
    listening = site.get(site.alice, "/v1/events", buffered=False)
    site.relay.presence.connected(site.fridge.id)

    told = scraped(site)
    listening.close()

    assert told["blockpost_sessions{}"] == 2
    assert told["blockpost_open_streams{}"] == 1
    assert told["blockpost_accounts_online{}"] == 2
    assert scraped(site)["blockpost_open_streams{}"] == 0


def test_a_session_that_expired_is_not_counted(site: Site) -> None:
    site.browser(site.alice)
    site.clock.now += 13 * 3_600_000

    assert scraped(site)["blockpost_sessions{}"] == 0


def test_requests_are_counted_by_route_and_status_and_by_nothing_that_a_caller_chose(site: Site) -> None:
    site.get(site.alice, f"/v1/accounts/{site.bob.id}")
    site.get(site.alice, f"/v1/accounts/{site.carol.id}")
    site.browser().open("/some/where", method="BREW")

    told = scraped(site)

    count = "blockpost_request_seconds_count{{method={},route={},status={}}}"
    assert told[count.format("GET", "/v1/accounts/<account>", 200)] == 1
    assert told[count.format("GET", "/v1/accounts/<account>", 404)] == 1
    assert told[count.format("other", "other", 404)] == 1


@pytest.mark.parametrize(
    ("address", "status"), [("127.0.0.1", 200), ("::1", 200), ("192.168.1.20", 401), ("", 401)]
)
def test_from_elsewhere_it_is_for_admins(site: Site, address: str, status: int) -> None:
    def asked(headers: dict[str, str]) -> int:
        return (
            site.browser().get("/metrics", headers=headers, environ_base={"REMOTE_ADDR": address}).status_code
        )

    assert asked({}) == status
    assert asked(site.bearer(site.admin)) == 200
    assert asked(site.bearer(site.alice)) == (200 if status == 200 else 403)


def test_nobody_is_named(site: Site) -> None:
    site.browser(site.alice)
    site.get(site.alice, f"/v1/accounts/{site.bob.id}")
    text = site.browser().get("/metrics").text

    assert all(word not in text for word in ("alice", "bob", site.alice.id, site.bob.id))


@pytest.fixture
def lan(site: Site, tmp_path: Path) -> Site:
    """One that has all there is to tell of."""
    return LanSite(site, tmp_path / "tls").site


def test_the_dashboard_draws_what_there_is_and_all_of_it(lan: Site) -> None:
    text = lan.browser().get("/metrics").text
    names = set(re.findall(r"^# TYPE (blockpost_\w+)", text, re.MULTILINE))
    drawn = {
        name
        for panel in DASHBOARD["panels"]
        for target in panel["targets"]
        for name in re.findall(r"blockpost_\w+", target["expr"])
    }

    assert {re.sub(r"_(bucket|count|sum)$", "", name) for name in drawn} == names


def test_every_metric_is_written_down(lan: Site) -> None:
    protocol = (ROOT / "docs" / "protocol.md").read_text("utf-8")
    text = lan.browser().get("/metrics").text

    written = set(re.findall(r"^\| `(blockpost_\w+)`", protocol, re.MULTILINE))
    assert written == set(re.findall(r"^# TYPE (blockpost_\w+)", text, re.MULTILINE))
