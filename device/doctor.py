"""What may be wrong with a device or a person's account, each with what to do about it. Nothing of theirs is sent."""

import os
import shutil
import socket
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from chain import machine, token
from chain.clock import clock
from chain.errors import ChainError
from chain.finding import Finding, ok, problem, warning
from device import certificate, identity, renewal, root, rotation
from device.addressbook import Certificate, Evidence, Membership
from device.child import environment
from device.client import Client, Home, now_ms
from device.config import Config
from device.crl import Crl
from device.errors import (
    BadConfig,
    BadDocument,
    DeviceError,
    Insecure,
    NotJoined,
    Problem,
    TwoHistories,
    Unreachable,
)
from device.identity import GENERATIONS, SUCCESSOR
from device.outbox import Outbox
from device.printing import utc

SECONDS = 5.0
"""How long it waits for the broker."""

DAY_SECONDS = 86_400
OLD_LIST_DAYS = 3

CERTIFICATE = "tls.pem"

MANY_WAITING = 1_000
"""Entries in the outbox. So many are not on their way, but stay."""

_REFUSED = (
    "do not go on with this gateway; docs/operations.md says what to do when a device refuses its gateway"
)


def examine(home: Home) -> list[Finding]:
    """Look at all of it. Raises `NotJoined` if there is nothing to look at."""
    membership = home.book.joining()
    if membership is None:
        raise NotJoined(f"{home.directory}: not joined yet: blockpost device join CODE")
    outbox = _outbox(home)
    found = [
        *machine.modes(home.directory, secret=[GENERATIONS, SUCCESSOR, CERTIFICATE]),
        *machine.examine(home.directory, clock()),
        _settings(home),
        outbox,
    ]
    if not membership.joined:
        fix = "run the same blockpost device join CODE again, or ask an admin for a new code"
        return [*found, problem("account", "joining was begun and not finished", fix)]
    if outbox.level == "problem":
        return found  # without it the account cannot speak to anybody
    if rotation.is_begun(home):
        found.append(_rotation(home))
    if membership.is_lan:
        found += _tls(home, membership)
    return [*found, _broker(membership), *_gateway(home)]


# At home


def _settings(home: Home) -> Finding:
    if not home.settings_file.exists():
        return ok("agent.toml", "there is none: this account has no sensors")
    try:
        config = Config.load(home.settings_file)
    except BadConfig as error:
        return problem(
            "agent.toml", str(error), "put it right; blockpost device check-config --example shows one"
        )
    path = environment(os.environ, own_commands=Path(sys.executable).parent)["PATH"]
    return of_commands(
        {sensor.command[0]: shutil.which(sensor.command[0], path=path) for sensor in config.sensors.values()}
    )


def of_commands(found: dict[str, str | None]) -> Finding:
    """`found` says where each sensor's command is."""
    missing = sorted(command for command, place in found.items() if place is None)
    if missing:
        fix = "install it, or name it with its whole path in agent.toml"
        return problem("agent.toml", f"a sensor's command is not there: {', '.join(missing)}", fix)
    return ok("agent.toml", "is valid, and its sensors' commands are there")


def _outbox(home: Home) -> Finding:
    try:
        with closing(Outbox(home.outbox_file)) as outbox:
            return of_outbox(outbox.waiting(), len(outbox.rejected()))
    except (sqlite3.Error, BadDocument) as error:
        fix = "put outbox.db aside while no agent runs: what waited in it is lost, and new entries begin new streams"
        return problem("outbox", f"{home.outbox_file}: cannot be read: {error}", fix)


def of_outbox(waiting: int, refused: int) -> Finding:
    detail = f"{waiting} wait, {refused} were refused"
    if refused:
        return warning("outbox", detail, "read why with: blockpost device outbox")
    if waiting > MANY_WAITING:
        return warning("outbox", detail, "start the agent, or see why the gateway cannot be reached")
    return ok("outbox", detail)


def _rotation(home: Home) -> Finding:
    with closing(Outbox(home.outbox_file)) as outbox:
        following = identity.prepare(home.directory)
        if rotation.announced(outbox, following) is None:
            return ok("keys", "new ones are ready for the next blockpost device rotate")
    fix = "run: blockpost device rotate"
    return problem("keys", "a change of keys was begun and not finished", fix)


# Certificates


def _tls(home: Home, membership: Membership) -> list[Finding]:
    tls = home.tls()
    try:
        is_ours = root.is_named(tls.root.read_bytes(), membership.pin)
        listed = Crl.from_pem(tls.crl.read_text("ascii"))
        got = tls.crl.stat().st_mtime
    except (OSError, ValueError, ChainError) as error:
        fix = "run: blockpost device renew"
        return [problem("certificate", f"{home.directory}: {error}", fix)]
    held = home.book.certificate()
    return [
        of_root(is_ours),
        of_certificate(held, membership, now_ms()),
        of_list(listed, got, now_ms() / 1000),
    ]


def of_root(is_ours: bool) -> Finding:  # noqa: FBT001 - a judge of one fact
    if is_ours:
        return ok("root", "is the one that the join code named")
    fix = "somebody changed root.crt: join again in a new home, and ask an admin to revoke this account"
    return problem("root", "is not the one that the join code named", fix)


def of_certificate(held: Certificate | None, membership: Membership, now: int) -> Finding:
    if held is None or now >= held.until:
        fix = renewal.needed(membership.handle, "ask an admin to renew it")
        return problem("certificate", "has expired", fix)
    detail = f"until {utc(held.until)}"
    due = certificate.due(held, membership.account)
    if now < due:
        return ok("certificate", f"{detail}; renewed after {utc(due)}")
    fix = "start the agent, which renews it, or run: blockpost device renew"
    return warning("certificate", f"{detail}; to be renewed since {utc(due)}", fix)


def of_list(listed: Crl, got: float, now: float) -> Finding:
    """The list of revoked certificates, `got` when: it tells of a gateway's key that was stolen. Times in seconds."""
    days = max(now - got, 0) // DAY_SECONDS
    detail = f"the list of revoked ones was got {days:.0f} days ago, and holds until {utc(round(listed.until * 1000))}"
    if listed.is_in_force(now) and days <= OLD_LIST_DAYS:
        return ok("revocation", detail)
    fix = (
        "start the agent, which gets it daily; if it runs, ask an admin whether the gateway's authority does"
    )
    return warning("revocation", detail, fix)


# The gateway


def _broker(membership: Membership) -> Finding:
    place = (membership.mqtt_host, membership.mqtt_port)
    try:
        socket.create_connection(place, timeout=SECONDS).close()
    except OSError as error:
        return of_broker(place, str(error))
    return of_broker(place, None)


def of_broker(place: tuple[str, int], error: str | None) -> Finding:
    where = f"{place[0]} port {place[1]}"
    if error is None:
        return ok("broker", f"can be reached at {where}")
    return problem(
        "broker", f"{where}: {error}", "see that the gateway runs, and that nothing between keeps you from it"
    )


def _gateway(home: Home) -> list[Finding]:
    evidence = home.book.evidence()
    if evidence is not None:
        return [of_evidence(evidence)]
    try:
        with closing(Client(home)) as client:
            return _answers(client)
    except (DeviceError, ChainError) as error:  # the keys are not to be used, or the answer not to be read
        fix = "make the key files readable for their owner alone, and the gateway one of this version"
        return [problem("account", str(error), fix)]


def _answers(client: Client) -> list[Finding]:
    try:
        ahead = client.gateway.site().now - now_ms()
    except Insecure as error:
        fix = "set this machine's clock right, if that is it; if not, ask an admin what runs there, and send nothing"
        return [problem("gateway", str(error), fix)]
    except Unreachable as error:
        fix = "see that the gateway runs, and that nothing between keeps you from it"
        return [problem("gateway", str(error), fix)]
    return [ok("gateway", "answers"), of_offset(ahead), _token(client), _history(client)]


def of_offset(ahead: int) -> Finding:
    """`ahead` is by how many ms the gateway's clock is."""
    detail = f"differs from the gateway's by {abs(ahead) / 1000:.1f} s"
    if abs(ahead) <= token.LEEWAY * 1000 / 2:
        return ok("time", detail)
    fix = "set the clock of this machine, or the gateway's, right: readings and messages carry the wrong time"
    return warning("time", detail, fix)


def _token(client: Client) -> Finding:
    try:
        client.gateway.friends()
    except Problem as error:
        fix = "ask an admin whether this account was revoked; if so, join again in a new home"
        return problem("account", f"the gateway refuses it: {error}", fix)
    except Unreachable as error:
        return problem("account", str(error), "look into the gateway's log, and try again")
    return ok("account", f"{client.membership.handle} is known to the gateway")


def _history(client: Client) -> Finding:
    try:
        client.check_gateway()
    except TwoHistories as error:
        return problem("trust", str(error), _REFUSED)
    except (Problem, Unreachable, ChainError) as error:
        detail = f"the gateway does not prove that its history is the one held here: {error}"
        return problem("trust", detail, _REFUSED)
    return ok("trust", "the gateway's history continues the one that was verified here")


def of_evidence(evidence: Evidence) -> Finding:
    return problem("trust", f"the gateway is refused: {evidence.reason}", _REFUSED)
