"""
Makes the two files that cannot be made twice alike: `keys.json` (test keys) and `foreign.json` (messages
sealed by joserfc, whose randomness is its own). Run with `python -m tests.vectors.once`, then `make`.
"""

import json
from typing import Any

from Crypto.PublicKey import RSA
from joserfc.jwe import GeneralJSONEncryption, JWERegistry, encrypt_json
from joserfc.jwk import RSAKey

from chain.encoding import b64url, canonical, digest
from chain.identity import account_id
from device import keys, sealing
from device.identity import KeySet
from device.keys import SealingSecret, SigningSecret
from tests.vectors.people import ENTRY, FOLDER, NAMES, person

WARNING = "TEST KEYS. They are published, so whatever they seal or sign is public and anybody's."
CONTENTS = {
    "joserfc, two readers": ("Fridge 2: 9.4 \u00b0C", ("alice", "bob")),
    "joserfc, five readers": ('{"text":"Bed 4, SpO\u2082 88 %"}', NAMES),
    "joserfc, a note to oneself": ("", ("alice",)),
}


def keys_document() -> Any:
    return {
        "accounts": {name: json.loads(_made(2048 if name == "dave" else 3072).to_json()) for name in NAMES},
        "warning": WARNING,
        "weak": _weak_jwk(),
    }


def foreign() -> list[dict[str, Any]]:
    return [_by_joserfc(name, content, readers) for name, (content, readers) in CONTENTS.items()]


def _made(bits: int) -> KeySet:
    signing = SigningSecret.make()
    return KeySet(account_id(signing.public), signing, SealingSecret(RSA.generate(bits)))


def _weak_jwk() -> dict[str, str]:
    """A well-formed JWK of 1024 bits, which must be refused for its size and for nothing else."""
    key = RSA.generate(1024)  # noqa: S505 - too short on purpose
    numbers = {"n": key.n, "d": key.d, "p": key.p, "q": key.q, "dp": key.dp, "dq": key.dq, "qi": key.invq}
    jwk = {name: keys._uint(number) for name, number in numbers.items()}
    public = canonical({"e": "AQAB", "kty": "RSA", "n": jwk["n"]})
    return jwk | {
        "alg": "RSA-OAEP-256",
        "e": "AQAB",
        "kid": b64url(digest(public)),
        "kty": "RSA",
        "use": "enc",
    }


def _by_joserfc(name: str, content: str, readers: tuple[str, ...]) -> dict[str, Any]:
    alice = person("alice")
    publics = [person(reader).sealing.public for reader in readers]
    fk = bytes(range(32))
    protected = {
        "cty": "text/plain",
        "enc": "A256GCM",
        "iss": alice.account_id,
        "mid": ENTRY,
        "rcp": b64url(digest(".".join(sorted(key.thumbprint for key in publics)).encode())),
        "skid": alice.signing.public.thumbprint,
        "typ": "blockpost-message",
    }
    jwe = GeneralJSONEncryption(protected, canonical({"content": content, "fk": b64url(fk)}))
    for key in publics:
        jwe.add_recipient(
            {"alg": "RSA-OAEP-256", "kid": key.thumbprint},
            RSAKey.import_key({"e": key.e, "kty": key.kty, "n": key.n}),
        )
    registry = JWERegistry(algorithms=["RSA-OAEP-256", "A256GCM"], strict_check_header=False)
    return {
        "author": alice.account_id,
        "body": canonical(encrypt_json(jwe, None, registry=registry)).decode(),
        "commitment": b64url(sealing.commit(fk, content)),
        "content": content,
        "cty": "text/plain",
        "mid": ENTRY,
        "name": name,
        "readers": list(readers),
        "signer": alice.signing.public.thumbprint,
    }


def write(name: str, value: Any) -> None:
    (FOLDER / name).write_text(rendered(value), "utf-8")


def rendered(value: Any) -> str:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=True) + "\n"


if __name__ == "__main__":
    write("keys.json", keys_document())
    write("foreign.json", foreign())
