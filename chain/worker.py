"""Worker processes: they end with whoever asked, and leave Ctrl-C to it."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager


@contextmanager
def pool(count: int) -> Iterator[ProcessPoolExecutor]:
    """
    So many processes; what they have not begun when this is left, they do not begin.

    Raises `ChildProcessError` if one of them was ended by somebody else, as for want of memory.
    """
    executor = ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("spawn"), initializer=_begin)
    try:
        yield executor
    except BrokenProcessPool as error:
        raise ChildProcessError(
            "a worker process was ended from outside; with one worker there is none"
        ) from error
    finally:
        executor.shutdown(cancel_futures=True)


def _begin() -> None:
    # A terminal sends it to all of them; what follows from it is for the one that asked.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
