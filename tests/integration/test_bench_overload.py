"""`blockpost bench overload`, for seconds: that it measures what it says. No figure is asserted."""

import json
from pathlib import Path

import pytest

from bench import overload
from bench.cli import main

SHORT = {
    "ALONE_SECONDS": 2.0,
    "WARM_SECONDS": 0.5,
    "BEFORE_SECONDS": 2.0,
    "AFTER_SECONDS": 5.0,
    "ALERT_SECONDS": 0.5,
    "FULL": 2,
    "QUIET": 1,
    "NEAR_ENTRIES": 1,
}


@pytest.mark.parametrize("broker", ["embedded", "mosquitto"])
def test_an_overload_is_measured_and_loses_nothing(
    broker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Those of this process: how long the others take is in what they are told.
    for name, value in SHORT.items():
        monkeypatch.setattr(overload, name, value)
    few = ("--broker", broker, "--clients", "3", "--seconds", "3", "--junk", "1")

    assert main(["overload", *few, "--directory", str(tmp_path), "--json"]) == 0

    *told, last = capsys.readouterr().out.splitlines()
    result = json.loads(last)
    assert result["lost"] == 0
    assert result["committed"] > 0
    assert result["offered"] == pytest.approx(10 * result["alone"], abs=1)
    assert result["quiet"]["count"] > 0
    assert set(result["peak_mb"]) == {"broker", "committer", "web"}
    assert any(line.startswith("recovery") for line in told)
