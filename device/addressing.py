"""
Addressing: from a name to the keys that a message is sealed for, believed only as far as the chain proves
them, and pinned. A key that changed without the old key's consent is reported and not taken.
"""

import logging
from collections.abc import Iterator, Sequence

from msgspec import Struct, structs

from chain import entry
from chain.api import AlertHeader, Escalation, EscalationParty, IntentAnswer, Party
from chain.contracts.terms import Escalate
from chain.entry import MAX_MEMBERS, Account, Alert, Contract, Entry, Group, Key
from chain.errors import ChainError, Unverified
from chain.identity import SealingKey, SigningKey, account_id
from chain.wire import Delivered
from device.addressbook import AddressBook, Pin, Route
from device.errors import Problem, Unreachable, Untrusted
from device.rest import Gateway
from device.trust import Trust

log = logging.getLogger(__name__)


class Addressee(Struct, frozen=True):
    """Where a message goes: `to` is what its entry says, `keys` is what its body is sealed for."""

    to: str
    keys: tuple[SealingKey, ...]


Named = IntentAnswer | EscalationParty
"""A party, and the accounts that the gateway says belong to it."""


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

    def addressee(
        self, name: str, alert: Alert | AlertHeader | None = None, *, re: str | None = None
    ) -> Addressee:
        """
        Whom `name` (a handle, a group's name, an id) leads to, with keys to seal for.

        An `alert` is sealed for those, too, to whom it may escalate: nobody has to seal it again when a step names them.
        `re` is a message of an alert that is handed on. Raises `Problem` if the chain does not let this account write
        there, `Unreachable` if the gateway is away and the name was never looked up before, `Untrusted` if its answer
        is not proven.
        """
        header = None if alert is None else AlertHeader(alert.kind, alert.priority)
        try:
            answer = self._gateway.intent(name, header, re)
        except Unreachable:
            route = self._book.route(name, header) or self._book.route(name)
            if route is None:
                raise
            pins = [pin for account in route.accounts if (pin := self._book.pin(account))]
            return _addressee(route.to, pins)
        self._check_named(answer)
        parties: list[Named] = [answer]
        if header is not None and answer.escalation is not None:
            parties += self._proven(answer.escalation)
        pins = self._sealable(parties)
        route = Route(name=name, to=answer.to, accounts=[pin.account for pin in pins], alert=header)
        if self._book.route(name, header) != route:
            self._book.set_route(route)
        return _addressee(answer.to, pins)

    def accounts(self, name: str) -> tuple[str, frozenset[str]]:
        """
        What party `name` stands for, and all the accounts that belong to it, whoever is on duty; asked for now.

        Raises what `addressee` does.
        """
        answer = self._gateway.intent(name)
        group = self._check_named(answer)
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

    def _sealable(self, parties: Sequence[Named]) -> list[Pin]:
        """Those of the parties who can be sealed for: who is on duty first, and no more than a message has room for."""
        pins: dict[str, Pin] = {}
        for party in _in_order(parties):
            if len(pins) < MAX_MEMBERS and party.account not in pins:
                pin = self.pinned(party)
                if pin.seal is not None:
                    pins[party.account] = pin
        return list(pins.values())

    def _proven(self, escalation: Escalation) -> list[EscalationParty]:
        """
        The parties that an alert may reach by an admin's contract.

        What is the gateway's invention is left out, and reported: an alert does not wait for it.
        """
        try:
            steps = self._steps(escalation)
        except Untrusted as error:
            _invented("contract", error)
            return []
        proven = []
        for party in escalation.parties:
            try:
                self._check_party(party, steps)
            except Untrusted as error:
                _invented(party.to, error)
            else:
                proven.append(party)
        return proven

    def _check_party(self, party: EscalationParty, steps: set[str]) -> None:
        if party.to not in steps:
            raise Untrusted("no step of the contract names it")
        self._check_named(party)
        for each in party.recipients:
            prove(each, self._trust)

    def _steps(self, escalation: Escalation) -> set[str]:
        """The parties that the contract's steps name."""
        said = self._by_admin(escalation.contract, escalation.admin, "the contract's entry")
        if not isinstance(said, Contract) or not isinstance(said.terms, Escalate):
            raise Untrusted("the contract's entry installs no escalation")
        return {step.to for step in said.terms.params.steps}

    def _check_named(self, named: Named) -> Group | None:
        """
        The group that it is, if it is one.

        An addressee that is not in the admin's signed list of members is the gateway's invention.
        """
        accounts = {party.account for party in named.recipients}
        if not named.to.startswith("g-"):
            if accounts != {named.to}:
                raise Untrusted("the addressees are not the account that was asked for")
            return None
        if named.group is None or named.admin is None:
            raise Untrusted("a group without the admin's entry that names its members")
        said = self._by_admin(named.group, named.admin, "the group's entry")
        if not isinstance(said, Group) or said.group != named.to or not accounts <= set(said.members):
            raise Untrusted("the addressees are not the group's members by the admin's entry")
        return said

    def _by_admin(self, delivered: Delivered, admin: Party, what: str) -> Entry:
        """What an entry says that is on the chain, and signed by that admin; raise `Untrusted`."""
        leaf = delivered.entry.encode()
        keys = prove(admin, self._trust)
        try:
            self._trust.accept_receipt(delivered.receipt, leaf)
            signed = entry.parse(leaf)
            # An admin's keys may have changed since: what they said outlives them.
            signed.verify(keys.named(signed.kid))
        except ChainError as error:
            raise Untrusted(f"{what} is not proven: {error}") from error
        if signed.entry.author != admin.account or keys.role != "admin":
            raise Untrusted(f"{what} is not signed by that admin")
        return signed.entry


def _invented(what: str, error: Untrusted) -> None:
    log.error("escalation not proven: nothing is sealed for it what=%s reason=%s", what, error)


def _in_order(parties: Sequence[Named]) -> Iterator[Party]:
    """Those on duty, party by party; then the others."""
    for on_duty in (True, False):
        for named in parties:
            yield from (party for party in named.recipients if (party.account in named.on_duty) == on_duty)


def _addressee(to: str, pins: list[Pin]) -> Addressee:
    keys = tuple(pin.seal for pin in pins if pin.seal is not None)
    if not keys:
        raise Problem(409, f"{to}: nobody there has a key to receive with", rule="contact")
    return Addressee(to, keys)
