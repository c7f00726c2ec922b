"""What a gateway's doctor finds, on a gateway that does not run; and what follows from the answers of one that does."""

import json
import shutil
import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chain import durable
from chain.finding import Finding
from gateway import cli, doctor, halt
from gateway.errors import BadConfig
from gateway.halt import Halt
from gateway.site import Key, Settings, Site
from provisioning.site import free_ports
from tests.backups import made
from tests.sites import ran

QUIET = {"clock", "fsync", "disk"}
"""What depends on the machine that the tests run on."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("built") / "site").directory


@pytest.fixture
def site(built: Path, tmp_path: Path) -> Site:
    """A gateway that does not run, on ports where nobody listens."""
    shutil.copytree(built, tmp_path / "site")
    http_port, mqtt_port = free_ports(2)
    settings = Settings(http_port=http_port, mqtt_port=mqtt_port)
    durable.write(tmp_path / "site" / "gateway.toml", settings.to_toml().encode())
    return Site.load(tmp_path / "site")


def found(site: Site) -> dict[str, Finding]:
    return {each.what: each for each in doctor.examine(site.directory) if each.what not in QUIET}


def levels(site: Site) -> dict[str, str]:
    return {what: each.level for what, each in found(site).items()}


WELL = {
    "files": "ok",
    "sqlite": "ok",
    "settings": "ok",
    "key": "ok",
    "chain": "ok",
    "time": "ok",
    "log": "ok",
    "broker": "warning",
    "web": "warning",
}


def test_a_gateway_that_does_not_run_is_well_but_for_that(site: Site) -> None:
    assert levels(site) == WELL


def test_a_disk_that_failed_is_named_with_the_way_back(site: Site) -> None:
    halt.set_mark(site.mark, Halt(7, "the disk of chain.db failed"))

    halted = found(site)["halted"]

    assert (halted.level, halted.detail) == ("problem", "nothing is committed: the disk of chain.db failed")
    assert f"blockpost gateway recover {site.directory}" in (halted.fix or "")


def test_a_directory_without_a_gateway_is_none(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="no gateway here"):
        doctor.examine(tmp_path)


def test_wrong_settings_are_named(site: Site) -> None:
    (site.directory / "gateway.toml").write_text("http_port = 0\n", "utf-8")

    settings = found(site)["settings"]

    assert settings.level == "problem"
    assert "http_port" in settings.detail


def test_a_key_that_others_may_read_is_a_problem(site: Site) -> None:
    (site.directory / "gateway.key").chmod(0o644)

    assert levels(site) == WELL | {"files": "problem", "key": "problem"}


def test_the_key_of_another_gateway_is_a_problem(site: Site) -> None:
    (site.directory / "gateway.key").unlink()
    Key.create(site.directory / "gateway.key")

    assert found(site)["key"].detail == "gateway.key is not the key that chain.db is signed with"


def test_a_newest_block_without_signature_is_a_warning(site: Site) -> None:
    with closing(sqlite3.connect(site.chain_file)) as db, db:
        db.execute("DELETE FROM signature WHERE height = (SELECT max(height) FROM signature)")

    assert levels(site) == WELL | {"chain": "warning"}


@pytest.mark.parametrize("damage", ["gone", "no database", "no chain"])
def test_a_chain_that_cannot_be_read_is_a_problem(site: Site, damage: str) -> None:
    site.chain_file.unlink()
    if damage == "no database":
        site.chain_file.write_bytes(b"hello" * 1000)
    elif damage == "no chain":
        sqlite3.connect(site.chain_file).close()

    chain = found(site)["chain"]

    assert chain.level == "problem"
    assert "restore a backup" in (chain.fix or "")


def test_a_newest_block_in_the_future_is_a_problem() -> None:
    assert doctor.of_time(1_000_000, 1_000_000 - doctor.AHEAD_MS).level == "ok"
    assert doctor.of_time(1_000_000, 1_000_000 - doctor.AHEAD_MS - 1).level == "problem"


def test_a_long_log_is_a_warning() -> None:
    assert doctor.of_log(doctor.LONG_LOG - 1).level == "ok"
    assert doctor.of_log(doctor.LONG_LOG).level == "warning"


@contextmanager
def listening(port: int, answer: bytes) -> Iterator[None]:
    """A program that answers everybody the same."""

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(4096)
                connection.sendall(answer)

    with closing(socket.create_server(("127.0.0.1", port))) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def http(body: Any) -> bytes:
    text = msgspec.json.encode(body)
    return b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text)


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-OpenSSH\r\n", http("hello")], ids=["none", "ssh", "web"])
def test_another_program_on_the_gateways_ports_is_a_problem(site: Site, answer: bytes) -> None:
    with listening(site.settings.http_port, answer), listening(site.settings.mqtt_port, answer):
        after = found(site)

    assert {what: each.level for what, each in after.items()} == WELL | {
        "web": "problem",
        "broker": "problem",
    }
    assert "choose another http_port" in (after["web"].fix or "")
    assert "choose another mqtt_port" in (after["broker"].fix or "")


def test_a_broker_turns_nobody_away_and_shows_what_it_is() -> None:
    assert doctor.of_broker(b"\x20", Settings()).level == "ok"


def test_a_gateway_that_does_not_commit_says_why() -> None:
    unwell = {"type": "x", "title": "Unwell", "status": 503, "detail": "the committer was not heard of"}

    assert doctor.of_health(200, b'{"ok":true}').level == "ok"
    assert doctor.of_health(503, json.dumps(unwell).encode()).detail == "the committer was not heard of"
    assert doctor.of_health(500, b"oops").detail == "HTTP status 500"


def test_the_command_ends_with_1_if_there_is_a_problem(site: Site) -> None:
    well = ran(cli.main, "doctor", site.directory)
    (site.directory / "gateway.key").chmod(0o644)
    ill = ran(cli.main, "doctor", site.directory, "--json")

    assert (well.code, ill.code) == (0, 1)
    assert "ok       key" in well.out
    assert {"files", "key"} == {
        each["what"] for each in map(json.loads, ill.out.splitlines()) if each["level"] == "problem"
    }
