import unicodedata
from operator import itemgetter
from typing import Any

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from joserfc.jwe import JWERegistry, decrypt_compact
from joserfc.jwk import OctKey

from chain.encoding import b64url, canonical, digest, unb64url
from device.backup import unwrap_backup, wrap_backup
from device.errors import CannotOpen
from device.identity import KeySet
from device.password import derive, verifier
from tests.vectors.people import person, vectors

PASSWORDS: list[dict[str, str]] = vectors("passwords")
KEY = bytes(range(32))


@pytest.mark.parametrize("case", PASSWORDS, ids=itemgetter("name"))
def test_another_library_derives_the_same_two_keys(case: dict[str, str]) -> None:
    text = unicodedata.normalize("NFKC", case["password"]).encode()
    master = PBKDF2HMAC(SHA256(), 32, unb64url(case["salt"]), 600_000).derive(text)

    for name in ("auth", "wrap"):
        key = HKDF(SHA256(), 32, None, f"blockpost/{name}".encode()).derive(master)
        assert b64url(key) == case[name]


@pytest.mark.parametrize("case", PASSWORDS, ids=itemgetter("name"))
def test_the_gateway_keeps_a_hash_of_what_it_is_sent(case: dict[str, str]) -> None:
    assert verifier(unb64url(case["auth"])) == digest(unb64url(case["auth"])) == unb64url(case["verifier"])


def test_one_password_is_one_key_however_a_keyboard_spells_it() -> None:
    keys = {case["name"]: case["auth"] for case in PASSWORDS}

    assert keys["composed"] == keys["decomposed"] == keys["full width"] != keys["letters"]


def test_another_salt_makes_other_keys() -> None:
    first, second = (derive("secret", salt) for salt in (bytes(16), b"\1" * 16))

    assert len({first.auth, first.wrap, second.auth, second.wrap}) == 4


def test_derived_keys_are_not_in_a_repr() -> None:
    assert repr(derive("secret", bytes(16))) == "LoginKeys()"


@pytest.mark.parametrize("password", ["", "\ud800"], ids=ascii)
def test_what_is_no_password_is_refused(password: str) -> None:
    with pytest.raises(ValueError, match=r"empty|surrogates"):
        derive(password, bytes(16))


@pytest.mark.parametrize("case", PASSWORDS, ids=itemgetter("name"))
def test_the_password_opens_the_backup(case: dict[str, str]) -> None:
    assert unwrap_backup(case["backup"], unb64url(case["wrap"])).decode() == case["secret"]


def test_private_keys_come_back_out_of_a_backup() -> None:
    alice = person("alice")

    again = KeySet.from_json(unwrap_backup(wrap_backup(alice.to_json(), KEY), KEY))

    assert again.to_json() == alice.to_json()


def test_another_jose_library_opens_a_backup() -> None:
    registry = JWERegistry(algorithms=["dir", "A256GCM"])

    plaintext = decrypt_compact(
        wrap_backup(b"secret", KEY), OctKey.import_key(KEY), registry=registry
    ).plaintext

    assert plaintext == b"secret"


def test_two_backups_of_one_secret_differ() -> None:
    assert wrap_backup(b"secret", KEY) != wrap_backup(b"secret", KEY)


def test_nothing_is_wrapped_under_a_shorter_key() -> None:
    with pytest.raises(ValueError, match="want a key of 32 bytes, got 16"):
        wrap_backup(b"secret", KEY[:16])


GOOD = wrap_backup(b"secret", KEY)
OTHER_HEADER = b64url(canonical({"alg": "dir", "enc": "A256GCM"}))
FAULTS: dict[str, tuple[str, bytes]] = {
    "another key": (GOOD, bytes(32)),
    "a key of 16 bytes": (GOOD, KEY[:16]),
    "another header": (OTHER_HEADER + GOOD[GOOD.index(".") :], KEY),
    "an encrypted key": (GOOD.replace("..", ".AA.", 1), KEY),
    "a part more": (GOOD + ".AA", KEY),
    "a part less": (GOOD.rpartition(".")[0], KEY),
    "cut": (GOOD[:-1], KEY),
    "padded": (GOOD + "==", KEY),
    "empty": ("", KEY),
    "not ASCII": ("\u00e9" + GOOD, KEY),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=list(FAULTS))
def test_whatever_is_wrong_with_a_backup_it_says_the_same(fault: tuple[Any, ...]) -> None:
    with pytest.raises(CannotOpen, match=r"\Athis message cannot be opened\Z"):
        unwrap_backup(*fault)
