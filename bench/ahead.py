"""Work that is done in other processes ahead of its use, in the order of its use."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

AHEAD = 8
"""Results that may wait for each process: those of a million entries would not fit into memory."""


def ahead(work: Callable[[T], R], tasks: Iterable[T]) -> Iterator[R]:
    """`map`, on all cores but the caller's own."""
    processes = max(1, len(os.sched_getaffinity(0)) - 1)
    pending: deque[Future[R]] = deque()
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        try:
            for task in tasks:
                pending.append(pool.submit(work, task))
                if len(pending) >= AHEAD * processes:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
