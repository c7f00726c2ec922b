"""
The part of CEL that a guard may be written in.

    choice   = either [ "?" either ":" choice ]
    either   = both { "||" both }
    both     = relation { "&&" relation }
    relation = sum { ( "==" | "!=" | "<" | "<=" | ">" | ">=" | "in" ) sum }
    sum      = product { ( "+" | "-" ) product }
    product  = unary { ( "*" | "/" | "%" ) unary }
    unary    = [ "!" | "-" ] value
    value    = whole number | text | "true" | "false" | variable | "size" "(" choice ")"
             | "[" choice { "," choice } "]" | "(" choice ")"

It is read here before the engine sees it, because the engine's parser takes much more than a guard needs, and some of
that costs without bound. What this reader admits has a bounded length and depth, no loops and one type, and means in
CEL what it says here (the CEL specification, "Syntax" and "Evaluation"). Nothing is evaluated here.
"""

import re
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from chain.errors import Malformed

Type = Literal["int", "bool", "string", "strings"]
"""What a variable holds: a whole number of 64 bits, a condition, a text, or a list of texts."""

MAX_BYTES = 2048
MAX_TOKENS = 256
MAX_DEPTH = 16
"""Half of what the engine's parser takes, which counts in its own way."""
MAX_ITEMS = 64

_LOWEST, _HIGHEST = -(2**63), 2**63 - 1
_DIGITS = 19
_SHOWN = 40

# ASCII alone in a text: every value that a guard can be asked about is, and no letter looks like another.
_TOKEN = re.compile(
    r"""
    (?P<space>  [ \t\r\n]+ )
  | (?P<number> (?: 0 | [1-9][0-9]* ) (?! [0-9A-Za-z_.] ) )
  | (?P<word>   [A-Za-z_][A-Za-z0-9_]* )
  | (?P<text>   " [ !\#-\[\]-~]* " | ' [ -&(-\[\]-~]* ' )
  | (?P<sign>   && | \|\| | [=!<>]= | [-+*/%<>!?:(),\[\]] )
    """,
    re.VERBOSE,
)

_HINTS = {
    **dict.fromkeys("0123456789", "numbers are whole and decimal, as 5 or 120"),
    **dict.fromkeys("\"'", "a text ends on its line, and has plain characters without a backslash"),
    "=": 'two things are compared with "=="',
    "&": '"and" is written "&&"',
    "|": '"or" is written "||"',
    ".": "a guard has no fractions, fields or methods",
    "{": "a guard has no maps",
}

_WORDS = {
    "int": "a number",
    "bool": "a condition",
    "string": "a text",
    "strings": "a list of texts",
    "ints": "a list of numbers",
}

_LISTS: Mapping[str, Literal["strings", "ints"]] = {"string": "strings", "int": "ints"}
_COMPARED = ("==", "!=", "<", "<=", ">", ">=", "in")


class BadGuard(Malformed):
    """The text is no guard: says where and why."""

    def __init__(self, reason: str, *, line: int = 1, column: int = 1) -> None:
        super().__init__(f"line {line}, column {column}: {reason}")
        self.reason = reason
        self.line = line
        self.column = column
        """Both count from 1, in characters."""


class Token(NamedTuple):
    """A number, word, text or sign of a guard, or its end; `at` which character."""

    kind: str
    text: str
    at: int


class _Part(NamedTuple):
    """What a part of a guard comes to, and how many levels it is made of."""

    type: Type | Literal["ints"]
    depth: int = 1


def variables_of(source: str, variables: Mapping[str, Type]) -> frozenset[str]:
    """The variables that a guard looks at. Raises BadGuard unless it is one, and comes to true or false."""
    reader = _Reader(source, variables)
    whole = reader.choice()
    if reader.token.kind != "end":
        raise reader.bad(f"want an operator such as '==' or '&&', or the end, got {_shown(reader.token)}")
    if whole.type != "bool":
        raise BadGuard(f"a guard comes to true or false, and this is {_WORDS[whole.type]}")
    return frozenset(reader.used)


def tokens_of(source: str) -> list[Token]:
    """The parts of a guard, without the space between them; raise BadGuard."""
    if len(source) > MAX_BYTES:
        raise BadGuard(f"too long: want at most {MAX_BYTES} characters, got {len(source)}")
    tokens = []
    at = 0
    while at < len(source):
        match = _TOKEN.match(source, at)
        if match is None:
            hint = _HINTS.get(source[at], "a guard has no such character")
            raise _bad(source, at, f"unexpected {source[at]!a}: {hint}")
        if match.lastgroup != "space":
            tokens.append(Token(str(match.lastgroup), match.group(), at))
        at = match.end()
    if len(tokens) > MAX_TOKENS:
        raise BadGuard(f"too long: want at most {MAX_TOKENS} words, numbers and signs, got {len(tokens)}")
    return [*tokens, Token("end", "", at)]


def _bad(source: str, at: int, reason: str) -> BadGuard:
    before = source[:at]
    return BadGuard(reason, line=before.count("\n") + 1, column=at - before.rfind("\n"))


def _shown(token: Token) -> str:
    if token.kind == "end":
        return "the end"
    return repr(token.text if len(token.text) <= _SHOWN else token.text[:_SHOWN] + "...")


class _Reader:
    """Reads one guard from left to right, each word once."""

    def __init__(self, source: str, variables: Mapping[str, Type]) -> None:
        self.used: set[str] = set()
        self._source = source
        self._variables = variables
        self._tokens = tokens_of(source)
        self._index = 0
        self._inside = 0

    @property
    def token(self) -> Token:
        return self._tokens[self._index]

    def bad(self, reason: str, at: Token | None = None) -> BadGuard:
        return _bad(self._source, (at or self.token).at, reason)

    def choice(self) -> _Part:
        self._inside += 1
        if self._inside > MAX_DEPTH:
            raise self._too_deep(self.token)
        part = self._either()
        if sign := self._took("?"):
            self._want(part, "bool", sign)
            one = self._either()
            colon = self._expect(":")
            other = self.choice()
            if one.type != other.type:
                raise self.bad(f"one side is {_WORDS[one.type]}, the other {_WORDS[other.type]}", colon)
            part = self._made(one.type, sign, part, one, other)
        self._inside -= 1
        return part

    def _either(self) -> _Part:
        return self._joined("||", self._both)

    def _both(self) -> _Part:
        return self._joined("&&", self._relation)

    def _joined(self, sign: str, reads: Callable[[], _Part]) -> _Part:
        parts = [reads()]
        while joint := self._took(sign):
            self._want(parts[-1], "bool", joint)
            parts.append(reads())
            self._want(parts[-1], "bool", joint)
        return parts[0] if len(parts) == 1 else self._made("bool", self.token, *parts)

    def _relation(self) -> _Part:
        left = self._sum()
        while sign := self._took(*_COMPARED):
            right = self._sum()
            if sign.text == "in":
                self._want_member(left, right, sign)
            elif sign.text in {"==", "!="}:
                self._want_alike(left, right, sign)
            else:
                self._want_numbers(left, right, sign)
            left = self._made("bool", sign, left, right)
        return left

    def _sum(self) -> _Part:
        return self._calculated(("+", "-"), self._product)

    def _product(self) -> _Part:
        return self._calculated(("*", "/", "%"), self._unary)

    def _calculated(self, signs: tuple[str, ...], reads: Callable[[], _Part]) -> _Part:
        left = reads()
        while sign := self._took(*signs):
            right = reads()
            self._want_numbers(left, right, sign)
            left = self._made("int", sign, left, right)
        return left

    def _unary(self) -> _Part:
        sign = self._took("!", "-")
        if sign is None:
            return self._value()
        if self.token.text in {"!", "-"}:
            # In CEL two minus signs cancel before anything can overflow. Nobody has to know that.
            raise self.bad(f"two signs in a row: want brackets after {_shown(sign)}")
        if sign.text == "-" and self.token.kind == "number":
            return self._number(negative=True)
        part = self._value()
        self._want(part, "bool" if sign.text == "!" else "int", sign)
        return self._made(part.type, sign, part)

    def _value(self) -> _Part:
        token = self.token
        if token.kind == "number":
            return self._number(negative=False)
        if token.kind == "text":
            self._index += 1
            return _Part("string")
        if token.kind == "word" and token.text != "in":
            self._index += 1
            return self._named(token)
        if self._took("("):
            part = self.choice()
            self._expect(")")
            return part
        if self._took("["):
            return self._list(token)
        raise self.bad(f"want a value, got {_shown(token)}")

    def _number(self, *, negative: bool) -> _Part:
        digits = self.token.text
        # Long enough to be out of range is not worth the conversion.
        value = int(digits) if len(digits) <= _DIGITS else _HIGHEST + 2
        if not _LOWEST <= (-value if negative else value) <= _HIGHEST:
            raise self.bad(f"want a number from {_LOWEST} to {_HIGHEST}, got {_shown(self.token)}")
        self._index += 1
        return _Part("int")

    def _named(self, word: Token) -> _Part:
        if bracket := self._took("("):
            if word.text != "size":
                raise self.bad(f"no function {_shown(word)}: there is size(...) alone", word)
            part = self.choice()
            self._expect(")")
            if part.type not in _LISTS.values():
                raise self.bad(f"size(...) counts a list, got {_WORDS[part.type]}", bracket)
            return self._made("int", word, part)
        if word.text in {"true", "false"}:
            return _Part("bool")
        if word.text not in self._variables:
            known = ", ".join(self._variables)
            raise self.bad(f"no variable {_shown(word)}: there are {known}", word)
        self.used.add(word.text)
        return _Part(self._variables[word.text])

    def _list(self, bracket: Token) -> _Part:
        items = [self.choice()]
        while comma := self._took(","):
            items.append(self.choice())
            self._want(items[-1], items[0].type, comma)
            if len(items) > MAX_ITEMS:
                raise self.bad(f"want at most {MAX_ITEMS} things in a list", comma)
        self._expect("]")
        kind = _LISTS.get(items[0].type)
        if kind is None:
            raise self.bad(f"want texts or numbers in a list, got {_WORDS[items[0].type]}", bracket)
        return self._made(kind, bracket, *items)

    def _want(self, part: _Part, kind: str, at: Token) -> None:
        if part.type != kind:
            raise self.bad(f"{_shown(at)} wants {_WORDS[kind]} here, got {_WORDS[part.type]}", at)

    def _want_alike(self, left: _Part, right: _Part, at: Token) -> None:
        for part in (left, right):
            if part.type in _LISTS.values():
                raise self.bad(f'{_shown(at)} compares no lists: use "in"', at)
        if left.type != right.type:
            raise self.bad(
                f"{_shown(at)} wants two alike, got {_WORDS[left.type]} and {_WORDS[right.type]}", at
            )

    def _want_numbers(self, left: _Part, right: _Part, at: Token) -> None:
        for part in (left, right):
            if part.type != "int":
                raise self.bad(f"{_shown(at)} wants two numbers, got {_WORDS[part.type]}", at)

    def _want_member(self, left: _Part, right: _Part, at: Token) -> None:
        wanted = _LISTS.get(left.type)
        if wanted is None:
            raise self.bad(f"'in' looks for a text or a number, got {_WORDS[left.type]}", at)
        if right.type != wanted:
            raise self.bad(f"'in' wants {_WORDS[wanted]} after it, got {_WORDS[right.type]}", at)

    def _made(self, kind: Type | Literal["ints"], at: Token, *parts: _Part) -> _Part:
        depth = 1 + max(part.depth for part in parts)
        if depth > MAX_DEPTH:
            raise self._too_deep(at)
        return _Part(kind, depth)

    def _too_deep(self, at: Token) -> BadGuard:
        return self.bad(f"too deep: want at most {MAX_DEPTH} levels of brackets and calculations", at)

    def _took(self, *signs: str) -> Token | None:
        token = self.token
        if token.kind in {"sign", "word"} and token.text in signs:
            self._index += 1
            return token
        return None

    def _expect(self, sign: str) -> Token:
        token = self._took(sign)
        if token is None:
            raise self.bad(f"want {sign!r}, got {_shown(self.token)}")
        return token
