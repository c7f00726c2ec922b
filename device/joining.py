"""
Joining: a join code becomes an account of the chain.

The gateway is checked before the secret is sent; the keys are made here and stay here. Every step can be
interrupted: joining again with the same code goes on where it stopped.
"""

import secrets

from msgspec import structs

from chain import entry, rules
from chain.body import Card, Login, document
from chain.encoding import b64url
from chain.entry import Account, Profile
from chain.errors import Unverified
from chain.identity import SigningKey, account_id
from chain.joincode import JoinCode
from chain.receipt import Receipt
from chain.wire import Delivered
from device import identity, password
from device.addressbook import Membership
from device.client import Client, Home
from device.errors import DeviceError
from device.outbox import Queued
from device.rest import Gateway

SALT_BYTES = 16


class JoinedAlready(DeviceError):
    """The home has an account."""


def join(home: Home, code: JoinCode, *, name: str | None = None, secret: str | None = None) -> Membership:
    """
    Make this home's account with a join code, and its profile. Making the RSA key takes seconds.

    `name` is the display name (the handle, if there is none), `secret` a password to log in with from a
    browser. Raises `JoinedAlready`, `Refused` with the chain's rule, `Unreachable`, or `Unverified` if the
    gateway is not the one that the code names.
    """
    home.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    membership = home.book.joining()
    if membership is not None and membership.joined:
        raise JoinedAlready(f"{home.directory}: this is {membership.handle} on {membership.origin} already")
    gateway = Gateway(code.host, code.port)
    site = gateway.site()
    key = gateway_key(site.gateway, site.origin, code.gateway)
    if membership is None:
        invited = gateway.invited(rules.code_hash(code.code))
        keys = _keys(home)
        membership = Membership(
            origin=site.origin,
            gateway_key=key,
            http_host=code.host,
            http_port=code.port,
            mqtt_host=site.mqtt_host,
            mqtt_port=site.mqtt_port,
            account=keys.account_id,
            handle=invited.handle,
            kind=invited.kind,
            role=invited.role,
        )
        home.book.set_membership(membership)
    client = Client(home, membership)
    client.trust.accept_head(Receipt.from_text(site.gateway.receipt).note)
    _register(client, code)
    client.say(Profile, beside=document(_card(membership.handle, name, secret), secrets.token_bytes))
    joined = structs.replace(membership, joined=True)
    home.book.set_membership(joined)
    client.close()
    return joined


def gateway_key(genesis: Delivered, origin: str, gateway: str) -> SigningKey:
    """The key of the gateway that a join code names, by its genesis entry; raise `Unverified`."""
    leaf = genesis.entry.encode()
    signed = entry.parse(leaf)
    said = signed.entry
    if not isinstance(said, Account) or account_id(said.sign) != gateway or said.chain != origin:
        raise Unverified("this is not the gateway that the join code is for")
    signed.verify(said.sign)
    Receipt.from_text(genesis.receipt).verify(leaf, origin=origin, key=said.sign)
    return said.sign


def _keys(home: Home) -> identity.Identity:
    try:
        return identity.create(home.directory)
    except FileExistsError:
        return identity.load(home.directory)


def _register(client: Client, code: JoinCode) -> None:
    """Submit the account's entry; one that was signed before and not receipted is submitted again."""
    if client.outbox.counter("receipted"):
        return
    pending = client.outbox.pending("command", limit=1)
    queued = pending[0] if pending else _account(client, code)
    client.submit(queued, client.gateway.register)


def _account(client: Client, code: JoinCode) -> Queued:
    invited = client.gateway.invited(rules.code_hash(code.code))
    return client.write(
        "command",
        Account,
        kind=invited.kind,
        role=invited.role,
        sign=client.identity.signing,
        seal=client.identity.sealing,
        invite=invited.id,
        code=code.code,
    )


def _card(handle: str, name: str | None, secret: str | None) -> Card:
    if secret is None:
        return Card(handle=handle, name=name or handle)
    salt = secrets.token_bytes(SALT_BYTES)
    verifier = password.verifier(password.derive(secret, salt).auth)
    return Card(handle=handle, name=name or handle, login=Login(b64url(salt), b64url(verifier)))
