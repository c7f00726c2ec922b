"""
A guard in plain words, where that can be done exactly.

What most guards are made of, comparisons joined with "&&", "||" and "!", has a phrase for each. Of a guard with
anything else in it nothing is said here: half of a condition would be another condition.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NoReturn

from msgspec import Struct

from chain.contracts.dialect import Token, tokens_of

NameOf = Callable[[str], str]
"""What people call an account, a group or a contract, by its id."""

Join = Literal["and", "or"]


class _NoWords(Exception):
    """There is something in the guard that has no phrase."""


class Fact(Struct, frozen=True):
    """One comparison, in words, and the opposite."""

    text: str
    opposite: str


class Joined(Struct, frozen=True):
    """Several conditions that all hold, or of which one does; or, with `denied`, not so."""

    by: Join
    parts: "Sequence[Fact | Joined]"
    denied: bool = False


Phrase = Fact | Joined

ALWAYS = Fact("always", "never")
"""Of a guard that is "true" and no more, or of which no more than is understood anyway."""

ALERT = Fact("it is an alert", "it is no alert")
NO_ALERT = Fact(ALERT.opposite, ALERT.text)

_YES: Mapping[str, Fact] = {
    "is_alert": ALERT,
    "is_group": Fact("it is to a group", "it is not to a group"),
    "is_reply": Fact("it refers to an earlier message", "it refers to no earlier message"),
}

_VALUES: Mapping[str, Mapping[str, str]] = {
    "priority": dict.fromkeys(("high", "medium", "low", "info"), ""),
    "kind": dict.fromkeys(("physiological", "technical"), ""),
    "state": dict.fromkeys(("start", "continue", "end"), ""),
    "author_kind": {"person": "a person", "device": "a device", "service": "a service"},
    "author_role": {"admin": "an admin", "member": "a member", "gateway": "the gateway"},
    "role": dict.fromkeys(("admin", "member", "gateway"), ""),
    "type": {
        "contact": "a change of who is in contact with whom",
        "contract": "a contract",
        "group": "a group",
        "invite": "an invitation",
        "key": "new keys of an account",
        "redact": "the erasing of what an entry says",
        "revoke": "a revocation",
    },
    "action": dict.fromkeys(("request", "accept", "remove", "link", "unlink", "install", "set", "end"), ""),
}
"""What a variable may come to, and what that is called where it needs an article."""

_IS: Mapping[str, tuple[str, str]] = {
    "priority": ("its priority is {}", "its priority is not {}"),
    "kind": ("its kind is {}", "its kind is not {}"),
    "state": ("its state is {}", "its state is not {}"),
    "author": ("it is from {}", "it is not from {}"),
    "author_kind": ("it is from {}", "it is not from {}"),
    "author_role": ("it is from {}", "it is not from {}"),
    "author_groups": ("its author is in {}", "its author is not in {}"),
    "to": ("it is to {}", "it is not to {}"),
    "role": ("it gives the role {}", "it does not give the role {}"),
    "type": ("it is about {}", "it is not about {}"),
    "action": ("it is to {}", "it is not to {}"),
    "target": ("it concerns {}", "it does not concern {}"),
}

_HEADER = ("priority", "kind", "state")
"""What is "" for everything but an alert."""

_NAMED = ("author", "author_groups", "target", "to")
"""What holds an id."""

_NUMBERS = {
    ">": "more than {}",
    ">=": "{} or more",
    "<": "less than {}",
    "<=": "{} or less",
    "==": "{}",
    "!=": "not {}",
}
_TIMES = {">": "later than {}", ">=": "{} or later", "<": "earlier than {}", "<=": "{} or earlier"}
_OPPOSITE = {">": "<=", "<=": ">", "<": ">=", ">=": "<", "==": "!=", "!=": "=="}
_TURNED = {">": "<", "<": ">", ">=": "<=", "<=": ">=", "==": "==", "!=": "!="}

_HOURS = (
    ("time", "/", "3600000", "%", "24"),
    ("(", "time", "/", "3600000", ")", "%", "24"),
)
"""How a guard asks for the hour of the day."""

_MEASURES = {"size": "its size in bytes is", "hour": "the hour of the day in UTC is"}

_MOST_YEARS_MS = 253_370_764_800_000
"""Until the year 9999 a time has a date."""


def of(source: str, name_of: NameOf) -> Phrase | None:
    """The condition that a guard says; `None` if there is something in it that has no phrase."""
    tokens = tokens_of(source)
    if tokens[0].text == "true" and tokens[1].kind == "end":
        return ALWAYS
    try:
        return _Speaker(tokens, name_of).whole()
    except _NoWords:
        return None


def without(phrase: Phrase, known: Fact) -> Phrase:
    """What is left to say where `known` is understood."""
    if phrase == known:
        return ALWAYS
    if isinstance(phrase, Joined) and phrase.by == "and" and not phrase.denied:
        left = [part for part in phrase.parts if part != known]
        return _joined("and", left) if left else ALWAYS
    return phrase


def asks(phrase: Phrase, fact: Fact) -> bool:
    """Whether the condition holds for nothing but what `fact` is true of, and says so."""
    if isinstance(phrase, Fact):
        return phrase == fact
    return phrase.by == "and" and not phrase.denied and any(asks(part, fact) for part in phrase.parts)


def told(phrase: Phrase) -> str:
    """In one clause; what is joined within it stands in brackets, and no comma stands in anything else."""
    if isinstance(phrase, Fact):
        return phrase.text
    parts = [
        told(part) if isinstance(part, Fact) or part.denied else f"({told(part)})" for part in phrase.parts
    ]
    text = f", {phrase.by} ".join(parts)
    return f"not ({text})" if phrase.denied else text


class _Speaker:
    """Reads a guard that the dialect admits, and gives up where there is no phrase."""

    def __init__(self, tokens: Sequence[Token], name_of: NameOf) -> None:
        self._tokens = tokens
        self._name_of = name_of
        self._index = 0

    def whole(self) -> Phrase:
        phrase = self._either()
        return phrase if self._tokens[self._index].kind == "end" else _give_up()

    def _either(self) -> Phrase:
        parts = [self._both()]
        while self._took("||"):
            parts.append(self._both())
        return _joined("or", parts)

    def _both(self) -> Phrase:
        parts = [self._one()]
        while self._took("&&"):
            parts.append(self._one())
        return _joined("and", parts)

    def _one(self) -> Phrase:
        if self._took("!"):
            return _turned(self._bracketed() if self._ahead("(") else self._yes())
        if self._ahead("(") and not self._starts(_HOURS[1]):
            return self._bracketed()
        return self._yes() if self._tokens[self._index].text in _YES else self._compared()

    def _bracketed(self) -> Phrase:
        self._need("(")
        phrase = self._either()
        self._need(")")
        return phrase if self._is_complete() else _give_up()

    def _yes(self) -> Phrase:
        fact = _YES.get(self._next().text)
        return fact if fact is not None and self._is_complete() else _give_up()

    def _compared(self) -> Phrase:
        left, sign, right = self._side(), self._next().text, self._side()
        if not self._is_complete():
            _give_up()
        if sign == "in":
            return self._is_in(left, right)
        if sign not in _TURNED:
            _give_up()
        if isinstance(left, int | list) and isinstance(right, str):
            left, sign, right = right, _TURNED[sign], left
        if not isinstance(left, str):
            _give_up()
        if isinstance(right, int):
            return _number(left, sign, right)
        if isinstance(right, list) and len(right) == 1 and sign in {"==", "!="}:
            fact = self._is_one_of(left, right)
            return fact if sign == "==" else _turned(fact)
        return _give_up()

    def _is_in(self, left: "str | int | list[str]", right: "str | int | list[str]") -> Phrase:
        if right == "author_groups" and isinstance(left, list) and len(left) == 1:
            return self._is_one_of("author_groups", left)
        if isinstance(left, str) and isinstance(right, list):
            return self._is_one_of(left, right)
        return _give_up()

    def _side(self) -> "str | int | list[str]":
        """A variable by its name, a number, or one or more texts."""
        for spelling in _HOURS:
            if self._starts(spelling):
                self._index += len(spelling)
                return "hour"
        token = self._next()
        if token.kind == "text":
            return [token.text[1:-1]]
        if token.kind == "number":
            return int(token.text)
        if token.kind == "word":
            return token.text
        if token.text != "[":
            _give_up()
        texts = [self._text()]
        while self._took(","):
            texts.append(self._text())
        self._need("]")
        return texts

    def _text(self) -> str:
        token = self._next()
        return token.text[1:-1] if token.kind == "text" else _give_up()

    def _is_one_of(self, variable: str, values: list[str]) -> Phrase:
        if variable in _HEADER and values == [""]:
            return NO_ALERT
        if variable not in _IS or "" in values:
            _give_up()
        text, opposite = _IS[variable]
        called = [self._called(variable, value) for value in values]
        return Fact(text.format(" or ".join(called)), opposite.format(" and not ".join(called)))

    def _called(self, variable: str, value: str) -> str:
        if variable in _NAMED:
            return f"'{self._name_of(value)}'"
        known = _VALUES[variable]
        return (known[value] or value) if value in known else f'"{value}" (which it never is)'

    def _next(self) -> Token:
        token = self._tokens[self._index]
        if token.kind != "end":
            self._index += 1
        return token

    def _ahead(self, sign: str) -> bool:
        token = self._tokens[self._index]
        return token.kind == "sign" and token.text == sign

    def _took(self, sign: str) -> bool:
        found = self._ahead(sign)
        self._index += found
        return found

    def _need(self, sign: str) -> None:
        if not self._took(sign):
            _give_up()

    def _starts(self, texts: Sequence[str]) -> bool:
        ahead = self._tokens[self._index : self._index + len(texts)]
        return [token.text for token in ahead] == list(texts)

    def _is_complete(self) -> bool:
        """Whether what was read is a condition by itself, and no part of a comparison or calculation."""
        token = self._tokens[self._index]
        return token.kind == "end" or token.text in {"&&", "||", ")"}


def _number(variable: str, sign: str, value: int) -> Phrase:
    if variable == "time":
        if sign not in _TIMES or value > _MOST_YEARS_MS or value % 1000:
            _give_up()
        date = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(value // 1000))
        return Fact(f"it is {_TIMES[sign].format(date)}", f"it is {_TIMES[_OPPOSITE[sign]].format(date)}")
    if variable not in _MEASURES:
        _give_up()
    text, opposite = (_NUMBERS[each].format(value) for each in (sign, _OPPOSITE[sign]))
    return Fact(f"{_MEASURES[variable]} {text}", f"{_MEASURES[variable]} {opposite}")


def _joined(by: Join, parts: Sequence[Phrase]) -> Phrase:
    """One condition of several; of one, itself."""
    if len(parts) == 1:
        return parts[0]
    flat: list[Phrase] = []
    for part in parts:
        same = isinstance(part, Joined) and part.by == by and not part.denied
        flat += part.parts if isinstance(part, Joined) and same else [part]
    return Joined(by, tuple(flat))


def _turned(phrase: Phrase) -> Phrase:
    """The opposite. Of several alternatives, it is that none holds."""
    if isinstance(phrase, Fact):
        return Fact(phrase.opposite, phrase.text)
    if phrase.denied:
        return Joined(phrase.by, phrase.parts)
    if all(isinstance(part, Fact) for part in phrase.parts):
        return Joined("and" if phrase.by == "or" else "or", tuple(_turned(part) for part in phrase.parts))
    return Joined(phrase.by, phrase.parts, denied=True)


def _give_up() -> NoReturn:
    raise _NoWords
