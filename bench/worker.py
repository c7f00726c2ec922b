"""Processes that get ready, begin at one word, and bring what they measured."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, Generic, TypeVar

from msgspec import Struct

from bench.errors import BenchError

T = TypeVar("T")

READY_SECONDS = 120
RUN_SECONDS = 600

Begin = Callable[[], None]
"""Says that this process is ready, and returns when all are to begin."""


class Failed(Struct, frozen=True):
    reason: str


class Worker(Generic[T]):
    """Runs `work(begin, *args)` in a process of its own; its result has to be picklable."""

    def __init__(self, work: Callable[..., T], *args: Any) -> None:
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._name = work.__module__
        self._process = context.Process(target=_run, args=(theirs, work, *args), daemon=True)
        self._process.start()
        theirs.close()

    def wait_ready(self) -> None:
        self._receive(READY_SECONDS)

    def begin(self) -> None:
        self._pipe.send(None)

    def result(self) -> T:
        """Raise `BenchError` if it failed."""
        result: T = self._receive(RUN_SECONDS)
        return result

    def close(self) -> None:
        self._process.kill()
        self._process.join()
        self._process.close()
        self._pipe.close()

    def _receive(self, seconds: float) -> Any:
        if not self._pipe.poll(seconds):
            raise BenchError(f"{self._name}: nothing heard of it for {seconds} seconds")
        try:
            told = self._pipe.recv()
        except EOFError as error:
            raise BenchError(f"{self._name}: its process ended") from error
        if isinstance(told, Failed):
            raise BenchError(told.reason)
        return told


def _run(pipe: Connection, work: Callable[..., Any], *args: Any) -> None:
    def begin() -> None:
        pipe.send(None)
        pipe.recv()

    try:
        result = work(begin, *args)
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent has to hear of it
        result = Failed(f"{work.__module__}: {type(error).__name__}: {error}")
    pipe.send(result)


def run_together(workers: Sequence[Callable[[], Worker[Any]]]) -> tuple[float, list[Any]]:
    """Start all, let all begin at once; return when that was (monotonic seconds), and their results in order."""
    with ExitStack() as stack:
        started = []
        for start in workers:
            worker = start()
            stack.callback(worker.close)
            started.append(worker)
        for worker in started:
            worker.wait_ready()
        begun = time.monotonic()
        for worker in started:
            worker.begin()
        return begun, [worker.result() for worker in started]
