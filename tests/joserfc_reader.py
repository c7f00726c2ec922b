"""A reader that knows JOSE and nothing of Blockpost: the second opinion on every sealed body."""

import json

from joserfc.jwe import JWERegistry, decrypt_json
from joserfc.jwk import KeySet, RSAKey

from device.keys import SealingSecret

REGISTRY = JWERegistry(
    algorithms=["RSA-OAEP-256", "A256GCM"], strict_check_header=False, verify_all_recipients=True
)


def opened(body: str, secret: SealingSecret) -> bytes:
    """The plaintext, by this reader's own block alone: the form that any JOSE library can open."""
    jwe = json.loads(body)
    (block,) = [
        block for block in jwe.pop("recipients") if block["header"]["kid"] == secret.public.thumbprint
    ]
    plaintext = decrypt_json(jwe | block, key(secret), registry=REGISTRY).plaintext
    assert plaintext is not None
    return plaintext


def opened_by_all(body: str, secrets: list[SealingSecret]) -> bytes:
    """The plaintext, by every reader's block of the general form; all must lead to one content key."""
    plaintext = decrypt_json(
        json.loads(body), KeySet([key(each) for each in secrets]), registry=REGISTRY
    ).plaintext
    assert plaintext is not None
    return plaintext


def key(secret: SealingSecret) -> RSAKey:
    jwk = secret.to_jwk()
    return RSAKey.import_key(
        {
            name: getattr(jwk, name)
            for name in ("alg", "d", "dp", "dq", "e", "kid", "kty", "n", "p", "q", "qi", "use")
        }
    )
