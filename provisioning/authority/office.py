"""
What the authority does: it answers the web server's questions, follows the chain, and keeps its own house in order.

Any thread may ask; one at a time is served. What was decided is in the inventory before anybody hears of it, and the
list of revoked certificates (CRL) follows from the inventory: so after a crash the next look makes it whole.
"""

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.serialization import Encoding

from chain.api import Certified
from chain.chain import Chain
from chain.encoding import unb64url
from chain.entry import MAX_MS
from chain.errors import Malformed
from gateway.authority import (
    Answer,
    Certify,
    Denied,
    Granted,
    Line,
    Lines,
    List,
    Question,
    Refusal,
    Renew,
    Renewable,
)
from gateway.errors import Busy
from provisioning.authority import certificates, policy
from provisioning.authority.certificates import bundle, pem
from provisioning.authority.inventory import Holder, Inventory, Leaf
from provisioning.authority.stock import Revoked, Stock, until

log = logging.getLogger(__name__)

PASS_MINUTES = 5
"""How long the certificate holds with which the authority itself takes an account's place at the broker."""

LARGEST_PAGE = 1_000

Clock = Callable[[], datetime]


class Office:
    """`chain` is open for reading only. `clock` gives the time with its zone."""

    def __init__(self, stock: Stock, inventory: Inventory, chain: Chain, clock: Clock) -> None:
        self._stock = stock
        self._inventory = inventory
        self._chain = chain
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: list[int] | None = None
        self._knows_time = True

    def answer(self, question: Question) -> Answer:
        """Raises `Busy`, or what a disk raises; whoever asked is told nothing then."""
        with self._lock:
            try:
                match question:
                    case Certify():
                        return self._certify(question)
                    case Renew():
                        return self._permit(question.account)
                    case List():
                        return self._list(question.after, min(max(question.limit, 1), LARGEST_PAGE))
            except (Denied, Malformed) as error:
                return Refusal(str(error))

    def follow(self) -> None:
        """Put on the CRL what accounts have that were revoked since the last look."""
        with self._lock:
            newest = self._chain.state.acts("revoke", before=MAX_MS, limit=1)
            if newest == self._seen:
                return
            now = self._now()
            ended = [
                policy.ended(holder, now)
                for holder in self._inventory.holders()
                if policy.is_trusted(holder) and self._is_revoked(holder.account)
            ]
            if ended:
                self._inventory.put(ended)
                self._write_crl()
            self._seen = newest
        for holder in ended:
            log.info("revoked account=%s", holder.account)

    def tend(self) -> None:
        """Renew what is due, and forget what ended long ago; nothing of that while the clock is wrong."""
        with self._lock:
            if self._clock() < self._stock.made():
                self._say_wrong_clock()
                return
            self._knows_time = True
            for done in self._stock.renew(self._clock()):
                log.info("renewed: %s", done)
            self._tidy()
            if self._stock.crl_is_due(self._revoked(), self._clock()):
                self._write_crl()

    def to_kick(self) -> list[str]:
        """The accounts that were revoked and may still be connected to the broker."""
        with self._lock:
            return [holder.account for holder in self._inventory.holders() if holder.kick]

    def kicked(self, account: str) -> None:
        """It is no longer connected, and the broker lets it in no more."""
        with self._lock:
            self._inventory.put([policy.kicked(self._inventory.of(account))])

    def pass_for(self, account: str) -> bytes:
        """A certificate in the account's name with its key, for the authority's own use."""
        with self._lock:
            key, signer = certificates.new_key(), self._stock.signer()
            lifetime = timedelta(minutes=PASS_MINUTES)
            made = certificates.client(signer, key.public_key(), account, self._clock(), lifetime=lifetime)
            return bundle(key, [made, signer.certificate])

    def _certify(self, question: Certify) -> Granted:
        request = certificates.read_request(unb64url(question.csr, what="certificate request"))
        if request.cn != question.account:
            raise Denied("the certificate request is for another account")
        now, holder = self._now(), self._inventory.of(question.account)
        policy.check(holder, live=self._chain.state.is_live(holder.account), now=now)
        signer = self._stock.signer()
        if not self._stock.made() <= self._clock() < signer.certificate.not_valid_after_utc:
            raise Busy(
                "the clock is wrong, or the issuing authority has ended: see `blockpost authority status`"
            )
        made = certificates.client(signer, request.key, holder.account, self._clock())
        leaf = Leaf(serial=f"{made.serial_number:x}", issued=now, until=_ms(made.not_valid_after_utc))
        self._inventory.put([policy.issued(holder, leaf)])
        log.info("issued account=%s serial=%s", holder.account, leaf.serial)
        crl = self._stock.crls()[0]
        return Granted(
            Certified(
                certificate=pem([made, signer.certificate]).decode(),
                root=pem([self._stock.root()]).decode(),
                crl=crl.public_bytes(Encoding.PEM).decode(),
                issued=now,
                until=leaf.until,
                crl_until=_ms(until(crl)),
                now=now,
            )
        )

    def _permit(self, account: str) -> Renewable:
        if not self._chain.state.is_live(account):
            raise Denied("there is no live account with this id")
        now = self._now()
        self._inventory.put([policy.permitted(self._inventory.of(account), now)])
        log.info("permitted account=%s", account)
        return Renewable(now + policy.PERMIT_MS)

    def _list(self, after: str, limit: int) -> Lines:
        found = [each for each in self._inventory.holders() if each.account > after and each.leaves]
        page = found[:limit]
        return Lines(
            [line(holder, self._now()) for holder in page], page[-1].account if found[limit:] else None
        )

    def _is_revoked(self, account: str) -> bool:
        """One that is not on this chain is not: a newer backup may be on its way, and would bring it back."""
        row = self._chain.state.account(account)
        return row is not None and not row.live

    def _say_wrong_clock(self) -> None:
        if self._knows_time:
            log.warning("clock wrong now=%s: nothing is issued or renewed", self._clock().isoformat())
        self._knows_time = False

    def _tidy(self) -> None:
        now, changed, gone = self._now(), [], []
        for holder in self._inventory.holders():
            kept = policy.tidied(holder, live=self._chain.state.is_live(holder.account), now=now)
            if kept is None:
                gone.append(holder.account)
            elif kept != holder:
                changed.append(kept)
        if changed:
            self._inventory.put(changed)
        if gone:
            self._inventory.drop(gone)

    def _revoked(self) -> Revoked:
        now = self._now()
        return [
            (int(leaf.serial, 16), datetime.fromtimestamp(leaf.revoked / 1000, UTC))
            for holder in self._inventory.holders()
            for leaf in holder.leaves
            if leaf.revoked is not None and now < leaf.until
        ]

    def _write_crl(self) -> None:
        self._stock.write_crl(self._revoked(), self._clock())

    def _now(self) -> int:
        return _ms(self._clock())


def line(holder: Holder, now: int) -> Line:
    """What an admin sees of an account that has, or had, a certificate."""
    newest = holder.leaves[-1]
    return Line(
        account=holder.account,
        serial=newest.serial,
        issued=newest.issued,
        until=newest.until,
        revoked=newest.revoked is not None,
        renewable=holder.permit if holder.permit is not None and now < holder.permit else None,
    )


def _ms(time: datetime) -> int:
    return int(time.timestamp() * 1000)
