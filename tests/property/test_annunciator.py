"""Whatever comes in whatever order, what sounds is what the rules say."""

from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from chain.entry import Alert, Message, Priority, Status, Tick
from device.annunciator import LOUDEST_FIRST, Heard, Level
from tests.unit.test_annunciator import DOOR, FEVER, HOUR, NOON, alarms, level, message, status, tick

PRIORITIES: tuple[Priority, ...] = ("info", "low", "medium", "high")


@st.composite
def histories(draw: st.DrawFn) -> list[Heard]:
    """What the chain holds, in its order, of two episodes: never an answer to what is not there yet."""
    made: list[Heard] = []
    messages: dict[str, list[int]] = {FEVER: [], DOOR: []}
    for index in range(1, draw(st.integers(1, 14)) + 1):
        episode = draw(st.sampled_from([FEVER, DOOR]))
        mine = messages[episode]
        kind = draw(st.sampled_from(["message", "status", "tick"])) if mine else "message"
        if kind == "message":
            state = draw(st.sampled_from(["start", "continue", "end"]))
            made.append(message(index, draw(st.sampled_from(PRIORITIES)), state, episode=episode))
            mine.append(index)
        elif kind == "status":
            said = draw(st.sampled_from(["seen", "taken", "released", "resolved", "snoozed"]))
            until = NOON + draw(st.integers(1, 3)) * HOUR if said == "snoozed" else None
            made.append(status(index, said, draw(st.sampled_from(mine)), until=until))
        else:
            made.append(tick(index, draw(st.sampled_from(["step", "nobody", "overdue", "woken"])), mine[0]))
    return made


class Note(NamedTuple):
    """An alert as a person would keep it on a whiteboard."""

    priority: Priority
    goes_on: bool
    counts_from: int
    taken: bool = False
    resolved: bool = False
    silent_until: int = 0
    given_up: bool = False


def by_hand(heard: list[Heard], now: int) -> Level | None:
    """The same from the words of docs/protocol.md, with nothing of the code's own but its kinds of entries."""
    notes: dict[str, Note] = {}
    about: dict[str, tuple[str, int]] = {}
    for each in heard:
        match each.entry:
            case Message(id=entry_id, alert=Alert() as header):
                about[entry_id] = header.episode, each.index
                notes[header.episode] = spoken(notes.get(header.episode), header, each.index)
            case Status(about=meant, state=said, until=until):
                episode, place = about[meant]
                notes[episode] = answered(notes[episode], said, place, until or 0)
            case Tick(did=[deed]):
                episode, _ = about[deed.about]
                notes[episode] = passed(notes[episode], deed.did)
    loud: list[Level] = [
        "nobody" if note.given_up else note.priority
        for note in notes.values()
        if not note.taken and not note.resolved and note.silent_until <= now
    ]
    return min(loud, key=LOUDEST_FIRST.index, default=None)


def spoken(note: Note | None, header: Alert, index: int) -> Note:
    if note is None:
        return Note(header.priority, header.state != "end", index)
    if header.state == "end":
        return note._replace(goes_on=False)
    rose = PRIORITIES.index(header.priority) > PRIORITIES.index(note.priority)
    if rose or (header.state == "start" and not note.goes_on):
        return Note(header.priority, True, index)
    return note._replace(priority=header.priority, goes_on=True)


def answered(note: Note, said: str, place: int, until: int) -> Note:
    if place < note.counts_from:
        return note
    match said:
        case "taken":
            return note._replace(taken=True, silent_until=0)
        case "resolved":
            return note._replace(resolved=True, silent_until=0)
        case "released" if note.taken:
            return note._replace(taken=False, silent_until=0, given_up=note.given_up and note.resolved)
        case "snoozed" if not note.taken and not note.resolved:
            return note._replace(silent_until=until)
    return note


def passed(note: Note, did: str) -> Note:
    match did:
        case "nobody":
            return note._replace(given_up=True)
        case "overdue":
            return note._replace(taken=False, silent_until=0, given_up=False)
        case "woken":
            return note._replace(silent_until=0)
    return note


@given(heard=histories(), hours=st.integers(0, 4))
def test_what_sounds_is_what_the_rules_say(heard: list[Heard], hours: int) -> None:
    now = NOON + hours * HOUR

    assert level(*heard, now=now) == by_hand(heard, now)


@given(data=st.data(), heard=histories(), hours=st.integers(0, 4))
def test_the_order_of_arrival_does_not_matter(data: st.DataObject, heard: list[Heard], hours: int) -> None:
    shuffled = data.draw(st.permutations(heard))
    twice = data.draw(st.lists(st.sampled_from(heard), max_size=4))
    now = NOON + hours * HOUR

    assert level(*shuffled, *twice, now=now) == level(*heard, now=now)


@given(data=st.data(), heard=histories())
def test_what_is_not_proven_never_makes_it_quieter(data: st.DataObject, heard: list[Heard]) -> None:
    """What an author says, that is: a tick is the gateway's."""
    said = [place for place, each in enumerate(heard) if not isinstance(each.entry, Tick)]
    at = data.draw(st.sampled_from(said))
    doubtful = Heard(heard[at].index, heard[at].entry, proven=False)

    without, with_it = level(*heard[:at]), level(*heard[:at], doubtful)

    assert loudness(with_it) >= loudness(without)


def loudness(found: Level | None) -> int:
    return 0 if found is None else len(LOUDEST_FIRST) - LOUDEST_FIRST.index(found)


@given(heard=histories())
def test_every_silence_ends(heard: list[Heard]) -> None:
    """A day later nothing is silent that nobody answered for."""
    made = alarms(*heard)

    tomorrow = made.picture.sound(NOON + 25 * HOUR, frozenset(LOUDEST_FIRST))

    assert (tomorrow is None) == (not made.picture.open)
