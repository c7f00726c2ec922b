"""`blockpost bench all` and `table`: every part is measured, and every target is held against its result."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from bench import campaign, cli, seal, targets
from bench.campaign import Measurement
from bench.cli import PARTS, main

OUT = Path("results")
NAMES = [part.name for part in PARTS]
ALL = list(campaign.measurements(OUT, NAMES))


def test_every_part_is_measured_into_a_file_of_its_own() -> None:
    assert {each.words[0] for each in ALL} == set(NAMES)
    assert len({each.name for each in ALL}) == len(ALL)


@pytest.mark.parametrize("each", ALL, ids=lambda each: each.name)
def test_what_is_measured_is_a_command(each: Measurement) -> None:
    args = cli._console().parser.parse_args(each.words)

    (part,) = [part for part in PARTS if part.name == args.command]
    part.parse(args)  # it would raise if an option had no argument


def test_the_chain_that_is_grown_is_that_of_those_behind_it() -> None:
    chained = [each.words[0] for each in ALL if str(OUT / campaign.CHAIN) in each.words]

    assert chained == ["grow", "start", "verify", "rest"]


@pytest.mark.parametrize("target", targets.TARGETS, ids=lambda target: target.figure)
def test_a_target_names_the_command_that_makes_its_result(target: targets.Target) -> None:
    (made,) = [each for each in ALL if each.name == target.name]

    _, _, *words = shlex.split(target.command)
    assert words == [word for word in made.words if word not in ("--chain", str(OUT / campaign.CHAIN))]


def test_what_has_a_result_is_left_out_and_what_fails_stops_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seal, "READERS", (1,))
    monkeypatch.setattr(seal, "BYTES", (20,))
    quick = ["seal", "--milliseconds", "1", "--rounds", "1"]
    made = [
        Measurement("there", ["commit"]),
        Measurement("fails", ["verify", "--chain", str(tmp_path / "there.json")]),
        Measurement("goes", quick),
    ]
    monkeypatch.setattr(campaign, "measurements", lambda _out, _parts: iter(made))
    (tmp_path / "there.json").write_text("{}", "utf-8")

    assert main(["all", "--out", str(tmp_path)]) == 1

    assert sorted(path.name for path in tmp_path.iterdir()) == ["goes.json", "there.json"]
    assert json.loads((tmp_path / "goes.json").read_bytes())["cases"][0]["readers"] == 1
    told = capsys.readouterr()
    assert "blockpost bench seal --milliseconds 1" in told.out
    assert "blockpost bench verify: " in told.err


def result_of(target: targets.Target, value: float) -> dict[str, Any]:
    """A result in which every figure of its kind is `value`."""
    at = {"pss_mb": value, "disk_ratio": value}
    flat = ("ratio", "p50_ms", "p99_ms", "growth", "committer_s", "gateway_s", "rss_mb", "cpu_ms_per_message")
    return {**dict.fromkeys(flat, value), "sizes": [{}, at]}


@pytest.mark.parametrize("target", targets.TARGETS, ids=lambda target: target.figure)
def test_what_misses_its_target_is_said_to(target: targets.Target) -> None:
    better, worse = (1.01, 0.99) if target.sense == "least" else (0.99, 1.01)

    assert "missed" not in target.told({target.name: result_of(target, target.bound)})
    assert "missed" not in target.told({target.name: result_of(target, target.bound * better)})
    assert "(**missed**)" in target.told({target.name: result_of(target, target.bound * worse)})
    assert target.told({}) == targets.UNMEASURED


def test_the_table_is_made_of_the_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    machine = {"cpu": "Pi 5", "cores": 4, "python": "3.11.2", "fsync_ms": 2.5}
    (tmp_path / "verify.json").write_text(json.dumps({"ratio": 1.62, "machine": machine}), "utf-8")
    start = {"committer_s": 0.4, "gateway_s": 2.4, "machine": {**machine, "fsync_ms": 7.0}}
    (tmp_path / "start.json").write_text(json.dumps(start), "utf-8")

    assert main(["table", str(tmp_path)]) == 0

    told = capsys.readouterr().out
    assert "| at least 1.5 | 1.62 |" in told
    assert "| at most 2 s | 0.4 s |" in told
    assert "| at most 2 s | 2.4 s (**missed**) |" in told
    assert told.endswith("|\n\nMeasured on: Pi 5, 4 cores, Python 3.11.2\n")


def test_a_result_of_something_else_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "verify.json").write_text('{"rate": 1}', "utf-8")

    assert main(["table", str(tmp_path)]) == 1

    assert "verify.json" in capsys.readouterr().err
