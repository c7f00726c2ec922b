"""
What the web server asks the authority, over its Unix socket: one line of JSON in, one line of JSON out.

The authority is a process of its own (`provisioning.authority`), so that the key which signs certificates is not in the
process that speaks to the network.
"""

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

from chain.api import Certified
from chain.encoding import read
from chain.errors import ChainError
from gateway.errors import Busy, GatewayError

SECONDS = 5.0
"""How long it waits for an answer; and how long the authority lets a question take to come."""

MAX_QUESTION_BYTES = 16_384
MAX_LINE_BYTES = 4_194_304
"""Of an answer."""


class Denied(GatewayError):
    """The authority refuses a certificate; the message says why, and what to do."""


class NoAuthority(Busy):
    """The authority does not answer just now."""


class Certify(Struct, frozen=True, tag="certify", forbid_unknown_fields=True):
    """A certificate for `account`, which proved itself; `csr` is its request, DER in base64url."""

    account: str
    csr: str


class Renew(Struct, frozen=True, tag="renew", forbid_unknown_fields=True):
    """An admin lets `account` have a certificate, though its newest has expired."""

    account: str


class List(Struct, frozen=True, tag="list", forbid_unknown_fields=True):
    """What was issued: the newest certificate of each account after `after` (an account id), at most `limit`."""

    after: str
    limit: int


Question = Certify | Renew | List


class Line(Struct, frozen=True, kw_only=True):
    """
    The newest certificate of an account. `serial` in hex; `issued` and `until` in ms; `revoked` whether it is on the
    CRL, `renewable` until when (ms) an admin lets it be renewed although it has expired.
    """

    account: str
    serial: str
    issued: int
    until: int
    revoked: bool
    renewable: int | None


class Granted(Struct, frozen=True, tag="granted"):
    certified: Certified


class Renewable(Struct, frozen=True, tag="renewable"):
    """`until` (ms) is how long."""

    until: int


class Lines(Struct, frozen=True, tag="lines"):
    """`next` is the `after` of the next page, if there is one."""

    lines: list[Line]
    next: str | None


class Refusal(Struct, frozen=True, tag="refusal"):
    reason: str


Answer = Granted | Renewable | Lines | Refusal

questions = msgspec.json.Decoder(Question)
_answers = msgspec.json.Decoder(Answer)

T = TypeVar("T")


@contextmanager
def address(path: Path) -> Iterator[str]:
    """A short way to `path`: a Unix socket's address has 107 bytes, and a directory may be deeper (unix(7))."""
    fd = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{fd}/{path.name}"
    finally:
        os.close(fd)


class Authority:
    """The client. Every call raises `Denied` if the answer is no, `NoAuthority` if there is none."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def certify(self, account: str, csr: str) -> Certified:
        return self._ask(Certify(account, csr), Granted).certified

    def renew(self, account: str) -> int:
        """Until when (ms) the account may ask."""
        return self._ask(Renew(account), Renewable).until

    def list(self, after: str, limit: int) -> tuple[Sequence[Line], str | None]:
        answer = self._ask(List(after, limit), Lines)
        return answer.lines, answer.next

    def _ask(self, question: Question, kind: type[T]) -> T:
        try:
            answer = read(
                _answers, self._exchanged(msgspec.json.encode(question)), what="the authority's answer"
            )
        except (OSError, ChainError) as error:
            raise NoAuthority(f"the authority does not answer: {error}") from error
        if isinstance(answer, Refusal):
            raise Denied(answer.reason)
        if not isinstance(answer, kind):
            raise NoAuthority(f"the authority answered something else: {type(answer).__name__}")
        return answer

    def _exchanged(self, line: bytes) -> bytes:
        with closing(socket.socket(socket.AF_UNIX)) as connection, address(self._path) as place:
            connection.settimeout(SECONDS)
            connection.connect(place)
            connection.sendall(line + b"\n")
            with connection.makefile("rb") as answers:
                return answers.readline(MAX_LINE_BYTES)
