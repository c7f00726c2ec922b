"""
One body that opens to two texts for two readers: AES-GCM does not bind its key.

The tag of GCM is linear in the ciphertext (NIST SP 800-38D section 6.4), and so is the difference between
the tags under two keys. A cheat draws two content keys, writes alice a message with some filler in
it, and solves 128 linear equations for the bits of the filler, so that one tag holds under both keys. Alice
is sent one key and reads the message; bob is sent the other and reads something else. Each letter of
the filler is one of `@` to `O`: four free bits that make proper JSON whatever they turn out to be.
"""

from collections.abc import Iterator
from hashlib import sha256

from Crypto.Cipher import AES

from chain.encoding import b64url, canonical
from device import gcm
from device.sealing import commit
from tests.vectors import forge
from tests.vectors.forge import Json
from tests.vectors.people import person

MESSAGE = "Give 5 mg. "
FILLER = 48
"""Letters: 192 unknown bits for 128 equations."""

KEYS = {"alice": sha256(b"for alice").digest(), "bob": sha256(b"for bob").digest()}


def body() -> Json:
    """A body that mallory wrote: alice opens MESSAGE and filler, bob opens noise, and both tags hold."""
    protected = b64url(canonical(forge.header(author="mallory")))
    aad = protected.encode()
    ciphertext = _colliding(aad)
    (tag,) = {_tag(key, ciphertext, aad) for key in KEYS.values()}
    return {
        "ciphertext": b64url(ciphertext),
        "iv": b64url(forge.IV),
        "protected": protected,
        "recipients": [forge.block(name, key) for name, key in KEYS.items()],
        "tag": b64url(tag),
    }


def case() -> Json:
    """The entry commits to what alice reads."""
    mallory = person("mallory")
    return forge.case(
        "two readers, two texts",
        forge.text(body()),
        author=mallory.account_id,
        signer=mallory.signing.public.thumbprint,
        commitment=b64url(commit(forge.FK, content())),
    )


def content() -> str:
    """What alice reads."""
    aad = b64url(canonical(forge.header(author="mallory"))).encode()
    ciphertext = _colliding(aad)
    clear = _xored(ciphertext, _keystream(KEYS["alice"], len(ciphertext)))
    return clear.decode().removeprefix('{"content":"').partition('"')[0]


def _colliding(aad: bytes) -> bytes:
    """The ciphertext of alice's text, its filler chosen so that the two tags are equal."""
    clear = canonical(forge.plaintext(MESSAGE + "@" * FILLER))
    ciphertext = _xored(clear, _keystream(KEYS["alice"], len(clear)))
    bits = list(_free_bits(clear.index(b"@"), len(clear)))
    unequal = _difference(ciphertext, aad)
    effects = [unequal ^ _difference(_xored(ciphertext, bit), aad) for bit in bits]
    for chosen in _solved(effects, unequal):
        ciphertext = _xored(ciphertext, bits[chosen])
    return ciphertext


def _free_bits(start: int, size: int) -> Iterator[bytes]:
    for position in range(start, start + FILLER):
        for bit in (1, 2, 4, 8):
            yield bytes(position) + bytes([bit]) + bytes(size - position - 1)


def _solved(effects: list[int], target: int) -> list[int]:
    """Which of `effects` add up to `target` over GF(2)? Gaussian elimination; a column's bit remembers it."""
    rows: dict[int, tuple[int, int]] = {}
    for index, effect in enumerate(effects):
        value, combination = _reduced(effect, 1 << index, rows)
        if value:
            rows[value.bit_length()] = (value, combination)
    rest, combination = _reduced(target, 0, rows)
    assert rest == 0, "not enough filler"
    return [index for index in range(len(effects)) if combination >> index & 1]


def _reduced(value: int, combination: int, rows: dict[int, tuple[int, int]]) -> tuple[int, int]:
    for top in sorted(rows, reverse=True):
        if value.bit_length() == top:
            value, combination = value ^ rows[top][0], combination ^ rows[top][1]
    return value, combination


def _difference(ciphertext: bytes, aad: bytes) -> int:
    first, second = (int.from_bytes(_tag(key, ciphertext, aad), "big") for key in KEYS.values())
    return first ^ second


def _tag(key: bytes, ciphertext: bytes, aad: bytes) -> bytes:
    """The tag that makes `ciphertext` valid under `key`: encrypt what it decrypts to."""
    clear = _xored(ciphertext, _keystream(key, len(ciphertext)))
    return gcm.encrypt(key, forge.IV, clear, aad)[1]


def _keystream(key: bytes, size: int) -> bytes:
    return AES.new(key, AES.MODE_GCM, nonce=forge.IV).encrypt(bytes(size))


def _xored(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))
