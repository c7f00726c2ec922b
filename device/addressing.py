"""
Addressing: from a name to the keys that a message is sealed for, believed only as far as the chain proves
them, and pinned. A key that changed without the old key's consent is reported and not taken.
"""

import logging

from msgspec import Struct, structs

from chain import entry
from chain.api import IntentAnswer, Party
from chain.entry import Account, Group, Key
from chain.errors import ChainError, Unverified
from chain.identity import SealingKey, SigningKey, account_id
from device.addressbook import AddressBook, Pin, Route
from device.errors import Problem, Unreachable, Untrusted
from device.rest import Gateway
from device.trust import Trust

log = logging.getLogger(__name__)


class Addressee(Struct, frozen=True):
    """Where a message goes: `to` is what its entry says, `keys` is what its body is sealed for."""

    to: str
    keys: tuple[SealingKey, ...]


class ProvenKeys(Struct, frozen=True):
    """
    An account's keys by its own entries: `lineage` are the thumbprints that lead, each signing for the next,
    to the current one. An admin's reset begins a new lineage. `ever` are all that it had.
    """

    kind: str
    role: str
    sign: SigningKey
    seal: SealingKey | None
    lineage: tuple[str, ...]
    ever: tuple[SigningKey, ...]

    def followed(self, sign: SigningKey, seal: SealingKey, *, is_reset: bool) -> "ProvenKeys":
        """After a `key` entry."""
        lineage = () if is_reset else self.lineage
        return ProvenKeys(self.kind, self.role, sign, seal, (*lineage, sign.thumbprint), (*self.ever, sign))

    def named(self, kid: str) -> SigningKey:
        """The key `kid`, current or not; raise `Untrusted` if the account never had it."""
        for key in self.ever:
            if key.thumbprint == kid:
                return key
        raise Untrusted("signed with a key that its author never had")


def prove(party: Party, trust: Trust) -> ProvenKeys:
    """Return the keys that the chain proves; raise `Untrusted` for a party whose entries do not hold."""
    try:
        return _prove(party, trust)
    except ChainError as error:
        raise Untrusted(f"{party.handle or party.account}: keys not proven: {error}") from error


def _prove(party: Party, trust: Trust) -> ProvenKeys:
    keys: ProvenKeys | None = None
    for delivered in party.entries:
        leaf = delivered.entry.encode()
        trust.accept_receipt(delivered.receipt, leaf)
        signed = entry.parse(leaf)
        match signed.entry:
            case Account(author=author, kind=kind, role=role, sign=sign, seal=seal) if keys is None:
                if author != party.account or account_id(sign) != author:
                    raise Unverified("the account entry is another account's")
                signed.verify(sign)
                keys = ProvenKeys(kind, role, sign, seal, (sign.thumbprint,), (sign,))
            case Key(author=author, account=account, sign=sign, seal=seal) if (
                keys and account == party.account
            ):
                if author == account:
                    signed.verify(keys.sign)
                keys = keys.followed(sign, seal, is_reset=author != account)
            case _:
                raise Unverified("want its account entry, then its key entries")
    if keys is None:
        raise Unverified("no entries")
    return keys


class Directory:
    """Finds addressees and authors, and keeps the pins. Falls back on what is pinned while the gateway is away."""

    def __init__(self, book: AddressBook, gateway: Gateway, trust: Trust) -> None:
        self._book = book
        self._gateway = gateway
        self._trust = trust

    def addressee(self, name: str) -> Addressee:
        """
        Whom `name` (a handle, a group's name, an id) leads to, with keys to seal for.

        Raises `Problem` if the chain does not let this account write there, `Unreachable` if the gateway is away
        and the name was never looked up before, `Untrusted` if its answer is not proven.
        """
        try:
            answer = self._gateway.intent(name)
        except Unreachable:
            route = self._book.route(name)
            if route is None:
                raise
            pins = [pin for account in route.accounts if (pin := self._book.pin(account))]
            return _addressee(route.to, pins)
        self._check_group(answer)
        pins = [self.pinned(party) for party in answer.recipients]
        route = Route(name=name, to=answer.to, accounts=[pin.account for pin in pins])
        if self._book.route(name) != route:
            self._book.set_route(route)
        return _addressee(answer.to, pins)

    def accounts(self, name: str) -> tuple[str, frozenset[str]]:
        """
        What party `name` stands for, and all the accounts that belong to it, whoever is on duty; asked for now.

        Raises what `addressee` does.
        """
        answer = self._gateway.intent(name)
        group = self._check_group(answer)
        return answer.to, frozenset({answer.to} if group is None else group.members)

    def writer(self, account: str) -> tuple[str, Pin]:
        """What kind of account it is by its own entry, and its pin; asked for now."""
        party = self._gateway.account(account)
        if party.account != account:
            raise Untrusted(f"{account}: the gateway answered with another account")
        return prove(party, self._trust).kind, self.pinned(party)

    def signing_key(self, account: str, kid: str) -> tuple[SigningKey, str]:
        """The key `kid` of `account`, and the account's handle; raise `Untrusted` if it never was its key."""
        pin = self._book.pin(account)
        if pin is not None and pin.sign.thumbprint == kid:
            return pin.sign, pin.handle or account
        party = self._gateway.account(account)
        if party.account != account:
            raise Untrusted(f"{account}: the gateway answered with another account")
        self.pinned(party)
        return prove(party, self._trust).named(kid), party.handle or account

    def pinned(self, party: Party) -> Pin:
        """The keys to use for `party`: newly pinned, taken over from the old key, or kept against the gateway."""
        proven = prove(party, self._trust)
        fresh = Pin(
            account=party.account, handle=party.handle, kind=party.kind, sign=proven.sign, seal=proven.seal
        )
        pin = self._book.pin(party.account)
        if pin is None:
            self._book.set_pin(fresh)
            return fresh
        if pin.sign == fresh.sign and pin.seal == fresh.seal:
            return pin
        who = party.handle or party.account
        if pin.sign.thumbprint in proven.lineage:
            notice = f"{who} has new keys, signed for by the old ones"
            return self._keep(structs.replace(fresh, notice=notice))
        waiting = f"{who} has new keys that the old ones did not sign for (an admin's reset?)"
        return self._keep(structs.replace(pin, waiting=waiting))

    def take(self, name: str) -> Pin:
        """Take the keys that the chain has for `name` now: a person has checked them by another way."""
        route = self._gateway.intent(name)
        if len(route.recipients) != 1:
            raise Untrusted(f"{name}: want one account, this is a group of {len(route.recipients)}")
        (party,) = route.recipients
        proven = prove(party, self._trust)
        pin = Pin(
            account=party.account, handle=party.handle, kind=party.kind, sign=proven.sign, seal=proven.seal
        )
        self._book.set_pin(pin)
        return pin

    def _keep(self, pin: Pin) -> Pin:
        if self._book.pin(pin.account) != pin:
            log.warning("key changed account=%s what=%s", pin.account, pin.waiting or pin.notice)
            self._book.set_pin(pin)
        return pin

    def _check_group(self, answer: IntentAnswer) -> Group | None:
        """
        The group that it is, if it is one.

        An addressee that is not in the admin's signed list of members is the gateway's invention.
        """
        accounts = {party.account for party in answer.recipients}
        if not answer.to.startswith("g-"):
            if accounts != {answer.to}:
                raise Untrusted("the addressees are not the account that was asked for")
            return None
        if answer.group is None or answer.admin is None:
            raise Untrusted("a group without the admin's entry that names its members")
        leaf = answer.group.entry.encode()
        admin = prove(answer.admin, self._trust)
        try:
            self._trust.accept_receipt(answer.group.receipt, leaf)
            signed = entry.parse(leaf)
            # An admin's keys may have changed since: a group outlives them.
            signed.verify(admin.named(signed.kid))
        except ChainError as error:
            raise Untrusted(f"the group's entry is not proven: {error}") from error
        said = signed.entry
        if not isinstance(said, Group) or said.group != answer.to or not accounts <= set(said.members):
            raise Untrusted("the addressees are not the group's members by the admin's entry")
        if said.author != answer.admin.account or admin.role != "admin":
            raise Untrusted("the group's entry is not signed by that admin")
        return said


def _addressee(to: str, pins: list[Pin]) -> Addressee:
    keys = tuple(pin.seal for pin in pins if pin.seal is not None)
    if not keys:
        raise Problem(409, f"{to}: nobody there has a key to receive with", rule="contact")
    return Addressee(to, keys)
