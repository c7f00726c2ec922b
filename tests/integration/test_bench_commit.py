"""The load of `blockpost bench commit`: what it does when the broker loses receipts, and with how many it works."""

import json
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from bench.cli import main
from bench.connection import Loop
from bench.load import Device, Plan
from bench.process import broker
from bench.profile import DISK, SQLITE, STAGES
from bench.site import Ward, now_ms
from bench.stages import REST
from chain import wire
from chain.chain import Chain
from chain.checkpoint import Checkpoint
from chain.encoding import b64url
from chain.receipt import Receipt
from chain.wire import Consistency, ReceiptOf, Receipts

SMALL = ["--entries", "60", "--rounds", "1", "--json"]


def measured(*argv: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert main([*argv, *SMALL]) == 0
    result: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return result


class Told(Device):
    """A device whose broker is in the test's hand."""

    @property
    def held(self) -> Checkpoint:
        return self._held

    def hears(self, message: Receipts) -> None:
        self._arrived(wire.down_topic(self.connection.account, "receipt"), wire.encode(message))


@pytest.fixture
def ward(tmp_path: Path) -> Ward:
    return Ward.make(tmp_path / "site", clients=1).at_free_port()


def device_of(ward: Ward, entries: int) -> Told:
    plan = Plan(
        port=ward.site.settings.mqtt_port,
        senders=ward.senders,
        to=ward.recipient.key.account,
        seen=ward.head(),
        gateway=ward.gateway.key.public,
        entries=entries,
        chain=ward.site.chain_file,
    )
    return Told(plan, ward.senders[0])


def test_a_receipt_after_a_lost_one_is_proven_as_over_rest(ward: Ward) -> None:
    with broker("mosquitto", ward.site):
        device = device_of(ward, entries=2)
        first, second = islice(device._backlog, 2)
        loop = Loop([device.connection])
        loop.until(lambda: device.connection.is_up, "connection")
        device.send(0.0)
        with_chain = Chain.open(ward.site.chain_file, write=True)
        sizes, receipts = [], list[Receipt]()
        for queued in (first, second):
            (outcome,) = with_chain.append(
                [queued.parcel.load()], writer=ward.site.key().writer, now=now_ms()
            )
            receipts += with_chain.receipts([outcome.index])  # type: ignore[union-attr] # it is committed
            sizes.append(with_chain.head.size)
        path = [b64url(value) for value in with_chain.consistency(*sizes)]

        # What told of the first is lost; the second's continues a checkpoint that was never seen.
        device.hears(Receipts([ReceiptOf(second.id, receipts[1].to_text())], Consistency(sizes[0], path)))
        device.hears(Receipts([ReceiptOf(first.id, receipts[0].to_text())]))

        with_chain.close()
        loop.close()
    assert device.is_done
    assert device.held.size == sizes[1]


def test_a_sweep_has_each_number_of_clients(capsys: pytest.CaptureFixture[str]) -> None:
    result = measured("commit", "--no-growth", "--clients", "2", "--sweep", "1", "3", capsys=capsys)

    assert (result["clients"], [each["clients"] for each in result["sweep"]]) == (2, [1, 3])
    for each in (result, *result["sweep"]):
        assert each["ratio"] == round(each["rate"] / each["floor"], 2)
        assert 0 < each["p50_ms"] <= each["p99_ms"] <= each["p999_ms"]


def test_the_floor_is_measured_by_itself(capsys: pytest.CaptureFixture[str]) -> None:
    result = measured("floor", "--clients", "3", capsys=capsys)

    assert (result["broker"], result["entries"]) == ("mosquitto", 60)
    assert result["rate"] > 0
    assert set(result["cpu_us"]) == {"broker", "clients", "subscriber"}


def test_a_profile_shares_out_what_the_committer_computes(capsys: pytest.CaptureFixture[str]) -> None:
    result = measured("profile", "--clients", "2", capsys=capsys)

    assert set(result["committer"]) == {"1", "16", "64", "256"}
    for stages in result["committer"].values():
        assert {*STAGES, SQLITE, DISK, REST} == set(stages)
        assert all(stages[stage] > 0 for stage in ("parse", "signature", "rules", SQLITE))
    assert result["mqtt"] > 0
    assert set(result["processes"]) == {"broker", "checker", "clients", "committer"}
