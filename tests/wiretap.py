"""A wiretap: a relay for TCP connections that keeps every byte which a client said, and can cut them all."""

import socket
import threading
from contextlib import suppress

CHUNK = 65_536


class Wiretap:
    """Listens on a port of loopback, and passes on to `port` of it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._said: list[bytearray] = []
        self._open: set[socket.socket] = set()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, name="wiretap", daemon=True)
        self._thread.start()

    def heard(self) -> list[bytes]:
        """What clients said until now, one connection after the other."""
        return [bytes(said) for said in list(self._said)]

    def cut(self) -> None:
        """End every connection that there is; new ones are welcome."""
        for each in list(self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        # To close it alone does not wake up who waits for the next connection.
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._server.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        with client:
            try:
                server = socket.create_connection(("127.0.0.1", self._port))
            except OSError:
                # The gateway is away: the client sees just that.
                return
            with server:
                self._relay(client, server)

    def _relay(self, client: socket.socket, server: socket.socket) -> None:
        said = bytearray()
        self._said.append(said)
        self._open |= {client, server}
        back = threading.Thread(target=_pump, args=(server, client), daemon=True)
        back.start()
        _pump(client, server, said)
        back.join()
        self._open -= {client, server}


def _pump(source: socket.socket, sink: socket.socket, record: bytearray | None = None) -> None:
    """Pass on until either side is gone; then both are."""
    with suppress(OSError):
        while data := source.recv(CHUNK):
            if record is not None:
                record += data
            sink.sendall(data)
    for each in (source, sink):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
