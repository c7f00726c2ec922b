"""What an admin is shown: documents that may grow, and the types of entries that are listed."""

import inspect
from typing import get_args

import pytest
from msgspec import Struct

from chain import health, lists, rules

KINDS = [
    value
    for module in (lists, health)
    for value in vars(module).values()
    if inspect.isclass(value) and issubclass(value, Struct) and value.__module__ == module.__name__
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_an_older_reader_passes_over_a_member_that_it_does_not_know(kind: type[Struct]) -> None:
    assert not kind.__struct_config__.forbid_unknown_fields


def test_the_acts_are_what_the_state_lists() -> None:
    assert {act.__struct_config__.tag for act in rules.ACTS} == set(get_args(lists.Act))
