"""
A message that is handed on to somebody for whom it was not sealed: only who has opened it can.

Whoever hands it on cannot change it: its own entry, signed by its own author, commits to what was said.
"""

import hmac

from chain.encoding import b64url, unb64url_hash
from chain.entry import Entry, Message
from chain.errors import Malformed, Unverified
from device.content import FORWARD, Forward
from device.errors import CannotSeal
from device.sealing import Opened, commit


def make(about: str, opened: Opened) -> Forward:
    """What hands on the message with the id `about`; raise `CannotSeal` for one that hands on itself."""
    if opened.cty == FORWARD:
        raise CannotSeal(f"{about}: it hands on another message itself: hand on that one")
    return Forward(about=about, cty=opened.cty, content=opened.content, fk=b64url(opened.fk))


def checked(said: Forward, original: Entry) -> Message:
    """
    The message that was handed on, by its own entry, which has to be proven and signed by its author already.

    Raises `Unverified` if its author did not say that, `Malformed` if it cannot be handed on.
    """
    if not isinstance(original, Message) or original.id != said.about:
        raise Malformed("forward: want the entry of the message that it hands on")
    if said.cty == FORWARD:
        raise Malformed("forward: it hands on one that hands on")
    fk = unb64url_hash(said.fk, what="forward: fk")
    commitment = unb64url_hash(original.commitment, what="commitment")
    try:
        found = commit(fk, said.content)
    except UnicodeEncodeError as error:
        raise Malformed("forward: content: not text") from error
    if not hmac.compare_digest(found, commitment):
        raise Unverified("forward: not what its author said")
    return original
