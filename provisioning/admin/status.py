"""Whether all is well, as an admin can see it from anywhere: what is found, and what to do about it."""

from collections.abc import Iterator

from msgspec import Struct

from chain.api import AccountLine
from chain.finding import Finding, ok, problem, warning
from chain.health import Done, Health, Running
from chain.lists import CertificateLine
from device.client import Client, now_ms
from device.crl import Crl
from device.errors import TwoHistories, Unreachable
from provisioning.admin import certificates
from provisioning.admin.printing import when
from provisioning.admin.requests import Requests

LITTLE_BYTES = 1_073_741_824
"""Left on the gateway's disk: it is time to look after it."""

SOON_DAYS = 14
"""A certificate that ends so soon should have been renewed long ago: that begins 30 days before."""

CRL_DAYS = 20
"""A list of revoked certificates is good for 30 days and signed anew each day."""

MS_PER_DAY = 86_400_000


class Alive(Struct, frozen=True):
    ok: bool


def findings(client: Client) -> list[Finding]:
    """Raises `Unreachable` or `Problem` only if nothing at all can be asked."""
    requests = Requests(client.gateway)
    return [
        _commits(client),
        _history(client),
        *_chain(requests.health()),
        *_people(list(requests.accounts())),
        *_certificates(certificates.known(requests), now_ms()),
        *_revocations(client),
        *_waiting(requests),
    ]


def _commits(client: Client) -> Finding:
    try:
        client.gateway.ask("GET", "/healthz", Alive)
    except Unreachable as error:
        return problem("gateway", str(error), "on its machine: blockpost gateway doctor DIR")
    return ok("gateway", "it commits entries")


def _history(client: Client) -> Finding:
    try:
        client.check_gateway()
    except TwoHistories as error:
        return problem("history", str(error), "docs/operations.md says what to do: it may be an attack")
    return ok("history", f"one, of {client.trust.held.size} entries; it continues what was seen before")


def _chain(health: Health) -> Iterator[Finding]:
    size = f"{health.size} entries in {health.height + 1} blocks, {_bytes(health.bytes)}"
    yield ok("chain", f"{size}; the newest block is of {when(health.timestamp)}")
    free = f"{_bytes(health.free)} left"
    if health.free < LITTLE_BYTES:
        yield warning("disk", free, "make room on the gateway's disk: without any, nothing is committed")
    else:
        yield ok("disk", free)
    check = health.verify
    if isinstance(check, Done) and not check.ok:
        yield problem("check", check.detail, "docs/operations.md says how a damaged chain is restored")
    elif isinstance(check, Done):
        yield ok("check", f"everything held, up to block {check.height}")
    elif isinstance(check, Running):
        yield ok("check", "one is running")
    else:
        yield ok("check", "none since the gateway started")


def _people(accounts: list[AccountLine]) -> Iterator[Finding]:
    live = [line for line in accounts if line.live]
    online = sorted(line.handle or line.account for line in live if line.online)
    yield ok("online", f"{len(online)} of {len(live)} accounts: {', '.join(online) or '-'}")
    admins = [line for line in live if line.role == "admin" and line.keyed]
    if len(admins) == 1:
        yield warning(
            "admins",
            "there is one",
            "invite a second: blockpost admin invite HANDLE --role admin. Nobody can be let in by none",
        )
    else:
        yield ok("admins", f"{len(admins)}")


def _certificates(lines: list[CertificateLine], now: int) -> Iterator[Finding]:
    good = [line for line in lines if not line.expired and not line.revoked]
    for line in lines:
        if line.live and line.expired and line.renewable is None:
            who = line.handle or line.account
            yield warning(
                "certificate", f"that of {who} has expired", f"let it come back: blockpost admin renew {who}"
            )
    soon = [line for line in good if line.until - now < SOON_DAYS * MS_PER_DAY]
    for line in soon:
        days = (line.until - now) // MS_PER_DAY
        yield warning(
            "certificate",
            f"that of {line.handle or line.account} ends in {days} days",
            "turn it on where it finds the gateway: it renews it by itself",
        )
    if good:
        yield ok(
            "certificates", f"{len(good)} in force, the first ends {when(min(line.until for line in good))}"
        )


def _revocations(client: Client) -> Iterator[Finding]:
    if not client.membership.is_lan:
        return
    until = round(Crl.from_pem(client.gateway.revoked()).until * 1000)
    days = (until - now_ms()) / MS_PER_DAY
    told = f"the list of revoked certificates is good until {when(until)}"
    if days <= 0:
        yield problem("revocations", told, "on the gateway's machine: blockpost gateway doctor DIR")
    elif days < CRL_DAYS:
        yield warning(
            "revocations",
            f"{told}, and was not signed anew for days",
            "on the gateway's machine: blockpost gateway doctor DIR",
        )
    else:
        yield ok("revocations", told)


def _waiting(requests: Requests) -> Iterator[Finding]:
    for line in requests.joins():
        if not line.confirmed:
            yield warning(
                "joins",
                f"{line.handle} waits for six digits since {when(line.since)}",
                f"ask for them: blockpost admin confirm {line.handle} DIGITS",
            )


def _bytes(count: int) -> str:
    """In the unit that a person would take."""
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"
