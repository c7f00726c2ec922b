"""
Must hold: in everything that the gateway receives, stores and logs while people and a device use it, there is no
plaintext, no password, no private key and no recovery code.
"""

import hashlib
import json
import re
import secrets
import sqlite3
from base64 import urlsafe_b64decode
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec
import pytest
from playwright.sync_api import FilePayload, expect

from chain.body import Card
from chain.chain import Chain
from chain.encoding import b64url, unb64url
from device import password, recovery
from device.backup import unwrap_backup
from device.client import Home
from device.errors import CannotOpen
from device.password import LoginKeys
from gateway.rest.snapshot import Snapshot
from tests import spellings
from tests.page import Person
from tests.ward import DEVICE, GROUP, Ward
from tests.wiretap import Wiretap

LEE, KIM = "Dr. Mary Lee", "Kim Novak"
HANDLES = ("dr.lee", "nurse.kim")
FIRST, SECOND, THIRD = "correct horse battery", "seven quiet herons!", "zwölf Boxkämpfer jagen"
KIMS, MISTYPED = "a lamp in the window", "correct horse batterie"
SAID = ("Her blood test is positive.", "Die Mutter weiß es schon.", "The sample is spoilt, 9.7 degrees.")
FILE_NAME = "ultrasound of mrs novak.bin"
PRIVATE = ("d", "p", "q", "dp", "dq", "qi")
ENCODED = re.compile(rb"[A-Za-z0-9_-]{24,}")
SHORTEST = 12
"""Bytes. Less than that is found by chance."""

Place = Literal["received", "stored", "logged"]


class Day(NamedTuple):
    """
    What came to the gateway on one day of the ward: by place, the contents of everything there.

    `secret` is what nobody but the people and their own devices may have: what it is, and how it is spelt. `auths` log
    people in, and `tokens` are their sessions': the gateway is told them, and does not keep them.
    """

    places: Mapping[Place, list[bytes]]
    secret: Mapping[str, set[bytes]]
    auths: list[bytes]
    tokens: list[str]

    def finds(self, needles: Iterable[bytes], place: Place) -> bool:
        return any(needle in content for needle in needles for content in self.places[place])


class Diary:
    """Notes what is secret, as the day goes on."""

    def __init__(self, ward: Ward) -> None:
        self._ward = ward
        self.secret: dict[str, set[bytes]] = {}
        self.auths: list[bytes] = []
        self.tokens: list[str] = []

    def text(self, what: str, text: str) -> None:
        self.secret[what] = spellings.of_text(text)

    def data(self, what: str, data: bytes) -> None:
        assert len(data) >= SHORTEST
        self.secret[what] = spellings.of_bytes(data)

    def password(self, what: str, handle: str, typed: str) -> None:
        """A password that is in force now, and what it becomes."""
        card = self._card(handle)
        assert card.login is not None
        salt = unb64url(card.login.salt)
        self.text(what, typed)
        self.data(
            f"{what}, stretched",
            hashlib.pbkdf2_hmac("sha256", typed.encode(), salt, password.ROUNDS, password.KEY_BYTES),
        )
        self._keys(what, card, password.derive(typed, salt))

    def recovery_code(self, what: str, handle: str, code: str) -> None:
        """A recovery code that is in force now, in any spelling, and what it becomes."""
        for between in ("-", " ", ""):
            spelt = code.replace("-", between)
            self.text(f"{what}: {spelt}", spelt)
            self.text(f"{what}: {spelt.lower()}", spelt.lower())
        raw = recovery.read(code)
        self.data(f"{what}, raw", raw)
        self._keys(what, self._card(handle), recovery.derive(raw))

    def private_keys(self, whose: str, key_file: bytes) -> None:
        members = [
            (jwk["kty"], name, jwk[name])
            for jwk in json.loads(key_file)["keys"]
            for name in PRIVATE
            if name in jwk
        ]
        assert len(members) == 1 + len(PRIVATE)
        for kind, name, value in members:
            self.data(f"{name} of {whose}'s {kind} key", unb64url(value))

    def session(self, person: Person) -> None:
        (cookie,) = person.window.context.cookies()
        self.tokens.append(cookie["value"])

    def _keys(self, what: str, card: Card, keys: LoginKeys) -> None:
        """`keys` log in, and open a backup on the chain: what is looked for is what there is."""
        assert card.login is not None
        assert b64url(password.verifier(keys.auth)) in (card.login.verifier, card.login.recovery)
        self.auths.append(keys.auth)
        self.data(f"{what}, wrap key", keys.wrap)
        self.private_keys(card.handle, _opened(card, keys.wrap))

    def _card(self, handle: str) -> Card:
        with closing(Chain.open(self._ward.site.chain_file)) as chain:
            now = Snapshot(chain)
            account = now.state.by_handle(handle)
            assert account is not None
            card = now.card(account)
        assert card is not None
        return card


def _opened(card: Card, wrap_key: bytes) -> bytes:
    for backup in card.backups:
        with suppress(CannotOpen):
            return unwrap_backup(backup, wrap_key)
    raise AssertionError(f"{card.handle}: no backup opens")


@pytest.fixture(scope="module")
def mqtt_tap(ward: Ward) -> Iterator[Wiretap]:
    """The device, too, speaks to the gateway through wiretaps."""
    tap = Wiretap(ward.site.mqtt_port)
    book = Home(ward.site.home(DEVICE)).book
    book.set_membership(
        msgspec.structs.replace(book.membership(), http_port=ward.tap.port, mqtt_port=tap.port)
    )
    yield tap
    tap.close()


@pytest.fixture(scope="module")
def day(ward: Ward, mqtt_tap: Wiretap) -> Day:
    """Two people join, write to each other and to a device, change their passwords, and lose one of them."""
    diary = Diary(ward)
    lee, kim = ward.visitor(), ward.visitor()
    first_code = lee.register(ward.code(HANDLES[0]), LEE, FIRST, by_link=True)
    diary.password("Lee's first password", HANDLES[0], FIRST)
    diary.recovery_code("Lee's first recovery code", HANDLES[0], first_code)
    kims_code = kim.register(ward.code(HANDLES[1]), KIM, KIMS)
    diary.password("Kim's password", HANDLES[1], KIMS)
    diary.recovery_code("Kim's recovery code", HANDLES[1], kims_code)

    _talk(ward, diary, lee, kim)
    diary.private_keys(DEVICE, (ward.site.home(DEVICE) / "keys-0001.json").read_bytes())

    lee.change_password(FIRST, SECOND)
    diary.password("Lee's second password", HANDLES[0], SECOND)
    second_code = lee.renew_recovery_code(SECOND)
    diary.recovery_code("Lee's second recovery code", HANDLES[0], second_code)
    elsewhere = ward.visitor()
    elsewhere.try_to_log_in(HANDLES[0], MISTYPED)
    diary.text("a mistyped password", MISTYPED)
    expect(elsewhere.trouble()).to_be_visible()
    elsewhere.recover(HANDLES[0], second_code, THIRD)
    elsewhere.open_chat(KIM)
    expect(elsewhere.message(SAID[1])).to_be_visible()
    diary.password("Lee's third password", HANDLES[0], THIRD)
    for person in (kim, elsewhere):
        diary.session(person)

    places: dict[Place, list[bytes]] = {
        "received": _opened_up([*ward.tap.heard(), *mqtt_tap.heard()]),
        "stored": _opened_up(_stored(ward.site.directory / "gateway")),
        "logged": _opened_up([(ward.site.directory / "gateway.log").read_bytes()]),
    }
    return Day(places, diary.secret, diary.auths, diary.tokens)


def _talk(ward: Ward, diary: Diary, lee: Person, kim: Person) -> None:
    ward.on_call(*HANDLES)
    lee.befriend(HANDLES[1])
    kim.accept(LEE)
    content = secrets.token_bytes(20_000)
    lee.open_chat(KIM)
    kim.open_chat(LEE)
    lee.attach(FilePayload(name=FILE_NAME, mimeType="application/octet-stream", buffer=content))
    lee.say(SAID[0])
    kim.reply(SAID[0], SAID[1])
    expect(lee.message(SAID[1])).to_be_visible()
    ward.agent(DEVICE, "send", GROUP, SAID[2], "--alert", "low")
    for person in (lee, kim):
        expect(person.alert(SAID[2])).to_be_visible()
    for text in SAID:
        diary.text(f"what was said: {text}", text)
    diary.text("the file's name", FILE_NAME)
    for start in range(0, len(content) - 48, 4_000):
        diary.data(f"the file, from byte {start}", content[start : start + 48])


def _opened_up(contents: Iterable[bytes]) -> list[bytes]:
    """The contents, and what is in them in base64, as a signed entry is."""
    return [each for content in contents for each in (content, *map(_decoded, ENCODED.findall(content)))]


def _decoded(text: bytes) -> bytes:
    # A letter too many is left out: it is none that a text can end with.
    whole = text[: len(text) - (len(text) % 4 == 1)]
    return urlsafe_b64decode(whole + b"=" * (-len(whole) % 4))


def _stored(directory: Path) -> Iterator[bytes]:
    """Every file of the gateway, and every value of its databases: a long one is in pieces in its file."""
    for file in filter(Path.is_file, directory.rglob("*")):
        yield file.read_bytes()
        if file.suffix == ".db":
            yield from _values(file)


def _values(file: Path) -> Iterator[bytes]:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
        for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for row in db.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 - its own table
                yield from (_bytes(value) for value in row)


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


@pytest.mark.parametrize("place", ["received", "stored", "logged"])
def test_nothing_that_is_for_people_alone_is_in_what_the_gateway_has(day: Day, place: Place) -> None:
    assert [what for what, spelt in day.secret.items() if day.finds(spelt, place)] == []


@pytest.mark.parametrize("place", ["stored", "logged"])
def test_what_logs_people_in_is_received_and_not_kept(day: Day, place: Place) -> None:
    assert [auth for auth in day.auths if day.finds(spellings.of_bytes(auth), place)] == []
    assert [token for token in day.tokens if day.finds(spellings.of_text(token), place)] == []


def test_the_search_would_find_them(day: Day) -> None:
    """What is known to be there is found: handles, what logged people in, session tokens, entries, lines of the log."""
    handles = [spellings.of_text(handle) for handle in HANDLES]
    assert all(day.finds(spelt, "received") and day.finds(spelt, "stored") for spelt in handles)
    assert all(day.finds(spellings.of_text(token), "received") for token in day.tokens)
    found = [auth for auth in day.auths if day.finds(spellings.of_bytes(auth), "received")]
    assert len(found) == len(day.auths) - len(("Lee's first recovery code", "Kim's recovery code"))
    # What an author signs is in base64.
    assert all(day.finds([b'"type":"message"'], place) for place in ("received", "stored"))
    assert day.finds([b"web ready"], "logged")
