"""
Joining: a join code becomes an account of the chain.

The gateway is checked before the secret is sent; the keys are made here and stay here. Every step can be
interrupted: joining again with the same code goes on where it stopped.
"""

import secrets
from contextlib import closing

from msgspec import structs

from chain import entry
from chain.api import Invited, Site
from chain.body import Card, document
from chain.entry import Account, Profile
from chain.errors import Refused, Unverified
from chain.identity import SigningKey, account_id
from chain.joincode import JoinCode
from chain.receipt import Receipt
from chain.wire import Delivered
from device import identity
from device.addressbook import Membership
from device.client import Client, Home
from device.errors import DeviceError
from device.outbox import Queued
from device.rest import Gateway


class JoinedAlready(DeviceError):
    """The home has an account."""


def join(home: Home, code: JoinCode, *, name: str | None = None) -> Membership:
    """
    Make this home's account with a join code, and its profile. Making the RSA key takes seconds.

    `name` is the display name (the handle, if there is none). Raises `JoinedAlready`, `Refused` with the
    chain's rule, `Unreachable`, or `Unverified` if the gateway is not the one that the code names.
    """
    home.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    begun = home.book.joining()
    if begun is not None and begun.joined:
        raise JoinedAlready(f"{home.directory}: this is {begun.handle} on {begun.origin} already")
    gateway = Gateway(code.host, code.port)
    site = gateway.site()
    key = gateway_key(site.gateway, site.origin, code.pin)
    if begun is not None and (begun.origin, begun.gateway_key) != (site.origin, key):
        raise JoinedAlready(f"{home.directory}: it began to join {begun.origin}, which this code is not for")
    membership = begun or _begin(home, code, gateway.invited(code.code), site, key)
    with closing(Client(home, membership)) as client:
        if client.trust.held.size == 0:
            # Only accounts may ask how a later one continues it.
            client.trust.accept(Receipt.from_text(site.gateway.receipt).note)
        membership = _register(client, code)
        card = Card(handle=membership.handle, name=name or membership.handle)
        client.say(Profile, beside=document(card, secrets.token_bytes))
    joined = structs.replace(membership, joined=True)
    home.book.set_membership(joined)
    return joined


def _begin(home: Home, code: JoinCode, invited: Invited, site: Site, key: SigningKey) -> Membership:
    membership = Membership(
        origin=site.origin,
        gateway_key=key,
        http_host=code.host,
        http_port=code.port,
        mqtt_host=site.mqtt_host,
        mqtt_port=site.mqtt_port,
        pin=code.pin,
        account=_keys(home).account_id,
        handle=invited.handle,
        kind=invited.kind,
        role=invited.role,
    )
    home.book.set_membership(membership)
    return membership


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


def _register(client: Client, code: JoinCode) -> Membership:
    """
    Submit the account's entry; one that was signed before and not receipted is submitted again.

    If it is refused, as when its code has expired meanwhile, the next code begins with a new one.
    """
    membership = client.membership
    if client.outbox.counter("receipted"):
        return membership
    pending = client.outbox.pending("command", limit=1)
    if pending:
        queued = pending[0]
    else:
        invited = client.gateway.invited(code.code)
        membership = structs.replace(membership, handle=invited.handle, kind=invited.kind, role=invited.role)
        client.book.set_membership(membership)
        queued = _account(client, code, invited)
    try:
        client.submit(queued, client.gateway.register)
    except Refused as refusal:
        client.outbox.reject(queued.id, refusal.rule, refusal.reason)
        raise
    return membership


def _account(client: Client, code: JoinCode, invited: Invited) -> Queued:
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
