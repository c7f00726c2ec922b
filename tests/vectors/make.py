"""
Makes the known answers that pytest and vitest both read: `python -m tests.vectors.make`.

Every byte follows from `keys.json`, so a second run writes the same files; a test holds it to that.
What each file's cases say is in `README.md`, beside it.
"""

from collections.abc import Callable

from chain.encoding import b64url
from device import password, sealing
from device.backup import wrap_backup
from tests.vectors import (
    bodies,
    contents,
    entries,
    forge,
    matches,
    parties,
    proofs,
    recovery,
    refused,
    safety,
    two_readers,
)
from tests.vectors.forge import Drawn, Json
from tests.vectors.once import write
from tests.vectors.people import ENTRY, NAMES, person

SEALED: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "one reader": ("text/plain", forge.CONTENT, ("alice", "bob")),
    "a note to oneself": ("text/plain", "note", ("alice",)),
    "five readers, one with 2048 bits": ("application/json", '{"text":"Bed 4, SpO\u2082 88 %"}', NAMES),
    "a reader given twice": ("text/plain", "once", ("alice", "bob", "bob")),
    "no content": ("text/plain", "", ("alice", "bob")),
    "control characters": ("text/plain", "".join(map(chr, range(0x20))) + '"\\/\x7f', ("alice", "bob")),
    "beyond the first plane": (
        "text/plain",
        "\U0001f321\ufe0f 39.5 \u00b0C \u2028\u2029 \uffff",
        ("alice", "bob"),
    ),
}

PASSWORDS = {
    "letters": "correct horse battery staple",
    "composed": "caf\u00e9 9",
    "decomposed": "cafe\u0301 9",
    "full width": "\uff43\uff41\uff46\u00e9 \uff19",
}


def _thumbprints(name: str) -> Json:
    keys = person(name)
    return {
        "account": keys.account_id,
        "name": name,
        "sealing": keys.sealing.public.thumbprint,
        "signing": keys.signing.public.thumbprint,
    }


def _commitment(name: str, content: str) -> Json:
    return {
        "commitment": b64url(sealing.commit(forge.FK, content)),
        "content": content,
        "fk": b64url(forge.FK),
        "name": name,
    }


def _password(name: str, text: str) -> Json:
    salt = forge.FK[:16]
    keys = password.derive(text, salt)
    return {
        "auth": b64url(keys.auth),
        "backup": wrap_backup(b"the private keys", keys.wrap, Drawn(name)),
        "name": name,
        "password": text,
        "salt": b64url(salt),
        "secret": "the private keys",
        "verifier": b64url(password.verifier(keys.auth)),
        "wrap": b64url(keys.wrap),
    }


def _sealed(name: str, cty: str, content: str, readers: tuple[str, ...]) -> Json:
    alice = person("alice")
    sealed = sealing.seal(
        content,
        cty=cty,
        iss=alice.account_id,
        skid=alice.signing.public.thumbprint,
        mid=ENTRY,
        recipients=[person(reader).sealing.public for reader in readers],
        random=Drawn(name),
    )
    return {
        "author": alice.account_id,
        "body": sealed.body,
        "commitment": b64url(sealed.commitment),
        "content": content,
        "cty": cty,
        "mid": ENTRY,
        "name": name,
        "readers": list(readers),
        "signer": alice.signing.public.thumbprint,
    }


FILES: dict[str, Callable[[], list[Json]]] = {
    "thumbprints.json": lambda: [_thumbprints(name) for name in NAMES],
    "commitments.json": lambda: [_commitment(name, content) for name, (_, content, _) in SEALED.items()],
    "contents.json": contents.cases,
    "passwords.json": lambda: [_password(name, text) for name, text in PASSWORDS.items()],
    "matches.json": matches.cases,
    "recovery.json": recovery.cases,
    "safety.json": safety.cases,
    "sealed.json": lambda: [_sealed(name, *what) for name, what in SEALED.items()],
    "refused.json": lambda: [*refused.cases(), two_readers.case()],
    "bodies.json": bodies.cases,
    "entries.json": entries.cases,
    "parties.json": parties.cases,
    "proofs.json": proofs.cases,
}

if __name__ == "__main__":
    for file_name, cases in FILES.items():
        write(file_name, cases())
