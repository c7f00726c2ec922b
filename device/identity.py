"""
The private keys of an account, in files of its home folder that only their owner can read.

`keys-0001.json` holds the first pair, `keys-0002.json` the pair after one rotation, and so on; the last is
the current one, the older ones still open what was sealed for them. To give up old messages for good,
delete the old file. Between a rotation's entry and its receipt the next pair waits in `successor.json`.
Each file is a private JWK Set (RFC 7517 section 5) in canonical form, with the account id beside it,
because the id stays bound to the account's first key, which this home may never have held.
"""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Self

import msgspec
from msgspec import Struct

from chain import durable
from chain.encoding import canonical, read_canonical
from chain.errors import Malformed
from chain.identity import AccountId, SealingKey, SigningKey, account_id
from device.errors import BadKeys
from device.keys import SealingJwk, SealingSecret, SigningJwk, SigningSecret

GENERATIONS = "keys-[0-9][0-9][0-9][0-9].json"
SUCCESSOR = "successor.json"
MAX_FILE_BYTES = 65_536


class _Document(Struct, frozen=True, forbid_unknown_fields=True):
    account: AccountId
    keys: tuple[SigningJwk, SealingJwk]


_decoder = msgspec.json.Decoder(_Document)


@dataclass(frozen=True, slots=True, eq=False)
class KeySet:
    """One generation of an account's private keys."""

    account_id: str
    signing: SigningSecret = field(repr=False)
    sealing: SealingSecret = field(repr=False)

    @classmethod
    def make(cls, account: str | None = None) -> Self:
        """New keys, for `account` or for the account that they begin. Takes seconds."""
        signing = SigningSecret.make()
        return cls(account or account_id(signing.public), signing, SealingSecret.make())

    def to_json(self) -> bytes:
        """The private JWK Set: for the key file and for a wrapped backup, for nothing else."""
        return canonical(_Document(self.account_id, (self.signing.to_jwk(), self.sealing.to_jwk())))

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Raise `Malformed` for anything that `to_json` would not have written."""
        document = read_canonical(_decoder, data, what="key set")
        signing, sealing = document.keys
        return cls(document.account, SigningSecret.from_jwk(signing), SealingSecret.from_jwk(sealing))


@dataclass(frozen=True, slots=True, eq=False)
class Identity:
    """
    Who this installation is.

    `opening` has every sealing key that it still holds, by `kid`: the current one, older ones, and one
    that is about to come into force.
    """

    current: KeySet
    opening: Mapping[str, SealingSecret] = field(repr=False)

    @property
    def account_id(self) -> str:
        return self.current.account_id

    @property
    def signing(self) -> SigningKey:
        return self.current.signing.public

    @property
    def sealing(self) -> SealingKey:
        return self.current.sealing.public

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte Ed25519 signature of `message`; a `chain.ed25519.Signer`."""
        return self.current.signing.sign(message)


def exists(home: Path) -> bool:
    """Whether there are keys, usable or not."""
    return any(home.glob(GENERATIONS))


def create(home: Path, account: str | None = None) -> Identity:
    """
    Make the first keys of this home: of a new account or, after an admin's reset, of `account`.

    Raise `FileExistsError` rather than orphan keys that are there already.
    """
    if exists(home):
        raise FileExistsError(f"{home}: there are private keys already")
    durable.create(home / "keys-0001.json", KeySet.make(account).to_json())
    return load(home)


def load(home: Path) -> Identity:
    """Read the keys of this home; raise `BadKeys` if any of its files cannot be trusted."""
    held = [_read(path) for path in _generations(home)]
    return _identity(held[-1], [*held, *_successors(home)])


def is_prepared(home: Path) -> bool:
    """Whether a rotation was begun, and `adopt` has not ended it."""
    return (home / SUCCESSOR).exists()


def prepare(home: Path) -> Identity:
    """
    Return the identity that a rotation leads to: made by the first call, the same in every later one.

    Until `adopt` the old keys stay in force: they sign the `key` entry that announces these.
    """
    identity = load(home)
    if not _successors(home):
        durable.create(home / SUCCESSOR, KeySet.make(identity.account_id).to_json())
    held = [_read(path) for path in _generations(home)]
    (following,) = _successors(home)
    return _identity(following, [*held, following])


def adopt(home: Path, kid: str) -> Identity:
    """
    Make the prepared keys current, once the chain says that `kid` is the account's signing key.

    Twice is harmless. Raise `BadKeys` if `kid` is neither the prepared nor the current signing key.
    """
    if load(home).signing.thumbprint == kid:
        return load(home)
    if kid not in [keys.signing.public.thumbprint for keys in _successors(home)]:
        raise BadKeys(f"{home}: no private key for {kid}, which the chain has for this account")
    newest = int(_generations(home)[-1].stem.removeprefix("keys-"))
    (home / SUCCESSOR).rename(home / f"keys-{newest + 1:04}.json")
    durable.sync_directory(home)
    return load(home)


def _generations(home: Path) -> list[Path]:
    paths = sorted(home.glob(GENERATIONS))
    if not paths:
        raise BadKeys(f"{home}: no private keys here")
    return paths


def _successors(home: Path) -> list[KeySet]:
    """The prepared keys, if there are any."""
    path = home / SUCCESSOR
    return [_read(path)] if path.exists() else []


def _identity(current: KeySet, held: list[KeySet]) -> Identity:
    if len(accounts := {keys.account_id for keys in held}) != 1:
        raise BadKeys(f"the key files belong to different accounts: {', '.join(sorted(accounts))}")
    opening = {keys.sealing.public.thumbprint: keys.sealing for keys in held}
    return Identity(current, MappingProxyType(opening))


def _read(path: Path) -> KeySet:
    with path.open("rb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise BadKeys(f"{path}: a private key that others can reach (mode {mode:04o}): want 0600")
        data = file.read(MAX_FILE_BYTES)
    try:
        return KeySet.from_json(data)
    except Malformed as error:
        raise BadKeys(f"{path}: {error}") from error
