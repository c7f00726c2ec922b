"""Joining a gateway of a LAN, staying in it, and coming back: real processes, real TLS, real Mosquitto."""

import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from chain import durable
from chain.entry import Contact
from chain.joincode import JoinCode
from device import cli
from device.addressbook import Certificate
from device.client import Home
from gateway.site import Site as GatewaySite
from provisioning.admin import cli as admin_cli
from provisioning.authority import certificates
from provisioning.authority.inventory import Inventory
from provisioning.authority.stock import Owner, Stock
from provisioning.site import Process, Site, command
from tests.homes import keep_keys, new_keys
from tests.sites import Done, added, client_of, ran, running_site

PATIENCE = 240.0
SENSES = 'to = ["admin"]\n[sensors.door]\nmode = "poll"\nevery = 1\nunit = "Cel"\ncommand = ["echo", "4.5"]\n'

KILLED = """
import os, pkgutil, signal, sys

owner, name, home, code = sys.argv[1:]
setattr(pkgutil.resolve_name(owner), name, lambda *args, **kwargs: os.kill(os.getpid(), signal.SIGKILL))
from device import cli
cli.main(["--home", home, "join", code])
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("site"), lan=True) as site:
        yield site


def admin(site: Site, *words: str) -> Done:
    done = ran(admin_cli.main, "--home", site.home("admin"), *words)
    assert done.code == 0, done.err
    return done


def invited(site: Site, handle: str, *words: str) -> JoinCode:
    return JoinCode.from_text(admin(site, "invite", handle, "--kind", "device", *words).out)


def home_of(site: Site, handle: str) -> Home:
    """With its keys made: that takes seconds."""
    keep_keys(site.home(handle), new_keys())
    return Home(site.home(handle))


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@contextmanager
def joining(home: Home, code: JoinCode) -> Iterator[subprocess.Popen[str]]:
    """`device join` as a person runs it, whose words are read while it waits."""
    words = command("device", "--home", str(home.directory), "join", code.to_text())
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def digits_shown(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    for line in process.stderr:
        if found := re.search(r"Tell the administrator: +([0-9]{3}) ([0-9]{3})$", line):
            return found[1] + found[2]
    raise AssertionError("no digits were shown")


@contextmanager
def running(site: Site, handle: str) -> Iterator[tuple[Process, list[dict[str, Any]]]]:
    heard: list[dict[str, Any]] = []
    process = site.device(handle, "run", "--json", hear=heard.append)
    try:
        yield process, heard
    finally:
        process.stop()


def receipted(heard: list[dict[str, Any]]) -> bool:
    return any(event["event"] == "receipted" for event in list(heard))


def log_of(site: Site, handle: str) -> str:
    return (site.directory / f"{handle}.log").read_text("utf-8")


def link_to_admin(site: Site, handle: str) -> None:
    """Let a device write to the admin."""
    account = Home(site.home(handle)).book.joining()
    assert account is not None
    with client_of(site, "admin") as client:
        client.say(Contact, action="link", of=account.account, peer=client.account)


def test_a_device_joins_with_one_line_and_is_well(site: Site) -> None:
    home = home_of(site, "fridge-1")
    code = invited(site, "fridge-1")

    joined = ran(cli.main, "--home", home.directory, "join", code.to_text())

    assert (joined.code, joined.err) == (0, "")
    assert ran(cli.main, "--home", home.directory, "status").out.count("certificate: 20") == 1
    looked = ran(cli.main, "--home", home.directory, "doctor").out
    assert [line for line in looked.splitlines() if line.startswith("problem")] == []
    assert "root         is the one that the join code named" in looked


@pytest.mark.parametrize(
    "place",
    [
        "device.root.find",
        "device.joining.gateway_key",
        "device.client.Client.submit",
        "device.certificate.obtain",
        "device.certificate._keep",
        "device.addressbook.AddressBook.set_certificate",
        "device.client.Client.say",
    ],
)
def test_joining_goes_on_with_the_same_code_wherever_it_was_killed(site: Site, place: str) -> None:
    handle = f"killed-{place.rpartition('.')[2].replace('_', '-')}"
    home, code = home_of(site, handle), invited(site, handle)
    owner, _, name = place.rpartition(".")
    words = [command()[0], "-c", KILLED, owner, name, str(home.directory), code.to_text()]
    assert subprocess.run(words, check=False, capture_output=True).returncode == -signal.SIGKILL

    done = ran(cli.main, "--home", home.directory, "join", code.to_text())

    assert (done.code, done.err) == (0, "")
    assert home.book.membership().handle == handle
    assert home.book.certificate() is not None


def test_six_digits_are_compared_and_a_wait_that_was_interrupted_goes_on(site: Site) -> None:
    home, code = home_of(site, "fridge-2"), invited(site, "fridge-2", "--match")
    with joining(home, code) as process:
        first = digits_shown(process)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) != 0
    assert home.book.joining() is not None

    with joining(home, code) as process:
        shown = digits_shown(process)
        assert process.poll() is None
        admin(site, "confirm", "fridge-2", shown)
        assert process.wait(PATIENCE) == 0

    assert shown == first  # the same entry waits
    assert home.book.membership().handle == "fridge-2"


def test_an_sd_card_is_put_in_and_powered_on(site: Site) -> None:
    home, code = home_of(site, "fridge-3"), invited(site, "fridge-3")
    durable.create(
        home.join_file, f'code = "{code.to_text()}"\nname = "Fridge, kitchen"\n'.encode(), mode=0o600
    )
    home.settings_file.write_text(SENSES)

    with running(site, "fridge-3") as (_, heard):
        until(lambda: any(event["event"] == "sensed" for event in heard))
        assert not home.join_file.exists()
        link_to_admin(site, "fridge-3")
        until(lambda: receipted(heard))

    assert "Fridge, kitchen" in admin(site, "accounts").out


def test_a_join_file_is_used_once_and_destroyed(site: Site, tmp_path: Path) -> None:
    home, code = home_of(site, "fridge-4"), invited(site, "fridge-4")
    file = tmp_path / "fridge-4.toml"
    file.write_text(f'code = "{code.to_text()}"\n')

    done = ran(cli.main, "--home", home.directory, "join", "--file", str(file))

    assert done.code == 0, done.err
    assert not file.exists()


def test_a_join_file_that_lets_nobody_in_is_kept(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "old.toml"
    code = structs.replace(invited(site, "fridge-5"), code="b" * 16)
    file.write_text(f'code = "{code.to_text()}"\n')

    done = ran(cli.main, "--home", tmp_path / "home", "join", "--file", str(file))

    assert done.code == 1
    assert file.exists()


def test_a_device_whose_certificate_expired_in_a_cupboard_comes_back_by_one_click(site: Site) -> None:
    handle = "fridge-6"
    added(site, handle, kind="device")
    link_to_admin(site, handle)
    home = Home(site.home(handle))
    home.settings_file.write_text(SENSES)
    site.stop()
    expire(site, home)
    site.start()

    with running(site, handle) as (process, heard):
        until(lambda: "ask an admin to renew it" in log_of(site, handle))
        assert f"blockpost admin renew {handle}" in log_of(site, handle)
        assert "expired" in ran(cli.main, "--home", home.directory, "doctor").out
        by_hand = ran(cli.main, "--home", home.directory, "renew")
        assert (by_hand.code, "ask an admin to renew it" in by_hand.err) == (1, True)
        assert not receipted(heard)

        admin(site, "renew", handle)
        # It asks again within a minute or so; nobody touches it.
        until(lambda: receipted(heard))
        assert process.is_running

    held = home.book.certificate()
    assert held is not None
    assert held.until > time.time() * 1000
    assert log_of(site, handle).count("ask an admin to renew it") == 1


def expire(site: Site, home: Home) -> None:
    """As if 91 days had passed since the device got its certificate."""
    gateway = GatewaySite.load(site.directory / "gateway")
    account = home.book.membership().account
    then = datetime.now(UTC) - timedelta(days=91)
    stock = Stock(gateway.certificates, Owner.of(gateway.settings, gateway.key().account))
    key, signer = certificates.new_key(), stock.signer()
    made = certificates.client(signer, key.public_key(), account, then)
    durable.write(home.tls().own, certificates.bundle(key, [made, signer.certificate]))
    issued, ended = (round(time.timestamp() * 1000) for time in (then, made.not_valid_after_utc))
    home.book.set_certificate(Certificate(issued=issued, until=ended))
    inventory = Inventory(gateway.certificates.inventory)
    holder = inventory.of(account)
    leaves = [structs.replace(leaf, issued=issued, until=ended) for leaf in holder.leaves]
    inventory.put([structs.replace(holder, leaves=tuple(leaves))])


def test_a_person_renews_by_hand(site: Site) -> None:
    home = Home(site.home("admin"))
    before = home.tls().own.read_bytes()

    done = ran(cli.main, "--home", home.directory, "renew")

    assert (done.code, done.out.startswith("certificate until 20")) == (0, True)
    assert home.tls().own.read_bytes() != before


def test_keys_are_changed_and_the_certificate_stays_good(site: Site) -> None:
    added(site, "fridge-7", kind="device")
    link_to_admin(site, "fridge-7")
    home = Home(site.home("fridge-7"))

    assert ran(cli.main, "--home", home.directory, "rotate").code == 0

    sent = ran(cli.main, "--home", home.directory, "send", "admin", "with new keys")
    assert (sent.code, sent.err) == (0, "")
