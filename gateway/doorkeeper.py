"""The embedded broker's door: a token signed by the account's own key, held against the chain."""

import time
from collections.abc import Callable
from collections.abc import Set as AbstractSet

from chain import token
from chain.chain import Chain
from chain.errors import Malformed, Unverified
from chain.identity import account_id
from gateway.broker.door import NotAdmitted


class Doorkeeper:
    """Admits the live accounts of a chain. `clock` gives seconds since 1970."""

    def __init__(self, chain: Chain, clock: Callable[[], float] = time.time) -> None:
        self._chain = chain
        self._clock = clock
        self._looked: tuple[int, AbstractSet[str]] = (0, frozenset())
        """The size of the chain at the last look, and whom it was about."""

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
        keys = self._chain.state.current_keys(username)
        if not self._belongs(username) or keys is None:
            raise NotAdmitted("no such live account with a key in force")
        if (shown.account, shown.kid) != (username, keys.sign.thumbprint):
            raise NotAdmitted("the token is another account's, or signed by a key that is not current")
        audience = token.audience(self._chain.origin, token.MQTT)
        try:
            shown.verify(keys.sign, audience=audience, now=self._clock())
        except Unverified as error:
            raise NotAdmitted(str(error)) from error

    def expelled(self, accounts: AbstractSet[str]) -> AbstractSet[str]:
        """Those that a `revoke` ended: the chain is asked when it has grown, and about whoever is new here."""
        size = self._chain.store.head().size
        before, known = self._looked
        self._looked = (size, frozenset(accounts))
        asked = accounts if size != before else accounts - known
        return {account for account in asked if not self._belongs(account)}

    def _belongs(self, account: str) -> bool:
        """Whether it is live, with a key in force."""
        state = self._chain.state
        return state.is_live(account) and state.current_keys(account) is not None
