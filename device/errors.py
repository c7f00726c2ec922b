"""
What can go wrong on a device.

* DeviceError
  + BadConfig     what the operator gave this device cannot be used
    - BadKeys     its private keys are missing, exposed, or not what was written
  + CannotSeal    this content cannot be sealed for these readers
  + CannotOpen    a sealed body does not open, for a reason that is never told
"""


class DeviceError(Exception):
    """Anything in this package that a caller may want to answer."""


class BadConfig(DeviceError):
    """What the operator gave this device cannot be used; the message says why."""


class BadKeys(BadConfig):
    """The private keys are missing, readable by others, or not what this device wrote."""


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
