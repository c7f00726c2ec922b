"""
The root's key, which is kept apart from the gateway: it follows from a seed of 32 bytes that is on a sheet of paper.

So whoever loses the file, in which the seed lies sealed, makes the very same key again, and no device notices. The key
is used when the gateway is made, and when it needs a new issuing authority; in between nothing needs it.

The file is sealed as a backup is (`gateway.vault`): the encrypted PKCS#8 that `cryptography` writes has 2,048 rounds
of PBKDF2, which is little against somebody who found the memory stick.
"""

import base64
import re
import textwrap
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chain import durable
from chain.encoding import digest
from chain.errors import Malformed
from chain.joincode import pin_of
from gateway.errors import BadBackup, BadConfig
from gateway.vault import MAGIC, Opener, Sealer

SEED_BYTES = 32
INFO = b"blockpost/root/v1"
EXTRA_BYTES = 48
"""64 bits more than the order of P-256 has, so that its remainder is even enough (FIPS 186-5, A.2.1)."""

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
CHECK_CHARS = 4
"""20 bits: of a million typing errors, one goes unnoticed here; the pin finds that one."""

_SEED_CHARS = 52
_GROUP = 4
_WIDTH = 4 * (_GROUP + 1) - 1
_WIDTH_OF_PAIRS = 16 * 3 - 1
_GROUPS = re.compile(r"^\s*[A-Z2-7]{4}(?:[ \t]+[A-Z2-7]{4})*\s*$", re.MULTILINE | re.IGNORECASE)

SHEET = """\
BLOCKPOST RECOVERY SHEET

  site   {name}
  made   {made:%Y-%m-%d}
  root   {pin}

{groups}

The root certificate's fingerprint (SHA-256), to compare with what a browser or
a phone shows before it is trusted:

{fingerprint}

What this is. These letters are the key of this site's certificates. Whoever has
them can pretend to be the gateway. Print this page, keep it where you keep
contracts and keys, and delete the file if there is one. No computer needs it
from day to day.

When you need it. If the file with the root's key is lost, or its passphrase
forgotten: type the letters above into a file, and on the gateway run

  blockpost authority reissue DIR --sheet FILE

Nothing has to be done on the devices. The last four letters are a check: a
typing error is found. There is no digit 0, 1, 8 or 9 in it.
"""


def derive(seed: bytes) -> EllipticCurvePrivateKey:
    """The root's key."""
    stretched = HKDF(SHA256(), EXTRA_BYTES, salt=None, info=INFO).derive(seed)
    return ec.derive_private_key(int.from_bytes(stretched, "big") % (ORDER - 1) + 1, ec.SECP256R1())


def pin(key: EllipticCurvePrivateKey) -> str:
    """What join codes name it by: the same as `gateway.tls.pin` of its certificate."""
    return pin_of(digest(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)))


def sheet(seed: bytes, name: str, made: datetime, fingerprint: str) -> str:
    """What is to be printed; `fingerprint` is that of the root's certificate (`gateway.tls.fingerprint`)."""
    letters = _base32(seed) + _check(seed)
    groups = " ".join(textwrap.wrap(letters, _GROUP))
    lines = textwrap.indent("\n".join(textwrap.wrap(groups, _WIDTH)), "    ")
    pairs = textwrap.indent("\n".join(textwrap.wrap(fingerprint.replace(":", " "), _WIDTH_OF_PAIRS)), "    ")
    return SHEET.format(name=name, made=made, pin=pin(derive(seed)), groups=lines, fingerprint=pairs)


def read_sheet(text: str) -> bytes:
    """The seed from a sheet, or from its letters alone; raise `Malformed`, without repeating them."""
    letters = "".join("".join(_GROUPS.findall(text)).split()).upper()
    if len(letters) != _SEED_CHARS + CHECK_CHARS:
        raise Malformed(
            f"recovery sheet: want {(_SEED_CHARS + CHECK_CHARS) // _GROUP} groups of four letters, A to Z and 2 to 7,"
            f" got {len(letters) // _GROUP}"
        )
    seed = base64.b32decode(letters[:_SEED_CHARS] + "====")
    # Two spellings of one seed would be two sheets.
    if letters != _base32(seed) + _check(seed):
        raise Malformed("recovery sheet: the check at the end does not agree; look for a typing error")
    return seed


def write_seed(path: Path, seed: bytes, passphrase: str) -> None:
    """Keep it, sealed, in a new file; raise `FileExistsError`."""
    with durable.creating(path) as file:
        sealer = Sealer(file, passphrase)
        sealer.write(seed)
        sealer.finish()


def read_seed(path: Path, passphrase: str) -> bytes:
    """Raise `BadConfig` if the passphrase is not its own, or the file is no such key."""
    with path.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            raise BadConfig(f"{path}: not a root's key, as `gateway init --lan` makes it")
        try:
            seed = Opener(file, passphrase).read(SEED_BYTES + 1)
        except BadBackup as error:
            raise BadConfig(f"{path}: {error}") from error
    if len(seed) != SEED_BYTES:
        raise BadConfig(f"{path}: sealed, but not a root's key")
    return seed


def _base32(data: bytes) -> str:
    return base64.b32encode(data).decode("ascii").rstrip("=")


def _check(seed: bytes) -> str:
    return _base32(digest(b"blockpost/sheet/v1\n" + seed))[:CHECK_CHARS]
