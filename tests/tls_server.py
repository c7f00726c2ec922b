"""A TLS server on loopback that keeps every byte it is told, and answers each HTTP request with the same words."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from pathlib import Path


class Recorder:
    """Serves with the key and the certificates of one file, which may be replaced while it runs."""

    def __init__(self, pem: Path) -> None:
        self.pem = pem
        self._told: list[bytes] = []
        self.answer = b""
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def told(self) -> list[bytes]:
        """What came inside TLS, on all connections that were made before."""
        # They are served one by one, and this one last.
        with socket.create_connection(("127.0.0.1", self.port)) as last:
            last.shutdown(socket.SHUT_WR)
            while last.recv(1024):
                pass
        return self._told

    def close(self) -> None:
        # A thread that waits in accept does not hear that its socket is closed.
        self._listening.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listening.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with suppress(OSError), connection:
                self._speak(connection)

    def _speak(self, connection: socket.socket) -> None:
        connection.settimeout(5)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.pem)
        with context.wrap_socket(connection, server_side=True) as spoken:
            while said := spoken.recv(65_536):
                self._told.append(said)
                head = f"HTTP/1.1 {HTTPStatus.OK.value} OK\r\nContent-Length: {len(self.answer)}\r\n\r\n"
                spoken.sendall(head.encode() + self.answer)


@contextmanager
def recording(pem: Path) -> Iterator[Recorder]:
    server = Recorder(pem)
    try:
        yield server
    finally:
        server.close()
