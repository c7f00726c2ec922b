"""
What may be wrong with what a LAN is served with: the certificates and who makes them, Mosquitto, the welcome page.

`gateway.doctor` asks for it where there is a LAN.
"""

import http.client
import ssl
from collections.abc import Iterable
from contextlib import closing
from datetime import datetime
from http import HTTPStatus
from ipaddress import ip_address
from itertools import chain
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate, SubjectAlternativeName
from cryptography.x509.extensions import ExtensionNotFound

from chain import machine
from chain.finding import Finding, ok, problem, warning
from gateway.addresses import addresses
from gateway.authority import Authority, Denied, NoAuthority
from gateway.broker import keeper
from gateway.broker.keeper import Keeper
from gateway.errors import BadConfig
from gateway.expiry import SHORT, End, certificate_end, certificates, crl_end, in_words, utc_now
from gateway.site import Settings, Site, near
from gateway.tls import Files, fingerprint

SECONDS = 5.0
"""How long it waits for an answer."""

SECRET = ("issuing.key", "server.pem", "committer.pem", "web.pem", "authority.json", "authority.sock")

START = "start the gateway, if it is meant to run"
RENEW = "start the gateway and let it run: its authority renews this by itself"
REISSUE = "make a new one with the root's key or its recovery sheet: blockpost authority reissue"
PORT = "see in the log of `welcome` why; end the other program there, or choose another welcome_port in gateway.toml"

_FIXES = dict.fromkeys(SHORT, RENEW) | {"issuing": REISSUE, "root": REISSUE}


def examine(site: Site, account: str) -> list[Finding]:
    """All of it. `account` is the gateway's."""
    files = site.certificates
    if not files.directory.is_dir():
        return [problem("certificates", f"{files.directory}: it is not there", "restore it from a backup")]
    return [
        *machine.modes(files.directory, secret=SECRET),
        *_ends(files, utc_now()),
        *_root(files),
        *_names(files, site.settings),
        _authority(files),
        *_mosquitto(site, account),
        _broker(site),
        _welcome(site),
    ]


# Certificates


def _ends(files: Files, now: datetime) -> list[Finding]:
    ends, found = [], []
    for what in SHORT:
        try:
            ends.append(crl_end(files) if what == "crl" else certificate_end(files, what))
        except BadConfig as error:
            found.append(
                problem("certificates", str(error), "restore tls/ from a backup, then start the gateway")
            )
    return [*found, *of_ends(ends, now)]


def of_ends(ends: Iterable[End], now: datetime) -> list[Finding]:
    """What ends soon or has ended; or, in one line, when each one ends."""
    found, well = [], []
    for end in ends:
        if end.at <= now:
            found.append(problem("certificates", in_words(end, now), _FIXES[end.what]))
        elif end.is_near(now):
            found.append(warning("certificates", in_words(end, now), _FIXES[end.what]))
        else:
            well.append(f"{end.what} until {end.at:%Y-%m-%d}")
    return found or [ok("certificates", ", ".join(well))]


def _root(files: Files) -> list[Finding]:
    try:
        return [ok("root", f"its fingerprint (SHA-256) is {fingerprint(certificates(files.root)[0])}")]
    except BadConfig:
        return []  # told of above


def _names(files: Files, settings: Settings) -> list[Finding]:
    try:
        server = certificates(files.server)[0]
    except BadConfig:
        return []
    return [of_names(said_by(server), settings.hosts), of_addresses(settings.hosts, addresses())]


def said_by(server: Certificate) -> set[str]:
    """What a server is found under."""
    try:
        found = server.extensions.get_extension_for_class(SubjectAlternativeName).value
    except ExtensionNotFound:
        return set()
    return {str(name.value).casefold() for name in found}


def of_names(said: set[str], hosts: Iterable[str]) -> Finding:
    """Whether the certificate says what the settings do."""
    missing = [host for host in hosts if _spelt(host) not in said]
    if not missing:
        return ok("names", f"the certificate is for {', '.join(hosts)}")
    return problem("names", f"the server's certificate is not for {', '.join(missing)}", RENEW)


def of_addresses(hosts: Iterable[str], current: list[str]) -> Finding:
    """Whether this machine still is where the certificate says that it is, in IPv4."""
    missing = [host for host in hosts if _is_address(host) and ":" not in host and host not in current]
    if not missing:
        return ok("addresses", f"this machine is at {', '.join(current) or 'no address but loopback'}")
    return warning(
        "addresses",
        f"the certificate is for {', '.join(missing)}, but this machine is at {', '.join(current) or 'no address'}",
        "let the router give it the same address each time, or put the new one into hosts in gateway.toml",
    )


def _spelt(host: str) -> str:
    return str(ip_address(host)) if _is_address(host) else host.rstrip(".").casefold()


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


# Who is at work


def _authority(files: Files) -> Finding:
    try:
        Authority(files.socket).list("", 1)
    except (NoAuthority, Denied) as error:
        return warning("authority", str(error), START)
    return ok("authority", "answers")


def _mosquitto(site: Site, account: str) -> list[Finding]:
    try:
        executable, version = keeper.installed()
    except (BadConfig, OSError) as error:
        return [problem("mosquitto", str(error), "install Debian's own: apt install mosquitto")]
    return [
        ok("mosquitto", f"{executable} is version {version}"),
        *chain.from_iterable(
            of_text(path, text, _read(path)) for path, text in Keeper(site, account, executable).texts.items()
        ),
    ]


def _read(path: Path) -> str | None:
    try:
        return path.read_text("utf-8", errors="replace")
    except OSError:
        return None


def of_text(path: Path, wanted: str, found: str | None) -> list[Finding]:
    """Whether Mosquitto reads what the gateway writes; `found` is `None` if there is nothing."""
    if found == wanted:
        return []
    detail = (
        f"{path}: not written yet"
        if found is None
        else f"{path}: not as this version of the gateway writes it"
    )
    return [
        warning(
            "mosquitto", detail, "start the broker anew: it writes this file, and overwrites what you changed"
        )
    ]


def _broker(site: Site) -> Finding:
    host, port = near(site.settings.mqtt_host), site.settings.mqtt_port
    place = f"{host} port {port}"
    try:
        keeper.ask(site.certificates, host, port)
    except ConnectionRefusedError:
        return warning("broker", f"nothing listens on {place}", START)
    except (OSError, ssl.SSLError) as error:
        return problem(
            "broker",
            f"{place}: {error}",
            "look at the certificates above and into the log; or end the other program that listens there",
        )
    return ok("broker", f"answers on {place} to the gateway's own certificate")


def _welcome(site: Site) -> Finding:
    host, port = near(site.settings.http_host), site.settings.welcome_port
    place = f"{host} port {port}"
    connection = http.client.HTTPConnection(host, port, timeout=SECONDS)
    try:
        wanted = certificates(site.certificates.root)[0].public_bytes(Encoding.DER)
        with closing(connection):
            connection.request("GET", "/root.crt")
            answer = connection.getresponse()
            told = answer.read(65_536) if answer.status == HTTPStatus.OK else b""
    except ConnectionRefusedError:
        return warning("welcome", f"nothing listens on {place}", f"{START}; if it runs, {PORT}")
    except (OSError, http.client.HTTPException, BadConfig) as error:
        return problem("welcome", f"{place}: no answer over HTTP: {error}", PORT)
    if told != wanted:
        return problem("welcome", f"{place}: what answers does not offer this gateway's root", PORT)
    return ok("welcome", f"offers the root on {place}")
