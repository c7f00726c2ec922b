"""A message that is handed on is what its author said, or none."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from chain.encoding import b64url
from chain.entry import BodyRef, Message, Seen
from chain.errors import ChainError, Malformed, Unverified
from device import content, forward, sealing
from device.content import FORWARD, Forward
from device.errors import CannotSeal
from device.sealing import Opened
from tests.vectors.people import ENTRY

OPENED = Opened("Fridge 2 is at 9.4 \u00b0C", "text/plain", bytes(range(32)))


def message(content: str = OPENED.content, fk: bytes = OPENED.fk, **says: Any) -> Message:
    """Its entry, which commits to this."""
    said: dict[str, Any] = {
        "v": 1,
        "chain": "ward.example/abc",
        "id": ENTRY,
        "author": "a" * 26,
        "stream": "A" * 22,
        "seq": 1,
        "at": 1,
        "clock": "free",
        "seen": Seen(root="A" * 43, size=0),
        "body": BodyRef("A" * 43, 1),
        "to": "b" * 26,
        "commitment": b64url(sealing.commit(fk, content)),
    }
    return Message(**said | says)


def test_what_its_author_said_is_believed() -> None:
    made = forward.make(ENTRY, OPENED)

    assert content.read(FORWARD, content.written(made)) == made
    assert forward.checked(made, message()) == message()
    assert made.content == OPENED.content


@pytest.mark.parametrize(
    "change", [{"content": "Fridge 2 is at 4.9 \u00b0C"}, {"fk": "A" * 43}, {"content": ""}], ids=str
)
def test_what_its_author_did_not_say_is_not_believed(change: dict[str, str]) -> None:
    made = structs.replace(forward.make(ENTRY, OPENED), **change)

    with pytest.raises(Unverified, match="not what its author said"):
        forward.checked(made, message())


def test_another_entry_proves_nothing() -> None:
    other = message(id=ENTRY[:-1] + ("0" if ENTRY[-1] != "0" else "1"))

    with pytest.raises(Malformed, match="want the entry of the message"):
        forward.checked(forward.make(ENTRY, OPENED), other)


def test_nothing_is_handed_on_twice() -> None:
    inner = content.written(forward.make(ENTRY, OPENED))

    with pytest.raises(CannotSeal, match="hand on that one"):
        forward.make(ENTRY, Opened(inner, FORWARD, OPENED.fk))
    with pytest.raises(Malformed, match="hands on one that hands on"):
        forward.checked(
            Forward(about=ENTRY, cty=FORWARD, content=inner, fk=b64url(OPENED.fk)), message(inner)
        )


@given(st.text() | st.binary().map(lambda data: data.decode("utf-8", "surrogateescape")))
def test_whatever_is_handed_on_is_a_message_or_an_error_of_ours(text: str) -> None:
    made = structs.replace(forward.make(ENTRY, OPENED), content=text)
    try:
        believed = forward.checked(made, message())
    except ChainError:
        assert text != OPENED.content
    else:
        assert (believed, text) == (message(), OPENED.content)
