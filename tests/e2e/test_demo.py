"""Must hold: `blockpost demo` shows the whole main job, and says so in figures."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

DEMO = [sys.executable, "-m", "provisioning", "demo"]


def figures(output: str) -> dict[str, Any]:
    """The JSON object on the last line."""
    last: dict[str, Any] = json.loads(output.splitlines()[-1])
    return last


def check(told: dict[str, Any]) -> None:
    assert told["sent"] == told["committed"] == told["receipted"] == told["delivered"] == told["opened"] > 0
    assert told["refused"] == 0
    assert told["chain"]["verified"] is True
    assert told["chain"]["size"] > told["committed"]
    assert 0 < told["latency_ms"]["p50"] <= told["latency_ms"]["p99"]


def test_this_machines_own_readings_travel_all_the_way() -> None:
    done = subprocess.run([*DEMO, "--seconds", "5", "--json"], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    check(figures(done.stdout))
    assert "dr.lee    verified and opened it: load = " in done.stdout


def test_a_recording_travels_all_the_way_at_its_rate(tmp_path: Path) -> None:
    recording = tmp_path / "vitals.csv"
    recording.write_text(
        "t_s,SpO2\n" + "".join(f"{60 * minute},{90 + minute % 9}\n" for minute in range(60)), "utf-8"
    )
    replay = ["--replay", str(recording), "--column", "SpO2", "--rate", "20"]
    done = subprocess.run(
        [*DEMO, *replay, "--keep", str(tmp_path / "site"), "--json"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    told = figures(done.stdout)
    check(told)
    assert told["sent"] >= 40
    assert "opened it: spo2 = 9" in done.stdout
    assert (tmp_path / "site" / "gateway" / "chain.db").is_file()


def test_ctrl_c_ends_it_cleanly_with_a_summary() -> None:
    with subprocess.Popen(DEMO, stdout=subprocess.PIPE, text=True, start_new_session=True) as demo:
        assert demo.stdout is not None
        for line in demo.stdout:
            if "verified and opened it" in line:
                break
        demo.send_signal(signal.SIGINT)
        rest = demo.stdout.read()

    assert demo.returncode == 0
    assert "verified from its first byte" in rest


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--replay", "nowhere.csv", "--column", "x"], "--replay wants a file that is there"),
        (["--replay", __file__], "--column the name of one of its columns"),
    ],
)
def test_a_recording_that_is_not_there_is_said_at_once(words: list[str], says: str) -> None:
    done = subprocess.run([*DEMO, *words], capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert says in done.stderr
    assert "Traceback" not in done.stderr
