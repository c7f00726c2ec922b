"""`bench.web`: what comes over the wire in pieces is counted as what it is."""

import socket
from collections.abc import Iterator

import pytest

from bench import web
from bench.errors import BenchError
from bench.web import Answers

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\nbody"
TWO = (
    b"id: 7\nevent: entry\ndata: {}\n\n" + b"event: head\ndata: {}\n\n" + b"id: 8\nevent: entry\ndata: {}\n\n"
)


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@pytest.mark.parametrize("size", [1, 7, 30, len(ANSWER)])
def test_an_answer_is_whole_with_its_last_byte(size: int) -> None:
    answers = Answers()
    pieces = [ANSWER[start : start + size] for start in range(0, len(ANSWER), size)]

    *before, last = [answers.add(piece) for piece in pieces]

    assert set(before) <= {None}
    assert last == b"body"


def test_answers_follow_one_another() -> None:
    answers = Answers()

    assert [answers.add(ANSWER), answers.add(ANSWER[:9]), answers.add(ANSWER[9:])] == [b"body", None, b"body"]


def test_any_other_answer_is_told_of() -> None:
    with pytest.raises(BenchError, match="503"):
        Answers().add(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 5\r\n\r\nfull!")


@pytest.mark.parametrize("size", [1, 5, 13, 14, 40, len(TWO)])
def test_a_page_counts_each_entry_once(size: int, pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    page = web._Page(ours, b"GET /v1/events HTTP/1.1\r\n\r\n")
    assert theirs.recv(100).startswith(b"GET /v1/events")

    for start in range(0, len(TWO), size):
        theirs.sendall(TWO[start : start + size])
        page.work()

    assert len(page.told) == 2


def test_a_page_is_open_once_it_was_greeted(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    page = web._Page(ours, b"GET / HTTP/1.1\r\n\r\n")

    before = page.is_open
    theirs.sendall(b"HTTP/1.1 200 OK\r\n\r\nretry: 2000\n\n")
    page.work()

    assert (before, page.is_open) == (False, True)


def test_a_connection_that_is_closed_is_told_of(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    page = web._Page(ours, b"GET / HTTP/1.1\r\n\r\n")
    theirs.shutdown(socket.SHUT_WR)

    with pytest.raises(BenchError, match="closed"):
        page.work()
