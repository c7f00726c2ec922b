"""
Logging in to the page: the password that an account's profile can check, and its private keys wrapped under it.

Beside each password there is a new recovery code, which does the same for whoever has forgotten it.
"""

import secrets
from dataclasses import dataclass, field
from http import HTTPStatus

from msgspec import structs

from chain.body import Body, Card, Login, document, salted
from chain.encoding import b64url
from chain.entry import Profile
from chain.errors import Unverified
from chain.wire import Delivered
from device import password, recovery
from device.backup import wrap_backup
from device.client import Client
from device.errors import BadConfig, Problem
from device.password import LoginKeys

SALT_BYTES = 16


@dataclass(frozen=True, slots=True)
class Chosen:
    """A password, made into its keys: what was typed is not needed any more."""

    salt: bytes
    keys: LoginKeys = field(repr=False)


def choose(secret: str) -> Chosen:
    """Derive the keys of a password, which takes a large part of a second; raise `BadConfig` if it is none."""
    salt = secrets.token_bytes(SALT_BYTES)
    try:
        return Chosen(salt, password.derive(secret, salt))
    except ValueError as error:
        raise BadConfig(f"password: {error}") from error


def set_password(client: Client, chosen: Chosen) -> str:
    """
    Commit a profile that can be logged in to with the password, and return a new recovery code as it is shown.

    The code is nowhere else. The password and the code of before are good for nothing from then on, and the
    sessions begun with them end. Raises what `Client.say` does.
    """
    code = recovery.new_code(secrets.token_bytes)
    spare = recovery.derive(code)
    login = Login(
        salt=b64url(chosen.salt),
        verifier=b64url(password.verifier(chosen.keys.auth)),
        recovery=b64url(password.verifier(spare.auth)),
    )
    private = client.identity.current.to_json()
    backups = [wrap_backup(private, keys.wrap) for keys in (chosen.keys, spare)]
    card = structs.replace(own_card(client), login=login, backups=backups)
    client.say(Profile, beside=document(card, secrets.token_bytes))
    return recovery.shown(code)


def own_card(client: Client) -> Card:
    """What this account's profile says now. One that has none, or had it erased, has its handle for a name."""
    try:
        delivered = client.gateway.profile()
    except Problem as problem:
        if problem.status != HTTPStatus.NOT_FOUND:
            raise
        delivered = None
    if delivered is None or delivered.salt is None or delivered.body is None:
        return Card(handle=client.membership.handle, name=client.membership.handle)
    return _proven(client, delivered, salted(delivered.salt, delivered.body))


def _proven(client: Client, delivered: Delivered, body: Body) -> Card:
    """It is about to be signed again, so that the gateway's word for it will not do."""
    signed = client.committed(delivered)
    said = signed.entry
    if not isinstance(said, Profile) or said.author != client.account:
        raise Unverified(f"entry {delivered.index}: want a profile of {client.account}")
    key = client.identity.signing
    if signed.kid != key.thumbprint:  # it is older than the current keys
        key, _ = client.directory.signing_key(client.account, signed.kid)
    signed.verify(key)
    body.check(said.body)
    return body.read(Card)
