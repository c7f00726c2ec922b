import json
import pickle
import stat
from pathlib import Path
from typing import Any

import pytest

from chain import durable, ed25519
from chain.encoding import canonical
from chain.errors import Malformed
from chain.identity import account_id
from device import identity
from device.errors import BadKeys
from device.identity import KeySet
from device.keys import SealingSecret
from tests.vectors.people import document, person, vectors


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """RSA keys from the published test accounts, one after the other: making one takes seconds."""
    keys = iter([person(name).sealing for name in ("alice", "bob", "carol", "mallory")])
    monkeypatch.setattr(SealingSecret, "make", lambda: next(keys))


def stored(home: Path, name: str = "keys-0001.json", **changes: Any) -> Path:
    """Alice's key file, or one that differs from it."""
    path = home / name
    durable.create(path, canonical(json.loads(person("alice").to_json()) | changes))
    return path


def test_a_new_identity_is_an_rsa_key_of_3072_bits_and_an_ed25519_key(tmp_path: Path) -> None:
    me = identity.create(tmp_path)

    ed25519.verify(me.signing.raw, me.sign(b"hello"), b"hello", what="hello")
    assert me.account_id == account_id(me.signing)
    assert len(me.sealing.n) == 3072 // 8 * 4 / 3
    assert list(me.opening) == [me.sealing.thumbprint]


@pytest.mark.parametrize("case", vectors("thumbprints"), ids=lambda case: case["name"])
def test_thumbprint_vectors(case: dict[str, str]) -> None:
    keys = person(case["name"])

    assert keys.account_id == account_id(keys.signing.public) == case["account"]
    assert keys.signing.public.thumbprint == case["signing"]
    assert keys.sealing.public.thumbprint == case["sealing"]


@pytest.mark.usefixtures("quick")
def test_an_identity_is_the_same_after_a_restart(tmp_path: Path) -> None:
    made = identity.create(tmp_path)

    loaded = identity.load(tmp_path)

    assert loaded.current.to_json() == made.current.to_json()
    assert loaded.sign(b"hello") == made.sign(b"hello")


@pytest.mark.usefixtures("quick")
def test_only_the_owner_can_read_what_is_stored(tmp_path: Path) -> None:
    identity.create(tmp_path)
    identity.prepare(tmp_path)

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}

    assert modes == {"keys-0001.json": 0o600, "successor.json": 0o600}


@pytest.mark.usefixtures("quick")
def test_keys_that_are_there_are_never_overwritten(tmp_path: Path) -> None:
    first = identity.create(tmp_path)

    with pytest.raises(FileExistsError):
        identity.create(tmp_path)

    assert identity.load(tmp_path).signing == first.signing


@pytest.mark.usefixtures("quick")
def test_keys_are_there_even_when_the_first_ones_were_deleted(tmp_path: Path) -> None:
    stored(tmp_path, "keys-0002.json")

    with pytest.raises(FileExistsError, match="there are private keys already"):
        identity.create(tmp_path)


@pytest.mark.usefixtures("quick")
def test_after_a_reset_new_keys_belong_to_the_old_account(tmp_path: Path) -> None:
    account = person("bob").account_id

    me = identity.create(tmp_path, account)

    assert me.account_id == account != account_id(me.signing)


def test_no_secret_is_in_a_repr_or_a_pickle(tmp_path: Path) -> None:
    stored(tmp_path)
    me = identity.load(tmp_path)
    jwks = me.current.signing.to_jwk(), me.current.sealing.to_jwk()

    shown = repr([me, me.current, me.current.signing, me.current.sealing, me.opening, jwks])
    shown += str(jwks[0].__rich_repr__()) + str(jwks[1].__rich_repr__())

    for secret in ("d", "p", "q", "dp", "dq", "qi"):
        assert str(getattr(jwks[1], secret)) not in shown
    assert jwks[0].d not in shown
    assert "seed" not in shown
    with pytest.raises(pickle.PicklingError):
        pickle.dumps(me.current.sealing)


def test_a_home_without_keys_says_so(tmp_path: Path) -> None:
    with pytest.raises(BadKeys, match="no private keys here"):
        identity.load(tmp_path)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610, 0o644])
def test_a_key_file_that_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    stored(tmp_path).chmod(mode)

    with pytest.raises(BadKeys, match=f"others can reach .mode {mode:04o}.: want 0600"):
        identity.load(tmp_path)


def test_a_key_file_that_its_owner_cannot_write_is_accepted(tmp_path: Path) -> None:
    stored(tmp_path).chmod(0o400)

    assert identity.load(tmp_path).account_id == person("alice").account_id


def test_an_rsa_key_of_2048_bits_is_accepted() -> None:
    assert len(person("dave").sealing.public.n) == 342


def test_an_rsa_key_of_less_is_refused(tmp_path: Path) -> None:
    signing = json.loads(person("alice").to_json())["keys"][0]
    stored(tmp_path, keys=[signing, document()["weak"]])

    with pytest.raises(BadKeys, match="want an RSA modulus of 2048 to 8192 bits, got 1024"):
        identity.load(tmp_path)


def test_each_of_its_numbers_must_belong_to_the_rsa_key() -> None:
    jwk = json.loads(person("alice").to_json())["keys"]
    other = json.loads(person("bob").to_json())["keys"][1]

    for member in ("d", "dp", "dq", "kid", "n", "p", "q", "qi"):
        with pytest.raises(Malformed, match="sealing key"):
            _with_keys(jwk[0], jwk[1] | {member: other[member]})


@pytest.mark.parametrize("number", ["", "AA", "AQ"])
@pytest.mark.parametrize("member", ["d", "dp", "dq", "n", "p", "q", "qi"])
def test_no_number_can_be_nothing_nought_or_one(member: str, number: str) -> None:
    jwk = json.loads(person("alice").to_json())["keys"]

    with pytest.raises(Malformed, match="sealing key"):
        _with_keys(jwk[0], jwk[1] | {member: number})


def test_each_member_must_belong_to_the_signing_key() -> None:
    jwk = json.loads(person("alice").to_json())["keys"]
    other = json.loads(person("bob").to_json())["keys"][0]

    for member in ("d", "kid", "x"):
        with pytest.raises(Malformed, match="signing key"):
            _with_keys(jwk[0] | {member: other[member]}, jwk[1])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        person("alice").to_json()[:-1],
        person("alice").to_json() + b"\n",
        person("alice").to_json().replace(b'"account"', b'"more":1,"account"'),
        person("alice").to_json().replace(b'"use":"sig"', b'"use":"enc"'),
        person("alice").to_json() + b" " * 100_000,
    ],
    ids=[
        "empty",
        "no members",
        "a list",
        "not UTF-8",
        "cut",
        "a line more",
        "a member more",
        "another use",
        "huge",
    ],
)
def test_a_file_that_we_did_not_write_is_refused(tmp_path: Path, data: bytes) -> None:
    durable.create(tmp_path / "keys-0001.json", data)

    with pytest.raises(BadKeys, match=r"keys-0001\.json: "):
        identity.load(tmp_path)


def test_files_of_two_accounts_in_one_home_are_refused(tmp_path: Path) -> None:
    stored(tmp_path)
    stored(tmp_path, "keys-0002.json", account=person("bob").account_id)

    with pytest.raises(BadKeys, match="different accounts"):
        identity.load(tmp_path)


@pytest.mark.usefixtures("quick")
def test_until_a_rotation_is_adopted_the_old_keys_sign_and_the_new_ones_already_open(tmp_path: Path) -> None:
    before = identity.create(tmp_path)

    following = identity.prepare(tmp_path)

    now = identity.load(tmp_path)
    assert now.signing == before.signing != following.signing
    assert now.account_id == following.account_id
    assert (
        set(now.opening)
        == set(following.opening)
        == {before.sealing.thumbprint, following.sealing.thumbprint}
    )


@pytest.mark.usefixtures("quick")
def test_preparing_twice_prepares_the_same_keys(tmp_path: Path) -> None:
    identity.create(tmp_path)

    first, second = identity.prepare(tmp_path), identity.prepare(tmp_path)

    assert first.signing == second.signing


@pytest.mark.usefixtures("quick")
def test_after_a_rotation_the_new_keys_sign_and_the_old_ones_still_open(tmp_path: Path) -> None:
    before = identity.create(tmp_path)
    following = identity.prepare(tmp_path)

    after = identity.adopt(tmp_path, following.signing.thumbprint)

    assert after.signing == identity.load(tmp_path).signing == following.signing
    assert after.account_id == before.account_id
    assert set(after.opening) == {before.sealing.thumbprint, following.sealing.thumbprint}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["keys-0001.json", "keys-0002.json"]


@pytest.mark.usefixtures("quick")
def test_adopting_twice_is_harmless(tmp_path: Path) -> None:
    identity.create(tmp_path)
    kid = identity.prepare(tmp_path).signing.thumbprint

    identity.adopt(tmp_path, kid)
    again = identity.adopt(tmp_path, kid)

    assert again.signing.thumbprint == kid


@pytest.mark.usefixtures("quick")
def test_keys_that_the_chain_does_not_have_are_not_adopted(tmp_path: Path) -> None:
    before = identity.create(tmp_path)
    identity.prepare(tmp_path)

    with pytest.raises(BadKeys, match="no private key for"):
        identity.adopt(tmp_path, person("bob").signing.public.thumbprint)

    assert identity.load(tmp_path).signing == before.signing


@pytest.mark.usefixtures("quick")
def test_a_deleted_old_key_opens_nothing_and_disturbs_nothing(tmp_path: Path) -> None:
    before = identity.create(tmp_path)
    for _ in range(2):
        identity.adopt(tmp_path, identity.prepare(tmp_path).signing.thumbprint)

    (tmp_path / "keys-0001.json").unlink()

    now = identity.load(tmp_path)
    assert before.sealing.thumbprint not in now.opening
    assert len(now.opening) == 2


def _with_keys(*keys: dict[str, str]) -> KeySet:
    return KeySet.from_json(canonical({"account": person("alice").account_id, "keys": list(keys)}))
