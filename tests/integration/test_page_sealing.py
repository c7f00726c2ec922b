"""Python and the page read each other, live: what one wraps, seals and signs the other opens, with keys made anew."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from chain import ed25519
from chain.encoding import b64url, canonical, unb64url
from chain.identity import SigningKey
from device import password, recovery
from device.backup import unwrap_backup, wrap_backup
from device.errors import CannotOpen
from device.identity import KeySet
from device.password import LoginKeys
from device.sealing import Opened, open_sealed, seal
from tests.vectors.people import ENTRY, OTHER_ENTRY, person

PAGE = Path(__file__).parents[2] / "gateway" / "web"
NODE = Path(sys.executable).parent / "node"

ALICE, BOB = person("alice"), person("bob")
PASSWORD, SALT = "caf\u00e9 \U0001f511 9", bytes(range(16))
RECOVERY = bytes(range(100, 116))
BY_PYTHON, BY_PAGE = "Fridge 2: 9.4 \u00b0C \U0001f321\ufe0f", "On my way \U0001f6b6\ufe0f \u2028 \x00"


@pytest.fixture(scope="module")
def by_password() -> LoginKeys:
    return password.derive(PASSWORD, SALT)


@pytest.fixture(scope="module")
def page(by_password: LoginKeys) -> Any:
    """What the page answers: alice's backups and a message that bob sealed for her went in."""
    sealed = seal(
        BY_PYTHON,
        cty="text/plain",
        iss=BOB.account_id,
        skid=BOB.signing.public.thumbprint,
        mid=ENTRY,
        recipients=[ALICE.sealing.public, BOB.sealing.public],
    )
    asked = {
        "password": PASSWORD,
        "salt": b64url(SALT),
        "recovery": recovery.shown(RECOVERY),
        "backups": {
            "password": wrap_backup(ALICE.to_json(), by_password.wrap),
            "recovery": wrap_backup(ALICE.to_json(), recovery.derive(RECOVERY).wrap),
        },
        "sealed": {
            "body": sealed.body,
            "signer": BOB.signing.public.thumbprint,
            "author": BOB.account_id,
            "mid": ENTRY,
            "commitment": b64url(sealed.commitment),
        },
        "say": {
            "content": BY_PAGE,
            "cty": "text/plain",
            "mid": OTHER_ENTRY,
            "to": json.loads(canonical(BOB.sealing.public)),
        },
    }
    ran = subprocess.run(
        [NODE, "tests/run.mjs", "tests/proto/across.ts"],
        cwd=PAGE,
        input=json.dumps(asked),
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


@pytest.fixture(scope="module")
def newcomer(page: Any, by_password: LoginKeys) -> KeySet:
    """The keys that the page made, out of its backup."""
    return KeySet.from_json(unwrap_backup(page["backups"]["password"], by_password.wrap))


def opened(page: Any, reader: KeySet) -> Opened:
    return open_sealed(
        page["sealed"]["body"],
        keys={reader.sealing.public.thumbprint: reader.sealing},
        signer=SigningKey(**page["made"]["sign"]).thumbprint,
        author=page["made"]["account"],
        mid=OTHER_ENTRY,
        commitment=unb64url(page["sealed"]["commitment"]),
    )


def test_the_page_restores_what_python_wrapped_with_a_password(page: Any, by_password: LoginKeys) -> None:
    assert page["restored"] == {"account": ALICE.account_id, "auth": b64url(by_password.auth)}


def test_the_page_restores_what_python_wrapped_with_a_recovery_code(page: Any) -> None:
    auth = recovery.derive(RECOVERY).auth

    assert page["recovered"] == {"account": ALICE.account_id, "auth": b64url(auth)}


def test_the_page_opens_what_python_sealed(page: Any) -> None:
    assert page["opened"] == {"content": BY_PYTHON, "cty": "text/plain"}


def test_python_reads_the_keys_that_the_page_made(page: Any, newcomer: KeySet) -> None:
    assert {
        "account": newcomer.account_id,
        "sign": json.loads(canonical(newcomer.signing.public)),
        "seal": json.loads(canonical(newcomer.sealing.public)),
    } == page["made"]


def test_the_pages_recovery_code_opens_its_other_backup(page: Any, newcomer: KeySet) -> None:
    wrap = recovery.derive(recovery.read(page["recovery"])).wrap

    assert unwrap_backup(page["backups"]["recovery"], wrap) == newcomer.to_json()


def test_python_opens_what_the_page_sealed(page: Any, newcomer: KeySet) -> None:
    for reader in (BOB, newcomer):
        assert (opened(page, reader).content, opened(page, reader).cty) == (BY_PAGE, "text/plain")


def test_nobody_else_opens_what_the_page_sealed(page: Any) -> None:
    with pytest.raises(CannotOpen):
        opened(page, ALICE)


def test_python_verifies_what_the_page_signed(page: Any, newcomer: KeySet) -> None:
    ed25519.verify(
        newcomer.signing.public.raw, unb64url(page["signature"]), BY_PAGE.encode(), what="the page's"
    )
