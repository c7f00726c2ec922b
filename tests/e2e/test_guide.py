"""
Must hold: `docs/operations.md` leads from nothing to a joined device and a logged-in browser, line by line.

The commands are taken from the document itself, and typed in its order: whoever changes one without the other finds
out here. It is tried in two forms.

* On this machine, below a directory that stands for the root of each machine. It needs nothing that the other tests do
  not need, and is quick; Debian's packages are taken to be there, and the units are started without systemd.
* On clean machines: a minimal Debian from debootstrap for the gateway, and one for the device, each booted with its
  own systemd, on a network that nobody else is on, and with a browser on it. It takes minutes, root, Debian's mirror,
  debootstrap and systemd-nspawn; where those are not there, the first form is all that is tried.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.guide import clinician, container
from tests.guide.document import Command, commands
from tests.guide.place import SECRET, STICK, Place, Reader, build, clean, here
from tests.page import Person

FORMS = {"here": here} | ({"clean": clean} if container.is_possible() else {})
LETS_IN = "invite dr.lee"


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("form", FORMS)
def test_the_guide_leads_from_nothing_to_readings_in_a_browser(
    form: str, browser: Browser, tmp_path: Path
) -> None:
    guide = commands()
    with FORMS[form]() as place, explained(place):
        stick = build([each for each in guide if each.place == "computer"], tmp_path, python=place.python)
        for machine in place.machines.values():
            machine.put(stick, STICK)
        reader = Reader(place)
        follow(reader, guide, until=LETS_IN)
        address = clinician.introduced(place, browser.browser_type, tmp_path)
        with clinician.computer(place, browser.browser_type, tmp_path) as own:
            lee = clinician.at(own, address)
            lee.register(reader.code, "Dr. Lee", SECRET)
            follow(reader, guide, after=LETS_IN)

            lee.open_chat("on-call")
            lee.is_proven("fridge 2 is in service")
            sees_readings(lee)
            off_and_on(place)
            hears_of(lee, reader, "fridge 2 is back")


@contextmanager
def explained(place: Place) -> Iterator[None]:
    """What goes wrong on a machine is in its log."""
    try:
        yield
    except BaseException as error:
        error.add_note(place.log())
        raise


def follow(reader: Reader, guide: list[Command], *, after: str = "", until: str = "") -> None:
    """Type what the guide has for the machines, from behind the command that has `after`, to the one with `until`."""
    texts = [command.text for command in guide]
    first = _index(texts, after) + 1 if after else 0
    last = _index(texts, until) + 1 if until else len(texts)
    for command in guide[first:last]:
        if command.place != "computer":
            reader.type(command)


def _index(texts: list[str], part: str) -> int:
    (found,) = (index for index, text in enumerate(texts) if part in text)
    return found


def sees_readings(lee: Person) -> None:
    """What the sensor of the example says comes to the group that it writes to."""
    lee.press("Readings")
    readings = lee.page.get_by_role("region", name="Readings", exact=True)
    expect(readings.get_by_role("img", name=re.compile(r"Plot of load: last [\d.]+"))).to_be_visible()
    lee.press("Readings")


def off_and_on(place: Place) -> None:
    for machine in place.machines.values():
        machine.stop()
    for machine in place.machines.values():
        machine.start()


def hears_of(lee: Person, reader: Reader, text: str) -> None:
    """A message that the device sends now is on the chain, and in front of the clinician."""
    reader.type(Command("device", f'blockpost device --home /var/lib/fridge-2 send on-call "{text}"'))
    lee.is_proven(text)
