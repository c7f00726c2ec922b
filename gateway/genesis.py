"""Making a gateway: its directory, its key, and a genesis block that invites the first admin."""

import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from chain import body, durable, entry, joincode, merkle
from chain.author import Author
from chain.body import Card, Handle, Invitation, Name
from chain.chain import Chain
from chain.encoding import b64url
from chain.entry import Account, Invite, Origin, Profile, Seen
from chain.joincode import JoinCode, new_code
from chain.wire import Submission
from gateway.errors import BadConfig
from gateway.site import Key, Settings

HANDLE = "gateway"
INVITE_HOURS = 24

Certify = Callable[[str], str]


def init(
    directory: Path, settings: Settings, *, name: str, admin: str, certify: Certify | None = None
) -> JoinCode:
    """
    Make a gateway named `name` in `directory`, which must be empty or not exist.

    Returns the join code that lets the first admin in: the admin's keys are made on the admin's own
    machine, so the genesis block can only commit to a secret. `certify` makes the certificates of a LAN for the
    gateway's account, and returns the pin of their root. Raises `BadConfig` if something is there already, or a name is none.
    """
    # An account id, which the origin will end with, has 26 letters.
    for value, kind in ((f"{name}/{26 * 'x'}", Origin), (name, Name)):
        _check(value, kind, f"name: want a domain's letters, 80 at most, got {name!r}")
    _check(admin, Handle, f"admin: want a handle of a-z, 0-9, dot, dash and underscore, got {admin!r}")
    if admin == HANDLE:
        raise BadConfig(f"admin: the handle {HANDLE!r} is the gateway's own")
    if directory.exists() and any(directory.iterdir()):
        raise BadConfig(f"{directory}: not empty; a gateway is made in a directory of its own")
    durable.make_directory(directory)
    key = Key.create(directory / "gateway.key")
    origin = f"{name}/{key.account}"
    code = new_code(secrets.token_bytes)
    now = time.time_ns() // 1_000_000
    genesis = _genesis(key, origin, now, name=name, admin=admin, code=code)
    Chain.create(directory / "chain.db", origin=origin, writer=key.writer, genesis=genesis, now=now).close()
    pin = certify(key.account) if certify else key.account
    # The settings come last: a directory that has them is a whole gateway.
    durable.write(directory / "gateway.toml", settings.to_toml().encode())
    return JoinCode(settings.known_as, settings.http_port, pin, code)


def _check(value: str, kind: Any, message: str) -> None:
    """Refuse what the chain would refuse, while there is nothing yet to be left half-made."""
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise BadConfig(message) from error


def _genesis(key: Key, origin: str, now: int, *, name: str, admin: str, code: str) -> list[Submission]:
    author = Author(
        origin=origin,
        account=key.account,
        stream=entry.new_stream(secrets.token_bytes),
        kid=key.kid,
        sign=key.sign,
    )
    nothing = Seen(size=0, root=b64url(merkle.EMPTY_ROOT))
    card = body.document(Card(handle=HANDLE, name=name), secrets.token_bytes)
    invitation = body.document(Invitation(handle=admin), secrets.token_bytes)
    parcels = [
        author.parcel(Account, seq=1, at=now, seen=nothing, kind="service", role="gateway", sign=key.public),
        author.parcel(Profile, seq=2, at=now, seen=nothing, beside=card),
        author.parcel(
            Invite,
            seq=3,
            at=now,
            seen=nothing,
            beside=invitation,
            code_hash=joincode.code_hash(code),
            kind="person",
            role="admin",
            expires=now + INVITE_HOURS * 3_600_000,
        ),
    ]
    return [parcel.load() for parcel in parcels]
