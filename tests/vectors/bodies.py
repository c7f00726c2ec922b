"""Bodies and what binds them; and the clear documents, with what is to be refused of each."""

from collections.abc import Iterator

from chain.body import ERASED, MAX_BODY_BYTES, Body
from chain.encoding import b64url
from tests.vectors.damage import respelled
from tests.vectors.forge import Drawn, Edit, Json, having, without
from tests.vectors.tampered import spelled

SALT = Drawn("body")(32)
VERIFIER = b64url(Drawn("verifier")(32))
LOGIN = {"salt": b64url(bytes(16)), "verifier": VERIFIER}

TEXTS = {
    "no text": "",
    "a line": "Fridge 2 is at 9.4 \u00b0C",
    "every control character": "".join(map(chr, range(0x20))) + '"\\/\x7f',
    "beyond the first plane": "\U0001f321\ufe0f \u2028\u2029 \uffff",
    "a byte order mark": "\ufeff{}",
}

CARD = {"handle": "dr.lee", "name": "Dr Lee"}
CARDS: dict[str, Json] = {
    "a handle and a name": CARD,
    "a name of 80 characters": CARD | {"name": "\U0001f9d1" * 80},
    "a handle of 32 characters": CARD | {"handle": "a" * 32},
    "a login": CARD | {"login": LOGIN},
    "a login and a recovery": CARD | {"login": LOGIN | {"recovery": VERIFIER}},
    "backups": CARD | {"backups": ["a.b.c.d.e", "x" * 16_384, "", "4"]},
}
NO_CARDS: dict[str, Edit] = {
    "no handle": without("handle"),
    "no name": without("name"),
    "an empty name": having(name=""),
    "a name of 81 characters": having(name="n" * 81),
    "a name of 81 characters beyond the first plane": having(name="\U0001f9d1" * 81),
    "a handle in capitals": having(handle="Dr.Lee"),
    "a handle that begins with a dot": having(handle=".lee"),
    "a handle of 33 characters": having(handle="a" * 33),
    "a handle and a newline": having(handle="dr.lee\n"),
    "an unknown member": having(title="Dr"),
    "null for no login": having(login=None),
    "no backups": having(backups=[]),
    "five backups": having(backups=["a"] * 5),
    "a long backup": having(backups=["x" * 16_385]),
    "a login without its verifier": having(login={"salt": LOGIN["salt"]}),
    "a login with a short salt": having(login=LOGIN | {"salt": "abc"}),
    "a login with a password": having(login=LOGIN | {"password": "secret"}),
    "null for no recovery": having(login=LOGIN | {"recovery": None}),
}


def cases() -> list[Json]:
    return [*_bodies(), *_altered(), *_documents()]


def _bound(name: str, content: str, *, salt: bytes = SALT, times: int = 1) -> Json:
    """`content` stands for so many of itself, one after the other."""
    ref = Body(salt, content * times).ref
    return {
        "content": content,
        "digest": ref.digest,
        "kind": "body",
        "name": name,
        "salt": b64url(salt),
        "size": ref.size,
        "times": times,
    }


def _bodies() -> Iterator[Json]:
    for name, content in TEXTS.items():
        yield _bound(name, content)
    yield _bound("the longest", "x", times=MAX_BODY_BYTES)
    yield _bound("the longest of two bytes each", "\u00e9", times=MAX_BODY_BYTES // 2)


def _altered() -> Iterator[Json]:
    good = _bound("good", TEXTS["a line"])
    edits: dict[str, Edit] = {
        "another text": having(content="Fridge 2 is at 4.9 \u00b0C"),
        "another text of the same length": having(content=TEXTS["a line"].replace("9.4", "4.9")),
        "another salt": having(salt=b64url(Drawn("other")(32))),
        "another digest": having(digest=VERIFIER),
        "another size": lambda body: body | {"size": body["size"] + 1},
        "a size in characters": having(size=len(TEXTS["a line"])),
        "a salt of 31 bytes": having(salt=b64url(SALT[:31])),
        "a salt of 33 bytes": having(salt=b64url(SALT + b"\0")),
        "a salt in another spelling": having(salt=respelled(good["salt"])),
        "a padded salt": having(salt=good["salt"] + "="),
        "no salt": having(salt=""),
        "half a surrogate pair": having(content="\ud800"),
    }
    for name, edit in edits.items():
        yield edit(good) | {"name": name, "refused": True}
    # Its digest is right: it would bind a text that says it was erased.
    yield _bound("a salt of zeros", TEXTS["a line"], salt=ERASED) | {"refused": True}
    yield _bound("too long", "x", times=MAX_BODY_BYTES + 1) | {"refused": True}
    yield _bound("too long in bytes alone", "\u00e9", times=MAX_BODY_BYTES // 2 + 1) | {"refused": True}


def _documents() -> Iterator[Json]:
    for name, card in CARDS.items():
        yield _document("card", name, spelled(card)) | {"says": card}
    yield _document("invitation", "a handle", b'{"handle":"fridge-2"}') | {"says": {"handle": "fridge-2"}}
    matching = {"handle": "fridge-2", "match": True}
    yield _document("invitation", "six digits to compare", spelled(matching)) | {"says": matching}
    yield _document("group", "a name", b'{"name":"On call"}') | {"says": {"name": "On call"}}
    for name, edit in NO_CARDS.items():
        yield _document("card", name, spelled(edit(CARD))) | {"refused": True}
    for kind, name, content in (
        ("card", "a space", b'{"handle":"dr.lee", "name":"Dr Lee"}'),
        ("card", "unsorted", b'{"name":"Dr Lee","handle":"dr.lee"}'),
        ("card", "a member twice", b'{"handle":"dr.lee","handle":"dr.lee","name":"Dr Lee"}'),
        ("card", "nothing", b""),
        ("card", "a list", b"[]"),
        ("card", "half a surrogate pair", b'{"handle":"dr.lee","name":"\\ud800"}'),
        ("invitation", "no handle", b"{}"),
        ("invitation", "false for no digits", b'{"handle":"fridge-2","match":false}'),
        ("invitation", "a number for digits", b'{"handle":"fridge-2","match":1}'),
        ("invitation", "a name more", b'{"handle":"fridge-2","name":"Fridge"}'),
        ("group", "no name", b"{}"),
        ("group", "a name of no text", b'{"name":7}'),
    ):
        yield _document(kind, name, content) | {"refused": True}


def _document(kind: str, name: str, content: bytes) -> Json:
    return {"content": content.decode(), "kind": kind, "name": f"{kind}: {name}"}
