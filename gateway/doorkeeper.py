"""The embedded broker's door: a token signed by the account's own key, held against the chain."""

import logging
import sqlite3
import time
from collections.abc import Callable
from collections.abc import Set as AbstractSet

from chain import token
from chain.chain import Chain
from chain.errors import Malformed, Unverified
from chain.identity import account_id
from gateway.broker.door import NotAdmitted

log = logging.getLogger(__name__)


class Doorkeeper:
    """Admits the live accounts of a chain. `clock` gives seconds since 1970."""

    def __init__(self, chain: Chain, clock: Callable[[], float] = time.time) -> None:
        self._chain = chain
        self._clock = clock
        self._looked: tuple[int, AbstractSet[str]] = (0, frozenset())
        """The size of the chain at the last look, and whom it was about."""
        self._blind = False
        """Whether the chain could not be read then: it is told once."""

    def admit(self, client_id: str, username: str, password: str) -> None:
        """
        Raise `NotAdmitted` unless `password` is the account's own token for this chain's broker.

        Only the gateway has two clients, the committer and the web server's relay: `client_id` tells them apart.
        """
        gateway = account_id(self._chain.key)
        if client_id != username and (username, client_id) != (gateway, f"{gateway}.web"):
            raise NotAdmitted("the client id is not the account's")
        try:
            shown = token.parse(password)
        except Malformed as error:
            raise NotAdmitted(f"password: want a token ({error})") from error
        try:
            keys = self._chain.state.current_keys(username)
            belongs = self._belongs(username)
        except sqlite3.Error as error:
            raise NotAdmitted(f"the chain cannot be read now: {error}") from error
        if not belongs or keys is None:
            raise NotAdmitted("no such live account with a key in force")
        if (shown.account, shown.kid) != (username, keys.sign.thumbprint):
            raise NotAdmitted("the token is another account's, or signed by a key that is not current")
        audience = token.audience(self._chain.origin, token.MQTT)
        try:
            shown.verify(keys.sign, audience=audience, now=self._clock())
        except Unverified as error:
            raise NotAdmitted(str(error)) from error

    def expelled(self, accounts: AbstractSet[str]) -> AbstractSet[str]:
        """
        Those that a `revoke` ended: the chain is asked when it has grown, and about whoever is new here.

        Nobody, while it cannot be read: they are asked about once it can.
        """
        try:
            size = self._chain.store.head().size
            before, known = self._looked
            asked = accounts if size != before else accounts - known
            expelled = {account for account in asked if not self._belongs(account)}
        except sqlite3.Error as error:
            if not self._blind:
                log.error("nobody can be expelled reason=%s", error)  # noqa: TRY400 - the disk's trouble, not ours
            self._blind = True
            return set()
        self._looked, self._blind = (size, frozenset(accounts)), False
        return expelled

    def _belongs(self, account: str) -> bool:
        """Whether it is live, with a key in force."""
        state = self._chain.state
        return state.is_live(account) and state.current_keys(account) is not None
