"""
What can go wrong on a device.

* DeviceError
  + BadConfig     what the operator gave this device cannot be used
    - BadKeys     its private keys are missing, exposed, or not what was written
  + BadDocument   a file of its own is not what was written there
  + NotJoined     it has no account yet
  + Unreachable   the gateway does not answer now; the same may work later
    - Insecure    who answers is not shown to be the gateway: nothing was told to it
    - UnfitList   the stored revocation list says nothing of who answers: the same works at once without it
  + Problem       the gateway answered no; carries its rule, if the chain has one for it
  + TwoHistories  the gateway showed a history that does not continue the one it showed before
  + Untrusted     what the gateway says of an account is not proven by the chain
  + CannotSeal    this content cannot be sealed for these readers
  + CannotOpen    a sealed body does not open, for a reason that is never told
"""


class DeviceError(Exception):
    """Anything in this package that a caller may want to answer."""


class BadConfig(DeviceError):
    """What the operator gave this device cannot be used; the message says why."""


class BadKeys(BadConfig):
    """The private keys are missing, readable by others, or not what this device wrote."""


class BadDocument(DeviceError):
    """A file of this device's own is not what was written there."""


class NotJoined(DeviceError):
    """The home has no account yet."""


class Unreachable(DeviceError):
    """The gateway does not answer now; the same may work later."""


class Insecure(Unreachable):
    """
    Who answers is not shown to be the gateway, and was told nothing. The message says why.

    It may be another machine, or only this one's clock: so it is tried again, as what is away is, but never in silence.
    """


class UnfitList(Unreachable):
    """The stored revocation list says nothing of this server's certificate. The next connection goes without it."""


class Problem(DeviceError):
    """
    The gateway answered no. `type` is the problem's, as docs/protocol.md has it. `rule` is the chain's, where it was the chain that refused, and `refusal` the
    gateway's signed word for it; `now` is its clock in ms, where ours may be the reason.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        type: str = "about:blank",  # noqa: A002 - as RFC 9457 names it
        rule: str | None = None,
        refusal: str | None = None,
        now: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.type = type
        self.rule = rule
        self.refusal = refusal
        self.now = now


class TwoHistories(DeviceError):
    """The gateway showed a history that does not continue the one that it showed before."""


class Untrusted(DeviceError):
    """What the gateway says of an account is not proven by the chain."""


class CannotSeal(DeviceError):
    """The content cannot be sealed for these readers: too many of them, or too long."""


class CannotOpen(DeviceError):
    """
    A sealed body does not open.

    Wrong key, wrong tag, wrong padding, wrong author: one type and one message for all, because a
    sender who can tell them apart can ask a reader questions about other people's messages.
    """

    def __init__(self) -> None:
        super().__init__("this message cannot be opened")
