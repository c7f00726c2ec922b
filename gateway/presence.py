"""
Who is there: accounts that are connected to the broker, and people who have the page open.

It is a light beside a name and nothing else: kept in memory, never on the chain, and nothing is decided by it.
"""

import threading
from collections import Counter
from collections.abc import Callable


class Presence:
    """
    The accounts that are online. Any number of threads may ask and tell.

    `knows` says whether an account is a live one of the chain: a broker may claim what it likes, and only those
    are remembered.
    """

    def __init__(self, knows: Callable[[str], bool]) -> None:
        self._knows = knows
        self._lock = threading.Lock()
        self._connected: set[str] = set()
        self._pages: Counter[str] = Counter()
        self._online: frozenset[str] = frozenset()

    def online(self) -> frozenset[str]:
        """Who is there now: the same object until somebody comes or goes."""
        return self._online

    def connected(self, account: str) -> None:
        """Its device or agent is connected to the broker."""
        if account in self._connected or not self._knows(account):
            return
        with self._lock:
            self._connected.add(account)
            self._settle()

    def disconnected(self, account: str) -> None:
        with self._lock:
            self._connected.discard(account)
            self._settle()

    def lose_sight(self) -> None:
        """The broker cannot be asked: who is connected to it is not known, and does not count as there."""
        with self._lock:
            self._connected.clear()
            self._settle()

    def open_page(self, account: str) -> None:
        """A page of this account listens; it may have several."""
        with self._lock:
            self._pages[account] += 1
            self._settle()

    def close_page(self, account: str) -> None:
        with self._lock:
            self._pages[account] -= 1
            self._pages += Counter()  # forgets those who are down to none
            self._settle()

    def _settle(self) -> None:
        online = frozenset(self._connected | self._pages.keys())
        if online != self._online:
            self._online = online
