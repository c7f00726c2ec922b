"""Who may come in: handed to the broker, which knows nothing of keys."""

from collections.abc import Set as AbstractSet
from typing import Protocol


class NotAdmitted(Exception):
    """These credentials do not open the door; the message is for our log, never for the client."""


class Door(Protocol):
    """
    Decides about one CONNECT at a time.

    Called on the broker's event loop before anything of a session is looked at, so it must
    be quick: while it thinks, nobody's messages move.
    """

    def admit(self, client_id: str, username: str, password: str) -> None:
        """
        Return if `password` proves the account; raise `NotAdmitted` if it does not.

        `username` is a well-formed account id, and `client_id` is the same or that with `.web` behind it: the broker
        has checked.
        """
        ...

    def expelled(self, accounts: AbstractSet[str]) -> AbstractSet[str]:
        """
        Return those of `accounts`, who are connected all, that may stay no longer.

        Called on the event loop, too, and a few times a second: it must cost next to nothing while nothing happens.
        """
        ...
