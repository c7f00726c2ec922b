"""Every way in which a sealed body can be wrong: one fault each, with valid cryptography around it."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from chain.encoding import b64url, canonical, digest, unb64url
from device.sealing import commit
from tests.vectors import damage, forge
from tests.vectors.forge import Edit, Json, case, having, text, without
from tests.vectors.people import OTHER_ENTRY, person

HEADERS: dict[str, Edit] = {
    "header: another enc": having(enc="A128GCM"),
    "header: another typ": having(typ="JOSE"),
    "header: no typ": without("typ"),
    "header: no cty": without("cty"),
    "header: no iss": without("iss"),
    "header: no rcp": without("rcp"),
    "header: empty cty": having(cty=""),
    "header: cty with a line break": having(cty="text/plain\n"),
    "header: another author's account": lambda good: good | {"iss": person("mallory").account_id},
    "header: another signing key": lambda good: good | {"skid": person("mallory").signing.public.thumbprint},
    "header: another entry": having(mid=OTHER_ENTRY),
    "header: mid is no UUID": having(mid="1"),
    "header: rcp of other readers": lambda good: good | {"rcp": forge.rcp(["alice", "carol"])},
    "header: rcp of the readers in reverse": lambda good: good | {"rcp": _reversed_rcp()},
    "header: zip": having(zip="DEF"),
    "header: crit": having(crit=["exp"]),
    "header: b64": having(b64=False),
    "header: alg": having(alg="RSA-OAEP-256"),
    "header: kid": lambda good: good | {"kid": forge.kid("bob")},
    "header: cty is a number": having(cty=1),
    "header: iss is null": having(iss=None),
}

HEADER_TEXTS: dict[str, Callable[[bytes], bytes]] = {
    "header text: a space": lambda good: good.replace(b":", b": ", 1),
    "header text: a line break at the end": lambda good: good + b"\n",
    "header text: byte order mark": lambda good: b"\xef\xbb\xbf" + good,
    "header text: members in another order": damage.reordered,
    "header text: a member twice": lambda good: good[:-1] + b',"typ":"blockpost-message"}',
    "header text: an escaped letter": lambda good: good.replace(b'"A256GCM"', b'"\\u0041256GCM"'),
    "header text: not UTF-8": lambda good: good.replace(b"text/plain", b"text/\xff\xfe"),
    "header text: a list": lambda good: b"[" + good + b"]",
    "header text: empty": lambda good: b"",
}

PLAINTEXTS: dict[str, Edit] = {
    "plaintext: no fk": without("fk"),
    "plaintext: no content": without("content"),
    "plaintext: one member more": having(more=""),
    "plaintext: content is a number": having(content=1),
    "plaintext: content is null": having(content=None),
    "plaintext: fk of 31 bytes": lambda good: good | {"fk": b64url(forge.FK[:31])},
    "plaintext: fk of 33 bytes": lambda good: good | {"fk": b64url(forge.FK + b"\0")},
    "plaintext: fk padded": lambda good: good | {"fk": good["fk"] + "="},
    "plaintext: fk in another spelling": lambda good: good | {"fk": damage.respelled(good["fk"])},
    "plaintext: another content than was committed to": having(content="Fridge 2 is at 4.9 \u00b0C"),
    "plaintext: another fk than was committed with": lambda good: good | {"fk": b64url(bytes(32))},
}

PLAINTEXT_TEXTS: dict[str, Callable[[bytes], bytes]] = {
    "plaintext text: a space": lambda good: good.replace(b":", b": ", 1),
    "plaintext text: members in another order": damage.reordered,
    "plaintext text: a member twice": lambda good: b'{"content":"",' + good[1:],
    "plaintext text: an escaped letter": lambda good: good.replace(b"Fridge", b"\\u0046ridge"),
    "plaintext text: half a surrogate pair": lambda good: good.replace(b"Fridge", b"\\ud800"),
    "plaintext text: not UTF-8": lambda good: good.replace(b"Fridge", b"Fr\xff\xfe"),
    "plaintext text: only the content": lambda good: forge.CONTENT.encode(),
    "plaintext text: empty": lambda good: b"",
}

BODIES: dict[str, Edit] = {
    "body: no protected": without("protected"),
    "body: no recipients": without("recipients"),
    "body: no iv": without("iv"),
    "body: no ciphertext": without("ciphertext"),
    "body: no tag": without("tag"),
    "body: an unprotected header": having(unprotected={"enc": "A256GCM"}),
    "body: aad": having(aad="YQ"),
    "body: one member more": having(more=1),
    "body: flattened": lambda good: without("recipients")(good) | good["recipients"][1],
    "body: nobody can read it": having(recipients=[]),
    "body: recipients is an object": lambda good: good | {"recipients": good["recipients"][1]},
    "body: a reader added": lambda good: _readers(good, "alice", "bob", "carol"),
    "body: a reader taken away": lambda good: _readers(good, "bob"),
    "body: a reader replaced": lambda good: _readers(good, "bob", "carol"),
    "body: a reader twice": lambda good: _readers(good, "alice", "bob", "bob"),
    "body: sixty-six readers": lambda good: _readers(good, *["bob"] * 66),
    "body: iv of 11 bytes, and sealed so": lambda good: _sealed_so(iv=forge.IV[:11]),
    "body: iv of 16 bytes, and sealed so": lambda good: _sealed_so(iv=forge.IV + bytes(4)),
    "body: no bytes of iv": having(iv=""),
    "body: another iv": lambda good: good | {"iv": b64url(bytes(12))},
    "body: tag of 12 bytes, and sealed so": lambda good: _sealed_so(tag_bytes=12),
    "body: content key of 16 bytes, and sealed so": lambda good: _sealed_so(
        content_key=forge.CONTENT_KEY[:16]
    ),
    "body: content key of 24 bytes, and sealed so": lambda good: _sealed_so(
        content_key=forge.CONTENT_KEY[:24]
    ),
    "body: tag of 17 bytes": lambda good: good | {"tag": b64url(unb64url(good["tag"]) + b"\0")},
    "body: no bytes of tag": having(tag=""),
    "body: tag flipped": lambda good: good | {"tag": damage.flipped(good["tag"])},
    "body: tag padded": lambda good: good | {"tag": good["tag"] + "=="},
    "body: tag in another spelling": lambda good: good | {"tag": damage.respelled(good["tag"])},
    "body: ciphertext flipped": lambda good: good | {"ciphertext": damage.flipped(good["ciphertext"])},
    "body: ciphertext cut": lambda good: good | {"ciphertext": b64url(unb64url(good["ciphertext"])[:-1])},
    "body: ciphertext longer": lambda good: (
        good | {"ciphertext": b64url(unb64url(good["ciphertext"]) + b"\0")}
    ),
    "body: no bytes of ciphertext": having(ciphertext=""),
    "body: ciphertext with a line break": lambda good: good | {"ciphertext": "\n" + good["ciphertext"]},
    "body: ciphertext in plain base64": lambda good: (
        good | {"ciphertext": damage.plain_base64(good["ciphertext"])}
    ),
    "body: protected is an object": lambda good: good | {"protected": forge.header()},
    "body: protected padded": lambda good: good | {"protected": good["protected"] + "="},
}

BLOCKS: dict[str, Edit] = {
    "block: RSA-OAEP with SHA-1": having(header={"alg": "RSA-OAEP", "kid": forge.kid("bob")}),
    "block: RSA1_5": having(header={"alg": "RSA1_5", "kid": forge.kid("bob")}),
    "block: dir": having(header={"alg": "dir", "kid": forge.kid("bob")}),
    "block: no alg": having(header={"kid": forge.kid("bob")}),
    "block: no kid": having(header={"alg": "RSA-OAEP-256"}),
    "block: zip": lambda good: good | {"header": good["header"] | {"zip": "DEF"}},
    "block: one member more": having(more=1),
    "block: no header": without("header"),
    "block: no encrypted key": without("encrypted_key"),
    "block: no bytes of encrypted key": having(encrypted_key=""),
    "block: encrypted key flipped": lambda good: (
        good | {"encrypted_key": damage.flipped(good["encrypted_key"])}
    ),
    "block: encrypted key cut": lambda good: good | {"encrypted_key": good["encrypted_key"][:-4]},
    "block: encrypted key padded": lambda good: good | {"encrypted_key": good["encrypted_key"] + "===="},
    "block: encrypted key above the modulus": lambda good: good | {"encrypted_key": b64url(b"\xff" * 384)},
    "block: encrypted key is zero": lambda good: good | {"encrypted_key": b64url(bytes(384))},
    "block: another reader's encrypted key": lambda good: (
        good | {"encrypted_key": forge.block("alice")["encrypted_key"]}
    ),
    "block: another content key": lambda good: good | forge.block("bob", bytes(32)),
    "block: a content key of 16 bytes": lambda good: good | forge.block("bob", forge.CONTENT_KEY[:16]),
    "block: a content key of no bytes": lambda good: good | forge.block("bob", b""),
}

TEXTS: dict[str, Callable[[str], str]] = {
    "text: empty": lambda good: "",
    "text: null": lambda good: "null",
    "text: a list": lambda good: f"[{good}]",
    "text: compact": lambda good: ".".join([json.loads(good)["protected"], "", "", "", ""]),
    "text: cut": lambda good: good[:-1],
    "text: something after the end": lambda good: good + "{}",
    "text: a line break at the end": lambda good: good + "\n",
    "text: a space": lambda good: good.replace(":", ": ", 1),
    "text: members in another order": lambda good: damage.reordered(good.encode()).decode(),
    "text: a member twice": lambda good: good[:-1] + ',"tag":"' + json.loads(good)["tag"] + '"}',
    "text: nested ten thousand deep": lambda good: "[" * 10_000 + "]" * 10_000,
}

CLAIMS: dict[str, dict[str, str]] = {
    "entry: signed with another key": {"signer": person("mallory").signing.public.thumbprint},
    "entry: by another author": {"author": person("mallory").account_id},
    "entry: of another id": {"mid": OTHER_ENTRY},
    "entry: commits to another content": {
        "commitment": b64url(commit(forge.FK, "Fridge 2 is at 4.9 \u00b0C"))
    },
    "entry: commits with another fk": {"commitment": b64url(commit(bytes(32), forge.CONTENT))},
    "entry: commitment cut": {"commitment": b64url(commit(forge.FK, forge.CONTENT)[:16])},
    "entry: no bytes of commitment": {"commitment": ""},
    "entry: the reader is no recipient": {"reader": "carol"},
}


def cases() -> Iterator[Json]:
    head, clear = forge.header(), forge.plaintext()
    for name, edit in HEADERS.items():
        yield case(name, text(forge.jwe(canonical(edit(head)), canonical(clear))))
    for name, rewrite in HEADER_TEXTS.items():
        yield case(name, text(forge.jwe(rewrite(canonical(head)), canonical(clear))))
    for name, edit in PLAINTEXTS.items():
        yield case(name, text(forge.jwe(canonical(head), canonical(edit(clear)))))
    for name, rewrite in PLAINTEXT_TEXTS.items():
        yield case(name, text(forge.jwe(canonical(head), rewrite(canonical(clear)))))
    good = forge.honest()
    for name, edit in BODIES.items():
        yield case(name, text(edit(good)))
    for name, edit in BLOCKS.items():
        alice, bob = good["recipients"]
        yield case(name, text(good | {"recipients": [alice, edit(bob)]}))
    for name, respell in TEXTS.items():
        yield case(name, respell(text(good)))
    for name, claims in CLAIMS.items():
        yield case(name, text(good), **claims)


def _sealed_so(**sizes: Any) -> Json:
    """Valid, but for sizes that AES-GCM has and A256GCM has not."""
    return forge.jwe(canonical(forge.header()), canonical(forge.plaintext()), **sizes)


def _readers(good: Json, *names: str) -> Json:
    """Wrap the content key for other readers, as anybody who can read the message can; the header stays."""
    return good | {"recipients": [forge.block(name) for name in names]}


def _reversed_rcp() -> str:
    kids = sorted([forge.kid("alice"), forge.kid("bob")], reverse=True)
    return b64url(digest(".".join(kids).encode()))
