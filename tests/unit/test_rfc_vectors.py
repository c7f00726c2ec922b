"""The numbers that the standards print, against the pieces that ours is made of."""

from operator import itemgetter
from typing import Any

import pytest

from chain import ed25519
from chain.encoding import b64url, unb64url
from chain.errors import Unverified
from chain.identity import SealingKey, SigningKey
from device import gcm, password
from device.keys import SealingJwk, SealingSecret, SigningSecret
from tests.vectors.people import vectors

RFC: dict[str, list[Any]] = vectors("rfc")


def published(kind: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", RFC[kind], ids=itemgetter("source"))


@published("content_encryption")
def test_content_encryption_makes_the_published_ciphertext(case: dict[str, str]) -> None:
    key, iv = unb64url(case["key"]), unb64url(case["iv"])

    ciphertext, tag = gcm.encrypt(key, iv, case["plaintext"].encode(), case["aad"].encode())

    assert (b64url(ciphertext), b64url(tag)) == (case["ciphertext"], case["tag"])


@published("content_encryption")
def test_content_encryption_opens_the_published_ciphertext(case: dict[str, str]) -> None:
    key, iv, ciphertext, tag = (unb64url(case[name]) for name in ("key", "iv", "ciphertext", "tag"))

    clear = gcm.decrypt(key, iv, ciphertext, tag, case["aad"].encode())

    assert clear.decode() == case["plaintext"]


@published("rsa_thumbprints")
def test_a_sealing_key_has_the_published_thumbprint(case: dict[str, Any]) -> None:
    assert SealingKey(**case["jwk"]).thumbprint == case["thumbprint"]


@published("rsa_private_keys")
def test_a_private_sealing_key_has_the_published_numbers(case: dict[str, Any]) -> None:
    jwk = SealingJwk(**case["jwk"], kid=SealingKey(n=case["jwk"]["n"]).thumbprint)

    assert SealingSecret.from_jwk(jwk).to_jwk() == jwk


@published("ed25519")
def test_a_signing_key_has_the_published_public_half_and_thumbprint(case: dict[str, str]) -> None:
    secret = SigningSecret(unb64url(case["d"]))

    assert (secret.public.x, secret.public.thumbprint) == (case["x"], case["thumbprint"])


@published("ed25519")
def test_a_signing_key_makes_the_published_signature(case: dict[str, str]) -> None:
    signature = SigningSecret(unb64url(case["d"])).sign(case["signed"].encode())

    assert b64url(signature) == case["signature"]


@published("ed25519")
def test_the_published_signature_holds_and_with_one_bit_flipped_it_does_not(case: dict[str, str]) -> None:
    key, signature = SigningKey(x=case["x"]), unb64url(case["signature"])

    ed25519.verify(key.raw, signature, case["signed"].encode(), what="example")

    with pytest.raises(Unverified):
        ed25519.verify(
            key.raw, bytes([signature[0] ^ 1]) + signature[1:], case["signed"].encode(), what="example"
        )


@published("hkdf_sha256")
def test_keys_are_split_as_published(case: dict[str, str]) -> None:
    assert b64url(password.split(unb64url(case["master"]), b"")) == case["okm"]
