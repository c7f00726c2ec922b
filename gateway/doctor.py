"""What may be wrong with a gateway, each with what to do about it. It changes nothing, and may look at one that runs."""

import http.client
import socket
import sqlite3
import time
from contextlib import closing
from http import HTTPStatus
from pathlib import Path

import msgspec

from chain import api, machine
from chain.chain import Chain
from chain.clock import clock
from chain.errors import ChainError
from chain.finding import Finding, ok, problem, warning
from gateway import halt, lan_doctor
from gateway.errors import BadConfig
from gateway.site import Settings, Site
from gateway.web_client import connection_to

SECONDS = 5.0
"""How long it waits for an answer."""

LONG_LOG = 268_435_456
"""Bytes of `chain.db-wal`. SQLite begins it anew at 8 MB or so, unless somebody reads one moment for long."""

AHEAD_MS = 60_000
"""How far the newest block may be in the future: the clock was set back further."""

_HELLO = b"\x10\x12\x00\x04MQTT\x04\x02\x00\x0a\x00\x06doctor"
"""An MQTT 3.1.1 CONNECT of nobody: a broker turns it away, and shows by that what it is."""

_CONNACK = b"\x20"

_sites = msgspec.json.Decoder(api.Site)
_problems = msgspec.json.Decoder(api.Problem)


def examine(directory: Path) -> list[Finding]:
    """Look at all of it. Raises `BadConfig` if there is no gateway."""
    if not (directory / "gateway.toml").is_file():
        raise BadConfig(f"{directory}: no gateway here")
    found = [*machine.modes(directory, secret=["gateway.key"]), *machine.examine(directory, clock())]
    try:
        site = Site.load(directory)
    except BadConfig as error:
        return [
            *found,
            problem("settings", str(error), "put it right in gateway.toml, by docs/protocol.md, section 11"),
        ]
    found.append(ok("settings", "gateway.toml is valid"))
    found += [*_halted(site), *_chain(site)]
    if site.settings.is_lan:
        found += _lan(site)
    else:
        found.append(of_broker(_greeted(site.settings), site.settings))
    found += _web(site)
    return found


def _lan(site: Site) -> list[Finding]:
    try:
        account = site.key().account
    except (BadConfig, OSError):
        return []  # told of with the chain
    return lan_doctor.examine(site, account)


# The chain


def _chain(site: Site) -> list[Finding]:
    log = site.chain_file.with_name("chain.db-wal")
    try:
        with closing(site.read_chain()) as chain:
            return [
                _key(site, chain),
                of_signature(chain.head.height, signed=_is_signed(chain)),
                of_time(chain.head.timestamp, time.time_ns() // 1_000_000),
                of_log(log.stat().st_size if log.exists() else 0),
            ]
    except (sqlite3.Error, ChainError, OSError) as error:
        return [
            problem(
                "chain",
                f"{site.chain_file}: cannot be read: {error}",
                "stop the gateway, keep the file as it is, and restore a backup (docs/operations.md)",
            )
        ]


def _halted(site: Site) -> list[Finding]:
    """Whether a mark says that the chain's disk has failed."""
    halted = halt.marked(site.mark)
    if halted is None:
        return []
    fix = f"see why, then stop the gateway and run: blockpost gateway recover {site.directory} (docs/operations.md)"
    return [problem("halted", f"nothing is committed: {halted.reason}", fix)]


def _key(site: Site, chain: Chain) -> Finding:
    fix = "put the gateway.key of this very gateway back, from a backup"
    try:
        key = site.key()
    except (BadConfig, OSError) as error:
        return problem("key", str(error), f"make it readable for its owner alone, or {fix}")
    if key.public != chain.key:
        return problem("key", "gateway.key is not the key that chain.db is signed with", fix)
    return ok("key", "gateway.key signs this chain")


def _is_signed(chain: Chain) -> bool:
    """Between a commit and its signature there are milliseconds: what runs gets them."""
    if not chain.store.has_signature(chain.head.height):
        time.sleep(0.5)
    return chain.store.has_signature(chain.head.height)


def of_signature(height: int, *, signed: bool) -> Finding:
    if signed:
        return ok("chain", f"its newest block, {height}, is signed")
    return warning(
        "chain",
        f"its newest block, {height}, is not signed, as after a power cut",
        "start the gateway: the committer signs it then",
    )


def of_time(newest: int, now: int) -> Finding:
    """Both in ms."""
    if newest <= now + AHEAD_MS:
        return ok("time", "the newest block is not in the future")
    return problem(
        "time",
        f"the newest block is {(newest - now) / 1000:.0f} s in the future of this machine's clock",
        "set the clock right: until it is, tokens, join codes and sessions expire at wrong times",
    )


def of_log(size: int) -> Finding:
    detail = f"chain.db-wal has {size / 1e6:.0f} MB"
    if size < LONG_LOG:
        return ok("log", detail)
    return warning(
        "log",
        detail,
        "end what reads the chain for long (a check, a download, a backup), or restart the gateway once that is done",
    )


# Who listens


def _web(site: Site) -> list[Finding]:
    settings = site.settings
    try:
        status, answer = _asked(site, "/v1/site")
        well, reason = _asked(site, "/healthz")
    except ConnectionRefusedError:
        return [of_silence(settings)]
    except (OSError, http.client.HTTPException) as error:
        return [_foreign(settings, f"no answer over {'HTTPS' if settings.is_lan else 'HTTP'}: {error}")]
    with closing(site.read_chain()) as chain:
        found = of_site(answer if status == HTTPStatus.OK else b"", chain.origin, settings)
    return [found, of_health(well, reason)] if found.level == "ok" else [found]


def _greeted(settings: Settings) -> bytes | None:
    """What a broker answers to nobody in particular; `None` if nothing listens."""
    try:
        with socket.create_connection(
            (settings.mqtt_host, settings.mqtt_port), timeout=SECONDS
        ) as connection:
            connection.sendall(_HELLO)
            return connection.recv(1)
    except ConnectionRefusedError:
        return None
    except OSError:
        return b""


def _asked(site: Site, path: str) -> tuple[int, bytes]:
    with closing(connection_to(site, SECONDS)) as connection:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read(1_048_576)


def of_broker(answer: bytes | None, settings: Settings) -> Finding:
    place = f"{settings.mqtt_host} port {settings.mqtt_port}"
    if answer == _CONNACK:
        return ok("broker", f"answers on {place}")
    if answer is None:
        return warning("broker", f"nothing listens on {place}", "start the gateway, if it is meant to run")
    return problem(
        "broker",
        f"what listens on {place} is no MQTT broker",
        "end the other program, or choose another mqtt_port in gateway.toml",
    )


def of_silence(settings: Settings) -> Finding:
    place = f"{settings.http_host} port {settings.http_port}"
    return warning("web", f"nothing listens on {place}", "start the gateway, if it is meant to run")


def of_site(answer: bytes, origin: str, settings: Settings) -> Finding:
    """Whether it is this very gateway that answers."""
    try:
        site = _sites.decode(answer)
    except msgspec.DecodeError:
        return _foreign(settings, "what answers is no gateway")
    if site.origin != origin:
        return _foreign(settings, f"the gateway of {site.origin} answers")
    return ok("web", f"answers on {settings.http_host} port {settings.http_port}")


def _foreign(settings: Settings, detail: str) -> Finding:
    return problem(
        "web",
        f"{settings.http_host} port {settings.http_port}: {detail}",
        "end the other program, or choose another http_port in gateway.toml",
    )


def of_health(status: int, answer: bytes) -> Finding:
    if status == HTTPStatus.OK:
        return ok("committer", "commits")
    try:
        detail = _problems.decode(answer).detail
    except msgspec.DecodeError:
        detail = f"HTTP status {status}"
    return problem("committer", detail, "look into the gateway's log for why a part ended or cannot go on")
