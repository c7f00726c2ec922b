"""Must hold: two people join at the page, become friends, and write to each other what they alone can open."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from playwright.sync_api import expect

from tests.page import Person
from tests.ward import Ward

LEE, KIM = "Dr. Mary Lee", "Kim Novak"
PASSWORD = "correct horse battery"


class Pair(NamedTuple):
    lee: Person
    kim: Person


@pytest.fixture(scope="module")
def pair(ward: Ward) -> Iterator[Pair]:
    """Two people who joined, each on a browser of their own, and are friends."""
    lee, kim = ward.visitor(), ward.visitor()
    lee.register(ward.code("dr.lee"), LEE, PASSWORD)
    kim.register(ward.code("nurse.kim"), KIM, PASSWORD, by_link=True)
    lee.befriend("nurse.kim")
    kim.accept(LEE)
    lee.open_chat(KIM)
    kim.open_chat(LEE)
    yield Pair(lee, kim)


def test_two_people_who_joined_here_write_to_each_other(pair: Pair) -> None:
    pair.lee.say("Bed 4 is free at noon.")
    pair.kim.say("Thank you, I will tell them.")

    for person in pair:
        person.reads(["Bed 4 is free at noon.", "Thank you, I will tell them."])
