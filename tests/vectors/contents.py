"""What messages say, for `contents.json`: contents of each type, and what is none of its type."""

from chain.encoding import b64url
from device import attachment
from device.content import (
    DRILL,
    EPISODE,
    FAULT,
    FILE,
    FORWARD,
    GAP,
    HEARTBEAT,
    LIMITS,
    MAX_DETAIL,
    READING,
    SETTINGS,
    TEXT,
)
from device.episode import MAX_READINGS
from tests.vectors import forge
from tests.vectors.damage import reordered, respelled
from tests.vectors.forge import Edit, Json, having, without
from tests.vectors.people import ENTRY, person

FULL_READING = {
    "channel": "inside",
    "quality": "good",
    "sensor": "fridge",
    "t": 1_800_000_000_000,
    "unit": "Cel",
    "value": 9.4,
}
EPISODE_NOTE = {
    "channel": "inside",
    "code": "8310-5",
    "detail": "it is not watched any more",
    "limit": 8,
    "readings": [{"t": 1_800_000_000_000, "value": 9.4}, {"t": 1_800_000_030_000, "value": 9}],
    "sensor": "fridge",
    "since": 1_800_000_000_000,
    "unit": "Cel",
    "until": 1_800_000_090_000,
    "value": 9,
    "what": "high",
}
GAP_NOTE = {
    "from": 1_800_000_000_000,
    "lost": 12,
    "reason": "busy",
    "sensor": "fridge",
    "to": 1_800_000_060_000,
}
BEAT = {"from": 1_800_000_000_000, "sensors": {"fridge": 90, "door": 0}, "to": 1_800_000_900_000}
FAULT_NOTE = {"detail": "status 1: no such file", "reason": "exit", "sensor": "fridge"}
CHANGE: Json = {
    "sensor": "fridge",
    "set": {
        "clear_by": 0.5,
        "high": 7.5,
        "low": -2,
        "must_last": 600,
        "priority": "high",
        "stale_after": 900,
    },
}
WATCHED = {
    "at": 1_800_000_000_000,
    "by": person("alice").account_id,
    "clear_by": 0.5,
    "code": "8310-5",
    "high": 7.5,
    "low": -2,
    "must_last": 600,
    "preset": "vaccine-fridge",
    "priority": "high",
    "request": ENTRY,
    "sensor": "fridge",
    "stale_after": 900,
    "unit": "Cel",
}
WATCHES = {"refused": "fridge: low: want less than high, which is 2, got 8", "sensors": [WATCHED]}
HANDED_ON = {
    "about": ENTRY,
    "content": forge.text(EPISODE_NOTE),
    "cty": EPISODE,
    "fk": b64url(forge.FK),
}
PRACTICE = {"text": "Drill: take this alert."}
WOUND = {
    "data": b64url(bytes(range(256))),
    "name": "wound, bed 4 \u2013 left.png",
    "text": "look",
    "type": "image/png",
}

VALID: dict[str, tuple[str, str]] = {
    "a text": (TEXT, forge.CONTENT),
    "no text": (TEXT, ""),
    "a text that looks like a reading": (TEXT, forge.text(FULL_READING)),
    "a reading with all its members": (READING, forge.text(FULL_READING)),
    "a reading with those it must have": (READING, '{"sensor":"fridge","value":0}'),
    "a reading below zero": (READING, '{"sensor":"fridge","value":-1.5e1}'),
    "a reading in another spelling": (READING, '{ "value": 4, "sensor": "fridge" }'),
    "an episode with all its members": (EPISODE, forge.text(EPISODE_NOTE)),
    "an episode with those it must have": (EPISODE, '{"sensor":"fridge","since":0,"what":"silent"}'),
    "an episode for a reason that nobody knows": (
        EPISODE,
        forge.text(EPISODE_NOTE | {"what": "flooded", "limit": -0.5}),
    ),
    "samples that were lost": (GAP, forge.text(GAP_NOTE)),
    "a heartbeat": (HEARTBEAT, forge.text(BEAT)),
    "a heartbeat of no sensors": (HEARTBEAT, '{"from":0,"to":0,"sensors":{}}'),
    "a fault": (FAULT, forge.text(FAULT_NOTE)),
    "a fault that is over": (FAULT, '{"sensor":"fridge","reason":"recovered","detail":""}'),
    "a file": (FILE, forge.text(WOUND)),
    "a file without a byte, and without a word": (FILE, forge.text(WOUND | {"data": "", "text": ""})),
    "the largest file": (FILE, forge.text(WOUND | {"data": b64url(bytes(attachment.MAX_FILE_BYTES))})),
    "a file with the longest name": (FILE, forge.text(WOUND | {"name": "\U0001f321" * 128})),
    "a file of a type with all that a type may have": (
        FILE,
        forge.text(WOUND | {"type": "application/vnd.x-1+a.b_c!#$&^"}),
    ),
    "new limits, all of them": (LIMITS, forge.text(CHANGE)),
    "one new limit": (LIMITS, '{"sensor":"fridge","set":{"high":7}}'),
    "a sensor without limits": (LIMITS, '{"sensor":"fridge","set":{"low":null,"high":null}}'),
    "nothing of what may be set": (
        LIMITS,
        forge.text(CHANGE | {"set": dict.fromkeys(CHANGE["set"])}),
    ),
    "the greatest limits": (LIMITS, '{"sensor":"f","set":{"high":1e12,"low":-1e12,"must_last":86400}}'),
    "a device's settings with all that they may say": (SETTINGS, forge.text(WATCHES)),
    "a device's settings with what they must say": (
        SETTINGS,
        '{"sensors":[{"priority":"medium","sensor":"fridge"}]}',
    ),
    "a device that watches nothing for this reader": (SETTINGS, '{"sensors":[]}'),
    "a message that is handed on": (FORWARD, forge.text(HANDED_ON)),
    "a message without a word that is handed on": (FORWARD, forge.text(HANDED_ON | {"content": ""})),
    "a drill": (DRILL, forge.text(PRACTICE)),
    "the longest drill": (DRILL, forge.text({"text": "\U0001f321" * MAX_DETAIL})),
}

READINGS: dict[str, Edit] = {
    "a reading without a sensor": without("sensor"),
    "a reading without a value": without("value"),
    "a reading of nothing": having(value=None),
    "a reading that is text": having(value="9.4"),
    "a reading that is true": having(value=True),
    "a reading of a sensor without a name": having(sensor=""),
    "a reading of a sensor with a long name": having(sensor="s" * 33),
    "a reading with a time in seconds": having(t=1_800_000_000),
    "a reading of bad quality": having(quality="bad"),
    "a reading with an empty unit": having(unit=""),
    "a reading with a member more": having(more=1),
}

POINT = {"t": 1_800_000_000_000, "value": 9.4}
EPISODES: dict[str, Edit] = {
    "an episode without a sensor": without("sensor"),
    "an episode without what it is about": without("what"),
    "an episode without its beginning": without("since"),
    "an episode about nothing": having(what=""),
    "an episode whose beginning is text": having(since="02:10"),
    "an episode that began before 1970": having(since=-1),
    "an episode whose limit is text": having(limit="8"),
    "an episode of a sensor with a long name": having(sensor="s" * 33),
    "an episode with a long detail": having(detail="d" * (MAX_DETAIL + 1)),
    "an episode with an empty code": having(code=""),
    "an episode with too many readings": having(readings=[POINT] * (MAX_READINGS + 1)),
    "an episode with a reading without a value": having(readings=[{"t": 0}]),
    "an episode with a reading with a member more": having(readings=[POINT | {"more": 1}]),
    "an episode with a member more": having(more=1),
}

GAPS: dict[str, Edit] = {
    **{f"lost samples without {member}": without(member) for member in GAP_NOTE},
    "no samples that were lost": having(lost=0),
    "lost samples with a member more": having(more=1),
}

BEATS: dict[str, Edit] = {
    **{f"a heartbeat without {member}": without(member) for member in BEAT},
    "a heartbeat with a list of sensors": having(sensors=["fridge"]),
    "a heartbeat with half a sample": having(sensors={"fridge": 0.5}),
    "a heartbeat with less than no sample": having(sensors={"fridge": -1}),
    "a heartbeat of a sensor without a name": having(sensors={"": 1}),
    "a heartbeat with a member more": having(more=1),
}

FAULTS: dict[str, Edit] = {
    "a fault without a sensor": without("sensor"),
    "a fault without a reason": without("reason"),
    "a fault without a detail": without("detail"),
    "a fault with an empty reason": having(reason=""),
    "a fault with a member more": having(more=1),
}

FILES: dict[str, Edit] = {
    **{f"a file without {member}": without(member) for member in WOUND},
    "a file one byte too long": having(data=b64url(bytes(attachment.MAX_FILE_BYTES + 1))),
    "a file in plain base64": having(data="+/+/"),
    "a file in padded base64": having(data="AA=="),
    "a file with unused bits that are not zero": having(data=respelled(b64url(b"\0"))),
    "a file without a name": having(name=""),
    "a file with too long a name": having(name="n" * 129),
    "a file in a folder": having(name="a/b"),
    "a file in a folder of another system": having(name="a\\b"),
    "a file with a line break in its name": having(name="a\nb"),
    "a file with a control character in its name": having(name="a\x9bb"),
    "a file whose name turns the direction of writing": having(name="\u202egpj.exe"),
    "a file of no type": having(type=""),
    "a file of half a type": having(type="image"),
    "a file of a type in capitals": having(type="Image/PNG"),
    "a file of a type with parameters": having(type="text/plain;charset=utf-8"),
    "a file with a member more": having(more=1),
}


def setting(**members: object) -> Edit:
    """A change of these limits."""
    return having(set=members)


CHANGES: dict[str, Edit] = {
    **{f"new limits without {member}": without(member) for member in CHANGE},
    "new limits that set nothing": setting(),
    "new limits of a sensor with a long name": having(sensor="s" * 33),
    "new limits of a sensor without a name": having(sensor=""),
    "a new limit that is text": setting(low="2"),
    "a new limit that is true": setting(low=True),
    "a new limit that is too great": setting(high=1e13),
    "a new limit that is too small": setting(low=-1e13),
    "a distance below zero": setting(clear_by=-0.5),
    "a wait below zero": setting(must_last=-1),
    "a wait of more than a day": setting(must_last=86_401),
    "a priority that is none": setting(priority="urgent"),
    "new limits of something else": setting(report_every=1),
    "new limits with a member more": having(more=1),
}


def watching(**members: object) -> Edit:
    """Settings of one sensor, with these members."""
    return having(sensors=[WATCHED | members])


SETTINGS_OF: dict[str, Edit] = {
    "settings without sensors": without("sensors"),
    "settings refused for no reason": having(refused=""),
    "settings refused for a long reason": having(refused="r" * (MAX_DETAIL + 1)),
    "settings of sensors by name": having(sensors={"fridge": WATCHED}),
    "settings of a sensor without a name": watching(sensor=""),
    "settings of a sensor without a priority": having(sensors=[{"sensor": "fridge"}]),
    "settings of a sensor with another priority": watching(priority="urgent"),
    "settings of a sensor whose limit is text": watching(high="7"),
    "settings of a sensor whose limit is too great": watching(high=1e13),
    "settings of a sensor that waits for less than no time": watching(must_last=-1),
    "settings that nobody made": watching(by="alice"),
    "settings that no message asked for": watching(request="yesterday"),
    "settings of a sensor with an empty unit": watching(unit=""),
    "settings of a sensor with a member more": watching(more=1),
    "settings with a member more": having(more=1),
}

FORWARDS: dict[str, Edit] = {
    **{f"a message handed on without {member}": without(member) for member in HANDED_ON},
    "a message handed on about no entry": having(about="e1"),
    "a message handed on with a short key": having(fk=b64url(forge.FK[:31])),
    "a message handed on with a key in another spelling": having(fk=respelled(b64url(forge.FK))),
    "a message handed on of no type": having(cty=""),
    "a message handed on of a type with a space": having(cty="text /plain"),
    "a message handed on with a member more": having(more=1),
}

DRILLS: dict[str, Edit] = {
    "a drill without a text": without("text"),
    "a drill that says nothing": having(text=""),
    "a drill that says too much": having(text="t" * (MAX_DETAIL + 1)),
    "a drill with a member more": having(more=1),
}

TEXTS: dict[str, tuple[str, str]] = {
    "a reading that is not JSON": (READING, "9.x"),
    "a reading that is a number": (READING, "9.4"),
    "a reading that is too great": (READING, '{"sensor":"fridge","value":1e999}'),
    "a fault that is text": (FAULT, '"exit"'),
    "a file that is empty": (FILE, ""),
    "a file in another order": (FILE, reordered(forge.text(WOUND).encode()).decode()),
    "a file with white space": (FILE, forge.text(WOUND).replace(",", ", ", 1)),
}


def cases() -> list[Json]:
    edited: list[tuple[str, Json, dict[str, Edit]]] = [
        (READING, FULL_READING, READINGS),
        (EPISODE, EPISODE_NOTE, EPISODES),
        (GAP, GAP_NOTE, GAPS),
        (HEARTBEAT, BEAT, BEATS),
        (FAULT, FAULT_NOTE, FAULTS),
        (FILE, WOUND, FILES),
        (LIMITS, CHANGE, CHANGES),
        (SETTINGS, WATCHES, SETTINGS_OF),
        (FORWARD, HANDED_ON, FORWARDS),
        (DRILL, PRACTICE, DRILLS),
    ]
    return [
        *(_case(name, cty, content, valid=True) for name, (cty, content) in VALID.items()),
        *(
            _case(name, cty, forge.text(edit(good)), valid=False)
            for cty, good, edits in edited
            for name, edit in edits.items()
        ),
        *(_case(name, cty, content, valid=False) for name, (cty, content) in TEXTS.items()),
    ]


def _case(name: str, cty: str, content: str, *, valid: bool) -> Json:
    return {"content": content, "cty": cty, "name": name, "valid": valid}
