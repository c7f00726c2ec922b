"""The test accounts of `keys.json`. Their private keys are published there: never use them elsewhere."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from chain.encoding import canonical
from device.identity import KeySet

FOLDER = Path(__file__).parent
NAMES = ("alice", "bob", "carol", "dave", "mallory")
"""`dave` has an RSA key of 2048 bits, the others of 3072."""

ENTRY = "0197b2c4-5d6e-7f80-9a1b-2c3d4e5f6071"
OTHER_ENTRY = "0197b2c4-5d6e-7f80-9a1b-2c3d4e5f6072"


def document() -> Any:
    return json.loads((FOLDER / "keys.json").read_text("utf-8"))


@cache
def person(name: str) -> KeySet:
    return KeySet.from_json(canonical(document()["accounts"][name]))


def vectors(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
