"""Recovery codes for `recovery.json`: as shown, as people type them, and what is none."""

from chain.encoding import b64url
from device import password, recovery
from device.backup import wrap_backup
from tests.vectors.forge import Drawn, Json

CODES = {
    "random": Drawn("recovery code")(recovery.CODE_BYTES),
    "nothing but zeros": bytes(recovery.CODE_BYTES),
    "nothing but ones": b"\xff" * recovery.CODE_BYTES,
    "every letter that a digit is taken for": bytes.fromhex("7202e405ce405ce405ce405ce405ce40"),
}

GOOD = recovery.shown(CODES["random"])

MALFORMED = {
    "empty": "",
    "nothing but dashes": "----",
    "a letter less": GOOD[:-1],
    "a letter more": f"{GOOD}A",
    "a 9, which no letter looks like": f"9{GOOD[1:]}",
    "padded": f"{GOOD}======",
    "a letter that is not ASCII": f"\u00c4{GOOD[1:]}",
    "a full-width letter": f"{chr(ord(GOOD[0]) + 0xFEE0)}{GOOD[1:]}",
    "dots between the groups": GOOD.replace("-", "."),
    "unused bits that are not zero": f"{GOOD[:-1]}{chr(ord(GOOD[-1]) + 1)}",
}


def cases() -> list[Json]:
    return [*(_code(name, code) for name, code in CODES.items()), *map(_malformed, MALFORMED.items())]


def _code(name: str, code: bytes) -> Json:
    keys = recovery.derive(code)
    return {
        "auth": b64url(keys.auth),
        "backup": wrap_backup(b"the private keys", keys.wrap, Drawn(name)),
        "code": b64url(code),
        "name": name,
        "secret": "the private keys",
        "shown": recovery.shown(code),
        "typed": _typed(recovery.shown(code)),
        "verifier": b64url(password.verifier(keys.auth)),
        "wrap": b64url(keys.wrap),
    }


def _typed(shown: str) -> list[str]:
    """One code as different people type it."""
    return [
        shown,
        shown.lower(),
        shown.replace("-", ""),
        shown.replace("-", " "),
        shown.replace("-", " \u2013\u00a0"),
        f"  {shown}\r\n",
        shown.translate(str.maketrans("OIB", "018")),
        shown.lower().translate(str.maketrans("oib", "018")),
    ]


def _malformed(item: tuple[str, str]) -> Json:
    name, typed = item
    return {"code": None, "name": name, "typed": [typed]}
