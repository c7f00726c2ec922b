"""Must hold: `blockpost demo` shows the whole main job, and says so in figures."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.visitor import OK, Visitor

PAGE = re.compile(r"page      http://localhost:([0-9]+)/")
DEMO = [sys.executable, "-m", "provisioning", "demo"]


def figures(output: str) -> dict[str, Any]:
    """The JSON object on the last line."""
    last: dict[str, Any] = json.loads(output.splitlines()[-1])
    return last


def check(told: dict[str, Any], scheme: str = "http") -> None:
    assert told["sent"] == told["committed"] == told["receipted"] == told["delivered"] == told["opened"] > 0
    assert told["refused"] == 0
    assert told["chain"]["verified"] is True
    assert told["chain"]["size"] > told["committed"]
    assert told["page"]["url"].startswith(f"{scheme}://localhost:")
    assert 0 < told["latency_ms"]["p50"] <= told["latency_ms"]["p99"]


def test_this_machines_own_readings_travel_all_the_way() -> None:
    done = subprocess.run([*DEMO, "--seconds", "5", "--json"], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    check(figures(done.stdout))
    assert "dr.lee    verified and opened it: load = " in done.stdout


def test_the_same_over_tls_and_on_mosquitto() -> None:
    done = subprocess.run(
        [*DEMO, "--lan", "--seconds", "5", "--json"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    told = figures(done.stdout)
    check(told, scheme="https")
    assert "Mosquitto on 127.0.0.1:" in done.stdout


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
    assert "probe" not in done.stdout
    assert "opened it: spo2 = 9" in done.stdout
    assert (tmp_path / "site" / "gateway" / "chain.db").is_file()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_it_cleanly_with_a_summary(number: signal.Signals) -> None:
    with subprocess.Popen(DEMO, stdout=subprocess.PIPE, text=True, start_new_session=True) as demo:
        assert demo.stdout is not None
        directory = demo.stdout.readline().split()[-1]
        for line in demo.stdout:
            if "verified and opened it" in line:
                break
        demo.send_signal(number)
        rest = demo.stdout.read()

    assert demo.returncode == 0
    assert "verified from its first byte" in rest
    assert left_running(directory) == []


def test_ctrl_c_before_anything_was_sent_leaves_nothing_running() -> None:
    with subprocess.Popen(
        DEMO, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as demo:
        assert demo.stdout is not None
        directory = demo.stdout.readline().split()[-1]
        for line in demo.stdout:
            if "running" in line:
                break
        demo.send_signal(signal.SIGINT)
        _, complaint = demo.communicate()

    assert demo.returncode == 130
    assert "Traceback" not in complaint
    assert left_running(directory) == []


def test_the_page_is_told_with_credentials_that_log_in() -> None:
    with subprocess.Popen(DEMO, stdout=subprocess.PIPE, text=True, start_new_session=True) as demo:
        assert demo.stdout is not None
        told = iter(demo.stdout.readline, "")
        port = next(int(found[1]) for line in told if (found := PAGE.match(line)))
        accounts = dict(next(told).split() for _ in range(2))
        logins = [(handle, logged_in(port, handle, secret)) for handle, secret in accounts.items()]
        wrong = logged_in(port, "dr.lee", accounts["admin"])
        for line in told:
            if "verified and opened it" in line:
                break
        demo.send_signal(signal.SIGINT)
        demo.stdout.read()

    assert demo.returncode == 0
    assert logins == [
        ("dr.lee", ("dr.lee", "Dr. Lee", "member")),
        ("admin", ("admin", "Administrator", "admin")),
    ]
    assert wrong is None


def logged_in(port: int, handle: str, secret: str) -> tuple[str, str, str] | None:
    """Whom the gateway then takes a browser for."""
    visitor = Visitor(port)
    if visitor.login(handle, visitor.keys(handle, secret).auth) != OK:
        return None
    _, me = visitor.get("/check")
    return me["handle"], me["name"], me["role"]


def test_a_probe_that_was_pulled_out_is_an_alert() -> None:
    done = subprocess.run([*DEMO, "--seconds", "22", "--json"], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    check(figures(done.stdout))
    assert "probe     somebody pulled it out" in done.stdout
    assert "opened it: probe = 4.2 Cel" in done.stdout
    assert re.search(r"opened it: probe gives no readings since .+: exit \(status 1: no probe\)", done.stdout)


def left_running(directory: str) -> list[list[str]]:
    site = str(Path(directory).parent)
    lines = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    return [line for line in lines if any(site in word for word in line)]


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
