"""
Sealing and opening a message: ours, against joserfc, which makes and reads the same standard JWE.

Both are one core's work, and timed by what they compute. joserfc works with `cryptography`, ours with pycryptodome,
which a device has; and ours binds the author, the list of readers and a commitment besides, and checks them.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any, Self

from Crypto.PublicKey import RSA
from cryptography.hazmat.primitives.asymmetric import rsa
from msgspec import Struct, structs

from bench import part
from bench.errors import BenchError
from bench.machine import Machine
from bench.part import Part
from bench.site import Progress
from chain import entry
from chain.encoding import b64url
from chain.identity import SealingKey
from device import oaep, sealing
from device.keys import NEW_RSA_BITS, SealingSecret
from device.sealing import Sealed

READERS = (1, 2, 10)
BYTES = (200, 2_000, 40_000)
ALGORITHMS = ("RSA-OAEP-256", "A256GCM")
CONTENT_TYPE = "text/plain"
AT = 1_700_000_000_000
"""When the messages say that they were written, in ms: nobody looks at it."""


class Options(Struct, frozen=True, kw_only=True):
    """`milliseconds` of each turn."""

    milliseconds: int
    rounds: int
    directory: Path | None


class Case(Struct, frozen=True):
    """Operations in a second of computing, medians of the rounds: for so many readers' keys, and so many bytes of text."""

    readers: int
    bytes: int
    seal: float
    joserfc_seal: float
    seal_ratio: float
    open: float
    joserfc_open: float
    open_ratio: float


class Result(Struct, frozen=True):
    cases: list[Case]
    machine: Machine


def measure(options: Options, progress: Progress) -> Result:
    """Raise `BenchError` if joserfc is not installed."""
    other = _Joserfc.load()
    with tempfile.TemporaryDirectory(prefix="blockpost-bench-", dir=options.directory) as name:
        machine = Machine.at(Path(name))
    progress(str(machine))
    secret = _secret()
    others = [_stranger() for _ in range(max(READERS) - 1)]
    cases = []
    for readers, size in product(READERS, BYTES):
        cases.append(_case(secret, [secret.public, *others[: readers - 1]], size, other, options))
        progress(_line(cases[-1]))
    return Result(cases, machine)


class _Joserfc:
    """The other library, as its documentation has it used."""

    def __init__(self, jwe: Any, jwk: Any) -> None:
        self._jwe, self._jwk = jwe, jwk
        self._registry = jwe.JWERegistry(algorithms=ALGORITHMS, strict_check_header=False)

    @classmethod
    def load(cls) -> Self:
        return cls(part.needed("joserfc.jwe", "joserfc"), part.needed("joserfc.jwk", "joserfc"))

    def key(self, jwk: Struct) -> Any:
        return self._jwk.RSAKey.import_key(structs.asdict(jwk))

    def seal(self, text: bytes, keys: Sequence[Any]) -> Any:
        message = self._jwe.GeneralJSONEncryption({"enc": "A256GCM"}, text)
        for key in keys:
            message.add_recipient({"alg": "RSA-OAEP-256"}, key)
        return self._jwe.encrypt_json(message, None, registry=self._registry)

    def open(self, body: str, key: Any) -> bytes:
        """By the first block, which is this reader's: of the general form it would try all."""
        jwe = json.loads(body)
        block, *_ = jwe.pop("recipients")
        plaintext: bytes = self._jwe.decrypt_json(jwe | block, key, registry=self._registry).plaintext
        return plaintext


def _case(
    secret: SealingSecret, readers: list[SealingKey], size: int, other: _Joserfc, options: Options
) -> Case:
    text = "x" * size
    mid = entry.new_id(AT, os.urandom)
    author, skid = "a" * 26, b64url(os.urandom(32))

    def seal() -> Sealed:
        return sealing.seal(text, cty=CONTENT_TYPE, iss=author, skid=skid, mid=mid, recipients=readers)

    made = seal()
    mine = {secret.public.thumbprint: secret}

    def open_() -> str:
        opened = sealing.open_sealed(
            made.body, keys=mine, signer=skid, author=author, mid=mid, commitment=made.commitment
        )
        return opened.content

    theirs = [other.key(key) for key in readers]
    private = other.key(secret.to_jwk())
    foreign = json.dumps(other.seal(text.encode(), theirs))
    if (open_(), other.open(foreign, private).decode()) != (text, text):
        raise BenchError("seal: what is opened is not what was sealed")
    seals = _rates(seal, lambda: other.seal(text.encode(), theirs), options)
    opens = _rates(open_, lambda: other.open(foreign, private), options)
    return Case(len(readers), size, *seals, *opens)


def _rates(
    ours: Callable[[], object], theirs: Callable[[], object], options: Options
) -> tuple[float, float, float]:
    """How many of each are done in a second of computing, and the ratio."""
    rounds = [(_rate(ours, options), _rate(theirs, options)) for _ in range(options.rounds)]
    one, other = (median(rates) for rates in zip(*rounds, strict=True))
    return round(one, 1), round(other, 1), round(one / other, 2)


def _rate(work: Callable[[], object], options: Options) -> float:
    began = time.process_time()
    done = 0
    while (taken := time.process_time() - began) < options.milliseconds / 1000 or not done:
        work()
        done += 1
    return done / taken


def _secret() -> SealingSecret:
    """A new key: `cryptography` finds one ten times as fast."""
    numbers = rsa.generate_private_key(public_exponent=oaep.EXPONENT, key_size=NEW_RSA_BITS).private_numbers()
    public = numbers.public_numbers
    return SealingSecret(RSA.construct((public.n, public.e, numbers.d, numbers.p, numbers.q)))


def _stranger() -> SealingKey:
    """A reader who never opens: any odd number of the right length will do."""
    return SealingKey(b64url(b"\xc0" + os.urandom(NEW_RSA_BITS // 8 - 2) + b"\x01"))


def _add(parser: argparse.ArgumentParser) -> None:
    part.add_count(parser, "milliseconds", 300, "how long each turn of each library takes")
    part.add_count(parser, "rounds", 5, "turns of each; the medians count")


def _line(case: Case) -> str:
    return (
        f"{case.readers} readers, {case.bytes:,} bytes: seal {case.seal:,.0f}/s (joserfc {case.joserfc_seal:,.0f}/s, "
        f"ratio {case.seal_ratio:.2f}), open {case.open:,.0f}/s (joserfc {case.joserfc_open:,.0f}/s, "
        f"ratio {case.open_ratio:.2f})"
    )


def _lines(result: Result) -> Iterator[str]:
    return map(_line, result.cases)


PART = Part(
    name="seal",
    text="sealing and opening a message, against joserfc",
    options=Options,
    add=_add,
    measure=measure,
    lines=_lines,
    examples={"seal": "for 1, 2 and 10 readers, at 200 bytes, 2 kB and 40 kB; about a minute"},
)
