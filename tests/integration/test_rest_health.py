"""The chain's health: what an admin sees of it, has checked, and takes away."""

import http.client
import json
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from chain import checkpoint, merkle
from chain.block import Block
from chain.chain import Chain
from chain.health import Done, Idle, Running
from device.client import Client, Home
from gateway.auditor import Auditor, verdict_of
from gateway.rest import health
from tests.site import Site, a_site
from tests.sites import running_site
from tests.world import Actor, ward

PATIENCE = 60


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with a_site(tmp_path) as made:
        yield made


def health_of(site: Site) -> dict[str, Any]:
    answer = site.get(site.admin, "/v1/admin/chain")
    assert answer.status_code == 200
    assert answer.json is not None
    return dict(answer.json)


def download(site: Site, actor: Actor | None = None) -> TestResponse:
    return site.get(actor or site.admin, "/v1/admin/chain/download")


def lines_of(answer: TestResponse) -> list[dict[str, Any]]:
    return [json.loads(line) for line in answer.data.splitlines()]


# GET /v1/admin/chain


def test_it_says_how_high_and_how_large_the_chain_is_and_what_is_left_of_the_disk(site: Site) -> None:
    said = health_of(site)

    head, files = site.world.chain.head, (site.world.path, Path(f"{site.world.path}-wal"))
    assert (said["height"], said["size"], said["timestamp"]) == (head.height, head.size, head.timestamp)
    assert site.world.chain.verified(said["checkpoint"]).size == head.size
    assert said["bytes"] == sum(file.stat().st_size for file in files)
    assert 0 < said["free"] <= shutil.disk_usage(site.folder).total
    assert said["verify"] == {"state": "idle"}


def test_a_chain_without_a_write_ahead_log_has_a_size_too(tmp_path: Path) -> None:
    (tmp_path / "chain.db").write_bytes(b"12345")

    assert health.size_on_disk(tmp_path / "chain.db") == 5


@pytest.mark.parametrize("path", ["/v1/admin/chain", "/v1/admin/chain/download"])
def test_it_is_for_admins(site: Site, path: str) -> None:
    assert site.get(site.alice, path).status_code == 403
    assert site.app.test_client().get(path).status_code == 401


# POST /v1/admin/chain/verify


def checked(site: Site) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE
    while (said := health_of(site)["verify"])["state"] != "done":
        assert said["state"] == "running"
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return dict(said)


def test_a_whole_chain_is_checked_and_holds(site: Site) -> None:
    begun = site.post(site.admin, "/v1/admin/chain/verify", {})
    again = site.post(site.admin, "/v1/admin/chain/verify", {})
    said = checked(site)

    assert (begun.status_code, begun.json) == (202, {"state": "running", "since": site.clock()})
    assert again.json == begun.json
    head = site.world.chain.head
    assert (said["ok"], said["height"], said["size"]) == (True, head.height, head.size)
    assert said["at"] == site.clock()


def test_a_chain_that_was_changed_by_hand_does_not_hold(site: Site) -> None:
    with closing(sqlite3.connect(site.world.path)) as db:
        db.execute("UPDATE account SET role = 'admin' WHERE id = ?", (site.carol.id,))
        db.commit()
    site.post(site.admin, "/v1/admin/chain/verify", {})

    said = checked(site)

    assert (said["ok"], said["size"]) == (False, site.world.chain.head.size)
    assert "table account" in said["detail"]


def test_who_is_no_admin_cannot_have_it_checked(site: Site) -> None:
    assert site.post(site.alice, "/v1/admin/chain/verify", {}).status_code == 403
    assert health_of(site)["verify"] == {"state": "idle"}


def test_a_verdict_names_the_first_bad_block_and_what_holds_below_it(tmp_path: Path) -> None:
    with ward(tmp_path) as world:
        store = world.chain.store
        bad = store.head().height - 3
        size = store.block(bad).header.first
        with store.transaction():
            store.db.execute("UPDATE block SET root = zeroblob(32) WHERE height = ?", (bad,))

        verdict = verdict_of(world.path)

    assert (verdict.ok, verdict.height, verdict.size) == (False, bad, size)


def test_the_process_ends_with_whoever_asked_in_the_middle_of_its_work(tmp_path: Path) -> None:
    file = tmp_path / "chain.db"
    with closing(sqlite3.connect(file)) as db:
        db.executescript("CREATE TABLE t (a); BEGIN EXCLUSIVE;")  # the check waits here
        process = subprocess.Popen(
            [sys.executable, "-m", "gateway.auditor", str(file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

        said, _ = process.communicate()

    # Had it come to its end, it would have said what it found, and ended with 0.
    assert (process.returncode, said) == (1, b"")


def test_a_check_that_breaks_off_says_so_and_can_be_begun_again(tmp_path: Path) -> None:
    auditor = Auditor(tmp_path / "nothing.db", lambda: 7)
    assert auditor.state == Idle()

    for _ in range(2):
        auditor.begin()
        assert isinstance(auditor.state, Running | Done)
        deadline = time.monotonic() + PATIENCE
        while not isinstance(auditor.state, Done):
            assert time.monotonic() < deadline
            time.sleep(0.02)

        assert (auditor.state.ok, auditor.state.height) == (False, -1)
        assert "exit code 1" in auditor.state.detail


# GET /v1/admin/chain/download


def test_the_download_is_the_whole_log_and_can_be_checked_elsewhere(site: Site) -> None:
    answer = download(site)
    lines = lines_of(answer)

    assert answer.headers["Content-Disposition"] == 'attachment; filename="blockpost-chain.jsonl"'
    tree = merkle.Tree(0, lambda _: b"")
    for line in lines:
        if "entry" in line:
            tree.append(merkle.leaf_hash(line["entry"].encode()))
    last = [line for line in lines if "header" in line][-1]
    assert lines[-1] == {"end": last["block"], "size": tree.size}
    head = checkpoint.verify(last["checkpoint"], origin=site.world.origin, key=site.world.gateway.keys.public)
    assert (head.size, head.root) == (tree.size, tree.root())
    assert head.size == site.world.chain.head.size
    assert (
        Block.read(last["header"].encode(), [lines[-2]["entry"].encode()]).hash == site.world.chain.head.hash
    )


def test_no_body_and_no_salt_is_in_the_download(site: Site) -> None:
    site.write(site.bob, site.alice.id, "sealed words")
    text = download(site).text

    assert "sealed words" not in text
    assert all({"salt", "body"}.isdisjoint(json.loads(line)) for line in text.splitlines())
    for handle in ("alice", "bob", "fridge-2"):
        assert handle not in text


def test_it_comes_in_pieces_each_of_its_own_moment(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "CHUNK_BYTES", 1)
    height = site.world.chain.head.height
    response = site.app.test_client().get(
        "/v1/admin/chain/download", headers=site.bearer(site.admin), buffered=False
    )
    pieces = iter(response.response)
    first = next(pieces)
    assert isinstance(first, bytes)
    site.write(site.bob, site.alice.id)

    rest = list(pieces)

    assert json.loads(first.splitlines()[0])["block"] == 0
    assert len(rest) == height  # what came after it was asked for is not in it
    response.close()


def test_it_breaks_off_when_the_session_ends(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "CHUNK_BYTES", 1)
    browser = site.browser(site.admin)
    response = browser.get("/v1/admin/chain/download", buffered=False)
    pieces = iter(response.response)
    next(pieces)
    browser.post("/logout", json={})

    assert list(pieces) == []  # not even the last line
    response.close()


def test_there_are_only_so_many_downloads_at_a_time(site: Site) -> None:
    path, bearer = "/v1/admin/chain/download", site.bearer(site.admin)
    browser = site.app.test_client()
    running = [browser.get(path, headers=bearer, buffered=False) for _ in range(health.MOST_DOWNLOADS)]

    crowded = download(site)
    for response in running:
        response.close()

    assert (crowded.status_code, crowded.headers["Retry-After"]) == (503, "2")
    assert download(site).status_code == 200


def test_a_look_without_the_content_takes_no_place(site: Site) -> None:
    browser = site.app.test_client()
    for _ in range(health.MOST_DOWNLOADS + 1):
        answer = browser.head("/v1/admin/chain/download", headers=site.bearer(site.admin))
        assert (answer.status_code, answer.data) == (200, b"")


def test_a_real_server_serves_it_and_checks_itself(tmp_path: Path) -> None:
    with running_site(tmp_path) as whole, closing(Client(Home(whole.home("admin")))) as admin:
        headers = {
            "Authorization": f"Bearer {admin.gateway.token('rest')}",
            "Content-Type": "application/json",
        }
        connection = http.client.HTTPConnection("127.0.0.1", whole.http_port, timeout=PATIENCE)

        def ask(method: str, path: str, body: str | None = None) -> tuple[int, bytes]:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return response.status, response.read()

        status, log = ask("GET", "/v1/admin/chain/download")
        begun, _ = ask("POST", "/v1/admin/chain/verify", "{}")
        deadline = time.monotonic() + PATIENCE
        while (said := json.loads(ask("GET", "/v1/admin/chain")[1])["verify"])["state"] != "done":
            assert time.monotonic() < deadline
            time.sleep(0.05)
        connection.close()
        with closing(Chain.open(whole.chain_file)) as chain:
            size = chain.head.size

    assert (status, begun, said["ok"], said["size"]) == (200, 202, True, size)
    assert sum(b'"entry"' in line for line in log.splitlines()) == size
