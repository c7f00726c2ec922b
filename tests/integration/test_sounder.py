"""Real commands, run and ended: those of an annunciator."""

import json
import logging
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from device.patterns import Hold, Once, Pattern, Repeat
from device.sounder import Cue, Sounder, tried

PATIENCE = 20.0

WRITES = """
import os, signal, sys, time
log, says, then = sys.argv[1:]
if "stubborn" in then:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
with open(log, "a") as file:
    print(says, os.getpid(), os.environ.get("BLOCKPOST_COUNT", ""), file=file, flush=True)
if "child" in then:
    if os.fork() == 0:
        with open(log, "a") as file:
            print("child", os.getpid(), "", file=file, flush=True)
        time.sleep(600)
while "printing" in then:
    print("x" * 1000, flush=True)
if "staying" in then:
    time.sleep(600)
if "failing" in then:
    print("no such pin", file=sys.stderr)
    sys.exit(3)
"""


class Bench:
    """A sounder whose turns are taken here, and what its commands wrote."""

    def __init__(self, folder: Path) -> None:
        self.sounder = Sounder()
        self.log = folder / "log"

    def command(self, says: str, *then: str) -> tuple[str, ...]:
        return sys.executable, "-c", WRITES, str(self.log), says, " ".join(then)

    def cue(self, pattern: Pattern, *of: int) -> Cue:
        return Cue(type(pattern).__name__, pattern, {"BLOCKPOST_COUNT": str(len(of))}, frozenset(of))

    def plays(self, cue: Cue | None) -> None:
        self.sounder.play(cue, time.monotonic())

    @property
    def lines(self) -> list[list[str]]:
        return [line.split(" ") for line in self.log.read_text().splitlines()] if self.log.exists() else []

    def until(self, happened: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not happened():
            assert time.monotonic() < deadline, self.lines
            self.sounder.turn(time.monotonic())
            time.sleep(0.01)

    def settles(self) -> None:
        """Whatever was to be started has been, and has ended."""
        self.until(lambda: self.sounder._child is None)

    def is_alive(self, line: int) -> bool:
        pid = int(self.lines[line][1])
        return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.sounder.close()


def test_a_command_is_repeated_until_it_is_over(bench: Bench) -> None:
    bench.plays(bench.cue(Repeat(command=bench.command("beep"), every=0.05), 1))
    bench.until(lambda: len(bench.lines) >= 3)

    bench.plays(None)

    before = len(bench.lines)
    for _ in range(30):
        bench.sounder.turn(time.monotonic())
        time.sleep(0.01)
    assert len(bench.lines) == before


def test_a_command_learns_how_many_there_are_from_its_next_run_on(bench: Bench) -> None:
    pattern = Repeat(command=bench.command("beep"), every=0.05)
    bench.plays(bench.cue(pattern, 1))
    bench.until(lambda: [line[2] for line in bench.lines][:1] == ["1"])

    bench.plays(bench.cue(pattern, 1, 2))

    bench.until(lambda: bench.lines[-1][2] == "2")


def test_what_is_held_goes_on_and_ends_with_all_that_it_started(bench: Bench) -> None:
    cue = bench.cue(Hold(command=bench.command("light", "child", "staying")), 1)
    bench.plays(cue)
    bench.until(lambda: len(bench.lines) == 2)
    bench.plays(cue)
    bench.sounder.turn(time.monotonic())
    assert bench.is_alive(0)
    assert bench.is_alive(1)

    bench.plays(None)

    assert not bench.is_alive(0)
    assert not bench.is_alive(1)
    assert len(bench.lines) == 2


def test_a_command_that_does_not_want_to_end_is_killed(bench: Bench) -> None:
    bench.plays(bench.cue(Hold(command=bench.command("light", "stubborn", "staying")), 1))
    bench.until(lambda: len(bench.lines) == 1)

    bench.plays(None)

    assert not bench.is_alive(0)


def test_what_was_to_go_on_and_ended_is_started_again(bench: Bench) -> None:
    bench.plays(bench.cue(Hold(command=bench.command("light")), 1))

    bench.until(lambda: len(bench.lines) == 2)


def test_a_command_that_hangs_is_killed_and_sounds_again(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.plays(bench.cue(Repeat(command=bench.command("beep", "staying"), every=0.1, timeout=0.5), 1))

    bench.until(lambda: len(bench.lines) == 2)

    assert not bench.is_alive(0)
    assert "command failed name=Repeat reason=no end within 0.5 s" in caplog.text


def test_a_command_that_never_stops_printing_waits_for_nobody(bench: Bench) -> None:
    bench.plays(bench.cue(Once(command=bench.command("beep", "printing"), timeout=0.5), 1))

    bench.until(lambda: len(bench.lines) == 1)
    bench.settles()

    assert not bench.is_alive(0)


def test_once_is_once_for_each_alert(bench: Bench) -> None:
    pattern = Once(command=bench.command("beep"))
    bench.plays(bench.cue(pattern, 1))
    bench.until(lambda: len(bench.lines) == 1)
    bench.settles()
    bench.plays(bench.cue(pattern, 1))
    bench.sounder.turn(time.monotonic())
    bench.settles()
    assert len(bench.lines) == 1

    bench.plays(bench.cue(pattern, 1, 2))
    bench.until(lambda: len(bench.lines) == 2)
    bench.settles()
    bench.plays(bench.cue(pattern, 2))
    bench.sounder.turn(time.monotonic())
    bench.settles()

    assert len(bench.lines) == 2


def test_another_sound_takes_the_place_of_the_one_before(bench: Bench) -> None:
    bench.plays(bench.cue(Hold(command=bench.command("softly", "staying")), 1))
    bench.until(lambda: len(bench.lines) == 1)

    bench.plays(bench.cue(Hold(command=bench.command("loudly", "staying")), 1))
    assert not bench.is_alive(0)

    bench.until(lambda: len(bench.lines) == 2)
    assert bench.lines[1][0] == "loudly"


def test_what_is_wrong_is_told_once(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    bench.plays(bench.cue(Repeat(command=bench.command("beep", "failing"), every=0.05), 1))
    bench.until(lambda: len(bench.lines) >= 4)
    bench.plays(bench.cue(Repeat(command=("/no/such/command",), every=60), 1))
    bench.until(lambda: "cannot start" in caplog.text or "status 127" in caplog.text)

    told = [record.getMessage() for record in caplog.records]

    assert told[0] == "command failed name=Repeat reason=status 3: no such pin"
    assert len(told) == 2


def test_the_settings_are_no_shell(bench: Bench, tmp_path: Path) -> None:
    bench.plays(bench.cue(Once(command=("echo", ">", str(tmp_path / "made"), "$(id)")), 1))
    bench.sounder.turn(time.monotonic())
    bench.settles()

    assert not (tmp_path / "made").exists()


def test_a_command_sees_no_secret_of_its_service(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials")
    script = "import json, os, sys; json.dump(dict(os.environ), open(sys.argv[1], 'w'))"
    bench.plays(bench.cue(Once(command=(sys.executable, "-c", script, str(tmp_path / "seen"))), 1))
    bench.sounder.turn(time.monotonic())
    bench.settles()

    seen = json.loads((tmp_path / "seen").read_text())
    assert seen["BLOCKPOST_COUNT"] == "1"
    assert "CREDENTIALS_DIRECTORY" not in seen


# A test by an installer


def test_a_test_runs_a_command_once(bench: Bench) -> None:
    assert tried(bench.cue(Repeat(command=bench.command("beep"), every=0.05)), 0.2) is None
    assert len(bench.lines) == 1


def test_a_test_holds_for_a_while(bench: Bench) -> None:
    assert tried(bench.cue(Hold(command=bench.command("light", "staying"))), 2.0) is None
    assert not bench.is_alive(0)


@pytest.mark.parametrize(
    ("pattern", "then", "reason"),
    [
        (Once, ["failing"], "status 3: no such pin"),
        (Hold, ["failing"], "status 3: no such pin"),
        (Hold, [], "it ended within 5 s, and was to go on"),
    ],
)
def test_a_test_says_what_is_wrong(
    bench: Bench, pattern: type[Once] | type[Hold], then: list[str], reason: str
) -> None:
    assert tried(bench.cue(pattern(command=bench.command("beep", *then))), 5) == reason


def test_a_test_of_what_hangs_says_so(bench: Bench) -> None:
    hangs = Once(command=bench.command("beep", "staying"), timeout=1)

    assert tried(bench.cue(hangs), 5) == "no end within 1 s"
