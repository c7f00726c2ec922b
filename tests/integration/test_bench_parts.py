"""
The parts of `blockpost bench` that need a filled chain, and the one against another library, run as small as they go.

No figure is asserted: another machine has others.
"""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bench import kept, seal, site, start
from bench.cli import main
from bench.site import Ward
from chain.audit import audit

SIZE = 600


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site that the tests here use one after the other, as runs do."""
    directory = tmp_path_factory.mktemp("bench") / "chain"
    kept.ward(directory, clients=10, progress=print).fill(SIZE, print)
    return directory


def measured(*argv: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert main([*argv, "--json"]) == 0
    result: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert result["machine"]["cores"] >= 1
    return result


def test_a_chain_that_is_filled_by_other_processes_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site, "MANY", 0)
    ward = kept.ward(tmp_path, clients=3, progress=print)

    ward.fill(SIZE, print)
    ward.fill(SIZE + 1, print)

    assert audit(ward.site.chain_file).size == SIZE + 1


def test_a_growing_chain_is_measured_at_each_size(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    few = ("--clients", "2", "--entries", "40", "--rounds", "1", "--sizes", "100", "300")
    result = measured("grow", *few, "--chain", str(tmp_path / "chain"), capsys=capsys)

    first, last = result["sizes"]
    assert (first["size"], last["size"]) == (100, 300)
    assert (first["ratio"], last["ratio"]) == (1, result["growth"])
    assert last["ratio"] == round(last["rate"] / last["first_rate"], 2)
    assert set(last["memory"]) == {"supervisor", "broker", "committer", "checker", "web", "web's worker"}
    ours = [each["pss_mb"] for name, each in last["memory"].items() if name != "broker"]
    assert last["pss_mb"] == round(sum(ours), 1) > 0
    assert last["disk_ratio"] == pytest.approx(last["disk_bytes"] / result["wire_bytes"], abs=0.01)
    # The last size, and on it a run through broker and committer, and one through the whole gateway.
    assert size_of(tmp_path / "chain") == 300 + 2 * 40


def test_a_chain_that_is_too_long_to_grow_is_left_as_it_is(
    chain: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = size_of(chain)

    assert main(["grow", "--sizes", "100", "--chain", str(chain)]) == 1

    assert f"it has {before}" in capsys.readouterr().err
    assert size_of(chain) == before


def test_the_first_commit_after_a_kill_is_waited_for(
    chain: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start, "SETTLE_SECONDS", 0)
    before = size_of(chain)

    result = measured("start", "--size", str(SIZE), "--rounds", "1", "--chain", str(chain), capsys=capsys)

    assert result["size"] == before
    assert len(result["committer_rounds"]) == len(result["gateway_rounds"]) == 1
    assert min(result["committer_s"], result["gateway_s"]) > 0
    # One before each kill, and one after it.
    assert size_of(chain) == before + 4
    assert audit(chain / kept.SITE / "chain.db").size == before + 4


def test_a_verified_chain_is_held_against_its_bare_signatures(
    chain: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = measured("verify", "--size", str(SIZE), "--rounds", "1", "--chain", str(chain), capsys=capsys)

    assert result["size"] == size_of(chain)
    assert result["ratio"] == pytest.approx(result["rate"] / result["raw"], abs=0.01)


def test_a_chain_that_does_not_hold_has_no_figure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ward = kept.ward(tmp_path, clients=10, progress=print)
    with closing(ward.site.read_chain()) as chain:
        size = chain.head.size
    tamper(ward)

    assert main(["verify", "--size", str(size), "--rounds", "1", "--chain", str(tmp_path)]) == 1

    assert "block" in capsys.readouterr().err


def test_requests_are_answered_and_open_pages_are_told(
    chain: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = ("--requests", "20", "--rounds", "1", "--at-once", "1", "4", "--pages", "12", "--entries", "2")
    result = measured("rest", "--size", str(SIZE), *few, "--chain", str(chain), capsys=capsys)

    for loads in (result["intents"], result["history"]):
        assert [load["at_once"] for load in loads] == [1, 4]
        assert all(load["rate"] > 0 and 0 < load["p50_ms"] <= load["p99_ms"] for load in loads)
    # A page of history has many messages with their proofs; an intent has one account's keys.
    assert result["history"][0]["kb"] > result["intents"][0]["kb"] > 1
    assert (result["pages"], result["told"]) == (12, 24)
    assert 0 <= result["told_ms"] <= result["worst_told_ms"]


def test_a_site_of_other_clients_is_not_taken(chain: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["grow", "--clients", "3", "--chain", str(chain)]) == 1

    assert "want a site with 3 clients, it has 10" in capsys.readouterr().err


def test_sealing_is_held_against_another_library(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seal, "READERS", (1, 3))
    monkeypatch.setattr(seal, "BYTES", (20,))

    result = measured("seal", "--milliseconds", "1", "--rounds", "1", capsys=capsys)

    assert [(case["readers"], case["bytes"]) for case in result["cases"]] == [(1, 20), (3, 20)]
    for case in result["cases"]:
        assert case["seal_ratio"] == pytest.approx(case["seal"] / case["joserfc_seal"], rel=0.1)
        assert case["open_ratio"] == pytest.approx(case["open"] / case["joserfc_open"], rel=0.1)


def test_a_library_that_is_not_installed_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr("bench.part.importlib.import_module", missing)

    assert main(["seal"]) == 1

    assert "pip install joserfc" in capsys.readouterr().err


def size_of(directory: Path) -> int:
    return kept.size_of(kept.ward(directory, clients=len(clients_of(directory)), progress=print))


def clients_of(directory: Path) -> list[Any]:
    accounts: dict[str, list[Any]] = json.loads((directory / kept.ACCOUNTS).read_bytes())
    return accounts["senders"]


def tamper(ward: Ward) -> None:
    """Turn the first byte of a tree node."""
    with closing(ward.site.read_chain()) as chain:
        hash_ = chain.store.node(3)
    with closing(sqlite3.connect(ward.site.chain_file)) as db, db:
        db.execute("UPDATE node SET hash = ? WHERE position = 3", (bytes([hash_[0] ^ 1]) + hash_[1:],))
