"""
What can go wrong in a benchmark.

* BenchError: a part of it did not do what is measured, and there is no figure to give
"""


class BenchError(Exception):
    """The message says which part it was."""
