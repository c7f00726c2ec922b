"""
The authority's door: a Unix socket that only the gateway's own user may open. A line of JSON in, one out, and closed.

Whoever is connected can take neither more memory than a question has, nor a thread for longer than `SECONDS`.
"""

import logging
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import msgspec

from chain.encoding import read
from chain.errors import Malformed
from gateway.authority import MAX_QUESTION_BYTES, SECONDS, Answer, Question, Refusal, address, questions
from gateway.errors import Busy

log = logging.getLogger(__name__)

THREADS = 8
WAITING = 128
"""Connections that are not accepted yet; the kernel keeps them."""

CHUNK_BYTES = 4_096
PAUSE_SECONDS = 0.1


class Listener:
    """Hands each question on, and its answer back. `answer` may be called from several threads."""

    def __init__(self, path: Path, answer: Callable[[Question], Answer]) -> None:
        self._path = path
        self._answer = answer
        self._socket = socket.socket(socket.AF_UNIX)
        self._stopping = threading.Event()
        self._free = threading.Semaphore(THREADS)
        self._workers = ThreadPoolExecutor(THREADS, thread_name_prefix="door")
        self._acceptor = threading.Thread(target=self._accept, name="door", daemon=True)

    def start(self) -> None:
        """Listen in the place of whoever did before."""
        scratch = self._path.with_name(f".{self._path.name}.new")
        scratch.unlink(missing_ok=True)
        with address(scratch) as place:
            self._socket.bind(place)
        scratch.chmod(0o600)
        self._socket.listen(WAITING)
        # It has its name when it can be asked.
        scratch.replace(self._path)
        self._acceptor.start()

    def stop(self) -> None:
        """Answer what was asked, and no more."""
        self._stopping.set()
        self._path.unlink(missing_ok=True)
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._acceptor.join()
        self._socket.close()
        self._workers.shutdown()

    def _accept(self) -> None:
        while True:
            self._free.acquire()
            try:
                connection, _ = self._socket.accept()
            except OSError as error:
                self._free.release()
                if self._stopping.wait(PAUSE_SECONDS):
                    return
                # Out of descriptors, say: the next may go better.
                log.warning("nobody let in reason=%s", error)
                continue
            self._workers.submit(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection:
                self._exchange(connection)
        except (OSError, Busy) as error:
            log.warning("question dropped reason=%s", error)
        except Exception:
            # The web server is told nothing, and says that the authority does not answer.
            log.exception("question failed")
        finally:
            self._free.release()

    def _exchange(self, connection: socket.socket) -> None:
        try:
            line = _read_line(connection, time.monotonic() + SECONDS)
            if line is None:
                return
            answer = self._answer(read(questions, line, what="question"))
        except Malformed as error:
            answer = Refusal(str(error))
        connection.settimeout(SECONDS)
        connection.sendall(msgspec.json.encode(answer) + b"\n")


def _read_line(connection: socket.socket, deadline: float) -> bytes | None:
    """What comes before the first newline; None if nobody asks. Raises `Malformed`, or `TimeoutError`."""
    line = bytearray()
    while True:
        connection.settimeout(max(deadline - time.monotonic(), 0.001))
        chunk = connection.recv(CHUNK_BYTES)
        # What is too long is read to its end, or its sender would not come to read the answer.
        line += chunk[: MAX_QUESTION_BYTES + 1 - len(line)]
        if not chunk or b"\n" in chunk:
            break
    if len(line) > MAX_QUESTION_BYTES:
        raise Malformed(f"question: want {MAX_QUESTION_BYTES} bytes at most")
    return bytes(line).partition(b"\n")[0] if line else None
