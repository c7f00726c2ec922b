"""
Joining: a join code becomes an account of the chain.

The gateway is checked before the secret is sent; the keys are made here and stay here. Every step can be
interrupted: joining again with the same code goes on where it stopped.
"""

import secrets
import time
from collections.abc import Callable
from contextlib import closing
from http import HTTPStatus

from msgspec import structs

from chain import durable, entry, joincode
from chain.api import Invited, Match, Site
from chain.body import Card, document
from chain.encoding import unb64url
from chain.entry import Account, Profile
from chain.errors import Refused, Unverified
from chain.identity import SigningKey, account_id
from chain.joincode import JoinCode
from chain.receipt import Receipt
from chain.wire import Delivered, Parcel
from device import certificate, identity, root
from device.addressbook import Membership
from device.client import Client, Home
from device.errors import DeviceError, Problem, Unreachable
from device.outbox import Queued
from device.rest import Gateway, Receipted
from device.tls import Tls

MATCH_SECONDS = 2.0
"""Between two questions whether an admin has compared the six digits."""

SLOWLY = "making an RSA key of 3072 bits: this takes some seconds, and up to a minute on a Raspberry Pi"
MATCH = """
    Tell the administrator:   {digits}

waiting until they have typed these six digits ... (interrupt it and join again with the same code: it goes on)
"""

Tell = Callable[[str], None]
"""Shows the person who waits how far it is."""


class JoinedAlready(DeviceError):
    """The home has an account."""


def join(home: Home, code: JoinCode, *, name: str | None = None, tell: Tell = lambda _: None) -> Membership:
    """
    Make this home's account with a join code, and its profile. Making the RSA key takes seconds.

    `name` is the display name (the handle, if there is none). Raises `JoinedAlready`, `Refused` with the
    chain's rule, `Unreachable`, or `Unverified` if the gateway is not the one that the code names.
    """
    durable.make_directory(home.directory)
    begun = home.book.joining()
    if begun is not None and begun.joined:
        raise JoinedAlready(f"{home.directory}: this is {begun.handle} on {begun.origin} already")
    gateway = Gateway(code.host, code.port, tls=_verifying(home, code))
    site = gateway.site()
    key = gateway_key(site.gateway, site.origin, code)
    if begun is not None and (begun.origin, begun.gateway_key) != (site.origin, key):
        raise JoinedAlready(f"{home.directory}: it began to join {begun.origin}, which this code is not for")
    if begun is None:
        invited = gateway.invited(code.code)
        begun = _membership(code, invited, site, key, _keys(home, tell).account_id)
        home.book.set_membership(begun)
    with closing(Client(home, begun)) as client:
        if client.trust.held.size == 0:
            # Only accounts may ask how a later one continues it.
            client.trust.accept(Receipt.from_text(site.gateway.receipt).note)
        membership = _register(client, code, tell)
        if code.is_lan:
            certificate.obtain(home, client.gateway, membership)
        card = Card(handle=membership.handle, name=name or membership.handle)
        client.say(Profile, beside=document(card, secrets.token_bytes))
    joined = structs.replace(membership, joined=True)
    home.book.set_membership(joined)
    return joined


def _verifying(home: Home, code: JoinCode) -> Tls | None:
    """In a LAN, what connections are verified with: the root that the code names, which the server has to show."""
    if not code.is_lan:
        return None
    tls = home.tls()
    root.find(tls.root, code.host, code.port, code.pin)
    return tls


def _membership(code: JoinCode, invited: Invited, site: Site, key: SigningKey, account: str) -> Membership:
    return Membership(
        origin=site.origin,
        gateway_key=key,
        http_host=code.host,
        http_port=code.port,
        # In a LAN the broker is where the gateway was found: what it calls itself is one name of many.
        mqtt_host=code.host.strip("[]") if code.is_lan else site.mqtt_host,
        mqtt_port=site.mqtt_port,
        pin=code.pin,
        account=account,
        handle=invited.handle,
        kind=invited.kind,
        role=invited.role,
    )


def gateway_key(genesis: Delivered, origin: str, code: JoinCode) -> SigningKey:
    """
    The key of the gateway that a join code names, by its genesis entry; raise `Unverified`.

    In a LAN the code names the root under which this was told, and the chain's origin names the gateway.
    """
    leaf = genesis.entry.encode()
    signed = entry.parse(leaf)
    said = signed.entry
    named = origin.rpartition("/")[2] if code.is_lan else code.pin
    if not isinstance(said, Account) or account_id(said.sign) != named or said.chain != origin:
        raise Unverified("this is not the gateway that the join code is for")
    signed.verify(said.sign)
    Receipt.from_text(genesis.receipt).verify(leaf, origin=origin, key=said.sign)
    return said.sign


def _keys(home: Home, tell: Tell) -> identity.Identity:
    if identity.exists(home.directory):
        return identity.load(home.directory)
    tell(SLOWLY)
    return identity.create(home.directory)


def _register(client: Client, code: JoinCode, tell: Tell) -> Membership:
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
        client.submit(queued, lambda parcel: _let_in(client.gateway, parcel, tell))
    except Refused as refusal:
        client.outbox.reject(queued.id, refusal.rule, refusal.reason)
        raise
    return membership


def _let_in(gateway: Gateway, parcel: Parcel, tell: Tell) -> Receipted:
    """Hand in the account's entry; where an admin is to compare six digits, show them and wait for that."""
    answer = gateway.register(parcel)
    nonce = None
    while isinstance(answer, Match):
        if answer.nonce != nonce:
            nonce = answer.nonce
            digits = joincode.digits(unb64url(nonce, what="nonce"), parcel.entry.encode())
            tell(MATCH.format(digits=f"{digits[:3]} {digits[3:]}"))
        time.sleep(MATCH_SECONDS)
        try:
            answer = gateway.register(parcel)
        except Unreachable:
            pass  # it is started again, and still knows who waits
        except Problem as problem:
            if problem.status != HTTPStatus.TOO_MANY_REQUESTS:
                raise
    return answer


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
