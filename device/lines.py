"""Bytes as they arrive, cut into lines of bounded length."""


class Lines:
    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """
        The lines that `data` completes, without their ends.

        Of a line longer than the limit, one byte more than the limit is kept: enough to see that it was.
        """
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest[: self._limit + 1]
        return [line[: self._limit + 1] for line in lines]
