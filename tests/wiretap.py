"""A wiretap: a relay for TCP connections that keeps every byte which a client said."""

import socket
import threading
from contextlib import suppress
from pathlib import Path

CHUNK = 65_536


class Wiretap:
    """Listens on a port of loopback, and passes on to `port`. What clients say goes into `record`, too."""

    def __init__(self, port: int, record: Path) -> None:
        self._port = port
        self._record = record.open("ab", buffering=0)
        self._lock = threading.Lock()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, name="wiretap", daemon=True).start()

    def close(self) -> None:
        self._server.close()
        for each in list(self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        with self._lock:
            self._record.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self._port))
        except OSError:
            # The gateway is away: the client sees just that.
            client.close()
            return
        self._open |= {client, server}
        back = threading.Thread(target=self._pump, args=(server, client, False), daemon=True)
        back.start()
        self._pump(client, server, True)
        back.join()
        for each in (client, server):
            self._open.discard(each)
            each.close()

    def _pump(self, source: socket.socket, sink: socket.socket, keep: bool) -> None:  # noqa: FBT001 - which way it is
        with suppress(OSError):
            while data := source.recv(CHUNK):
                if keep:
                    self._keep(data)
                sink.sendall(data)
        for each in (source, sink):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _keep(self, data: bytes) -> None:
        with self._lock:
            self._record.write(data)
