"""`blockpost bench`: that it measures what it says. No figure is asserted: another machine has others."""

import json
from typing import Any

import pytest

from bench.cli import main

SMALL = ["--entries", "300", "--clients", "3", "--rounds", "1", "--no-growth", "--json"]


def measured(*argv: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert main(argv) == 0
    result: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return result


@pytest.mark.parametrize("broker", ["embedded", "mosquitto"])
def test_every_entry_is_receipted_and_every_figure_printed(
    broker: str, capsys: pytest.CaptureFixture[str]
) -> None:
    result = measured("commit", "--broker", broker, *SMALL, capsys=capsys)

    assert (result["broker"], result["receipted"]) == (broker, 300)
    assert result["ratio"] == round(result["rate"] / result["floor"], 2)
    assert 0 < result["p50_ms"] <= result["p99_ms"]
    assert result["rate_1000"] > 0
    assert result["rate_100000"] is None
    assert set(result["cpu_us"]) == {"broker", "checker", "clients", "committer"}
    assert set(result["floor_cpu_us"]) == {"broker", "clients", "subscriber"}
    assert result["sweep"] == []
    assert result["machine"]["cores"] >= 1


def test_a_steady_load_takes_as_long_as_it_should(capsys: pytest.CaptureFixture[str]) -> None:
    result = measured("commit", "--rate", "100", *SMALL, capsys=capsys)

    assert (result["offered"], result["receipted"]) == (100, 300)
    assert result["rate"] <= 110


def test_the_rate_under_contracts_is_measured_beside_the_rate_without(
    capsys: pytest.CaptureFixture[str],
) -> None:
    few = (
        "--entries",
        "300",
        "--clients",
        "3",
        "--rounds",
        "1",
        "--contracts",
        "20",
        "--alerts",
        "10",
        "--json",
    )
    result = measured("contracts", *few, capsys=capsys)

    assert (result["contracts"], result["alerts"], result["receipted"]) == (20, 10, 600)
    assert result["ratio"] == round(result["rate"] / result["without"], 2)
    assert (
        set(result["cpu_us"])
        == set(result["cpu_without_us"])
        == {"broker", "checker", "clients", "committer"}
    )


def test_an_agent_at_rest_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    result = measured("agent", "--messages", "20", "--rates", "20", "--json", capsys=capsys)

    assert result["full_rss_mb"] > result["rss_mb"] >= result["pss_mb"] > 0
    assert result["cpu_ms"] == {"20": result["cpu_ms_per_message"]}
    assert result["start_s"] > 0
    assert result["cpu_ms_per_message"] > 0


def test_a_broker_that_is_not_installed_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.process.shutil.which", lambda *_args, **_kwargs: None)

    assert main(["commit", "--broker", "mosquitto", *SMALL]) == 1

    assert "apt-get install mosquitto" in capsys.readouterr().err
