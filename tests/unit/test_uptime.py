"""How long the machine has been up, as the committer asks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway import uptime


@pytest.fixture(autouse=True)
def asked_anew() -> Iterator[None]:
    uptime._boot.cache_clear()
    yield
    uptime._boot.cache_clear()


def test_it_goes_on_within_one_boot() -> None:
    before, after = uptime.now(), uptime.now()

    assert before.boot == after.boot == uptime.BOOT_ID.read_text("ascii").strip()
    assert before.ms <= after.ms


def test_where_boots_cannot_be_told_apart_each_start_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uptime, "BOOT_ID", tmp_path / "hidden")
    first = uptime.now().boot
    assert uptime.now().boot == first

    uptime._boot.cache_clear()

    assert uptime.now().boot != first
