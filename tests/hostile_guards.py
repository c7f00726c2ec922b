"""
Texts that somebody might send as a guard to hang, crash or fill whoever reads it, and what becomes of each.

`python -m tests.hostile_guards` tries all of them within 20 s of processor time and 256 MB, and prints
what became of them.
"""

import json
import resource
import sys
from typing import Literal

from chain.contracts.dialect import MAX_ITEMS, MAX_TOKENS, Type
from chain.contracts.guard import BadGuard, GuardFailed, compiled

Fate = Literal["refused", "failed", "true", "false"]

SECONDS = 20
MEMORY = 256 * 1024 * 1024

VARIABLES: dict[str, Type] = {"a": "int", "b": "bool", "t": "string", "s": "strings", "type": "string"}
VALUES = {"a": 5, "b": True, "t": "x", "s": ["x", "y"], "type": "key"}

_TERMS = MAX_TOKENS // 4  # "a", "==", "1" and "||" are four words of a guard

FATES: dict[str, tuple[str, Fate]] = {
    # As large as a guard can be.
    "longest sum of conditions": ("||".join(["a==1"] * _TERMS), "false"),
    "longest or": ("||".join(["b"] * (MAX_TOKENS // 2)), "true"),
    "longest and": ("&&".join(["b"] * (MAX_TOKENS // 2)), "true"),
    "longest list": (f"a in [{','.join(['1'] * MAX_ITEMS)}]", "false"),
    "longest text": (f't == "{"x" * 2000}"', "false"),
    "deepest brackets": ("(" * 15 + "b" + ")" * 15, "true"),
    "deepest not": ("!(" * 14 + "b" + ")" * 14, "true"),
    "deepest minus": ("-(" * 14 + "a" + ")" * 14 + " > 0", "true"),
    "deepest choice": ("b ? b : " * 15 + "b", "true"),
    "longest calculation": ("a" + " + a" * 14 + " > 0", "true"),
    "deepest lists": ("size([" * 7 + "a" + "])" * 7 + " == 1", "true"),
    "mostly blanks": (" " * 2047 + "b", "true"),
    "mostly lines": ("\n" * 2047 + "b", "true"),
    # Larger than that.
    "one condition more": ("||".join(["a==1"] * (_TERMS + 1)), "refused"),
    "one thing more": (f"a in [{','.join(['1'] * (MAX_ITEMS + 1))}]", "refused"),
    "one bracket more": ("(" * 16 + "b" + ")" * 16, "refused"),
    "one sum more": ("a" + " + a" * 16 + " > 0", "refused"),
    "ten thousand brackets": ("(" * 10_000 + "b" + ")" * 10_000, "refused"),
    "a thousand brackets": ("(" * 1000 + "b" + ")" * 1000, "refused"),
    "brackets that stay open": ("(" * 2000, "refused"),
    "lists that stay open": ("[" * 2000, "refused"),
    "maps that stay open": ("{" * 2000, "refused"),
    "lists in lists": ("[" * 100 + "1" + "]" * 100 + " == []", "refused"),
    "two kilobytes of not": ("!" * 2047 + "b", "refused"),
    "two kilobytes of minus": ("-" * 2044 + "a>0", "refused"),
    "long sum": ("1" + "+1" * 1000 + ">0", "refused"),
    "chained comparison": ("b" + "==b" * 500, "refused"),
    "choices without end": ("b?b:" * 500 + "b", "refused"),
    "choices within choices": ("b?" * 300 + "b" + ":b" * 300, "refused"),
    "a megabyte": ("b" * 1_000_000, "refused"),
    "a megabyte of blanks": (" " * 1_000_000, "refused"),
    "a megabyte of or": ("b||" * 333_333 + "b", "refused"),
    "wide letters": ("\U0001f600" * 600, "refused"),
    # Numbers.
    "division by zero": ("1 / (a - 5) == 1", "failed"),
    "division by nothing else": ("1 / 0 == 1", "failed"),
    "rest by zero": ("1 % (a - 5) == 1", "failed"),
    "beyond the top": ("9223372036854775807 + a > 0", "failed"),
    "beyond the bottom": ("-9223372036854775808 - a < 0", "failed"),
    "beyond by product": ("9223372036854775807 * a > 0", "failed"),
    "beyond by sign": ("-(-9223372036854775808) > 0", "failed"),
    "beyond by division": ("-9223372036854775808 / -1 > 0", "failed"),
    "beyond by rest": ("-9223372036854775808 % -1 == 0", "failed"),
    "failure that does not matter": ("b || 1 / 0 == 1", "true"),
    "failure first that does not matter": ("1 / 0 == 1 || b", "true"),
    "failure on the other side": ("b ? b : 1 / 0 == 1", "true"),
    "lowest number": ("-9223372036854775808 < a", "true"),
    "one more than the highest": ("a < 9223372036854775808", "refused"),
    "one less than the lowest": ("a > -9223372036854775809", "refused"),
    "lowest number in brackets": ("-(9223372036854775808) < a", "refused"),
    "two kilobytes of nines": ("9" * 2040 + ">a", "refused"),
    "fraction": ("1.5 > 1.0", "refused"),
    "exponent": ("1e308 > 0.0", "refused"),
    "exponent without an end": ("1e999999999 > 0.0", "refused"),
    "point first": (".5 > a", "refused"),
    "unsigned": ("1u == 1u", "refused"),
    "hexadecimal": ("0x10 == 16", "refused"),
    "leading zero": ("007 == 7", "refused"),
    "underscore": ("1_000 == 1000", "refused"),
    "other digits": ("\u0661 == 1", "refused"),
    "not a number": ("NaN == NaN", "refused"),
    # Texts.
    "raw text": (r"r'\n' == t", "refused"),
    "bytes": ("b'a' == b'a'", "refused"),
    "three quotes": ('"""x""" == t', "refused"),
    "empty in three quotes": ("'''''' == t", "refused"),
    "text that does not end": ('t == "x', "refused"),
    "text over two lines": ('t == "x\ny"', "refused"),
    "escape": (r'"\x78" == t', "refused"),
    "escape of an octal": (r'"\170" == t', "refused"),
    "escape of half a letter": (r'"\ud800" == t', "refused"),
    "half a letter": ('"\ud800" == t', "refused"),
    "letter that looks like another": ('t == "\u0445"', "refused"),
    "turned around": ('t == "\u202e"', "refused"),
    "nul in a text": ('t == "\0"', "refused"),
    "nul after": ("b\0", "refused"),
    "nul instead": ("\0" * 100, "refused"),
    "byte order mark": ("\ufeffb", "refused"),
    "wide blank": ("b\u00a0", "refused"),
    "line separator": ("b\u2028", "refused"),
    "form feed": ("b\f", "refused"),
    "backtick": ("`b`", "refused"),
    "text doubled again and again": ('((t+t)+(t+t))+((t+t)+(t+t)) == "x"', "refused"),
    "text times a number": ("t * 1000000000 == t", "refused"),
    "list doubled": ("size((s+s)+(s+s)) == 8", "refused"),
    "text compared by size": ('t < "y"', "refused"),
    "size of a text": ("size(t) == 1", "refused"),
    "pattern": ('t.matches("(a+)+$")', "refused"),
    "pattern as a function": ('matches(t, "(a|a)*b")', "refused"),
    # Words.
    "macro": ("s.all(x, x == t)", "refused"),
    "macros in macros": ("s.all(x, s.all(y, s.all(z, s.exists(w, w == x))))", "refused"),
    "map macro": ("size(s.map(x, s.map(y, s))) > 0", "refused"),
    "filter macro": ("size(s.filter(x, true)) > 0", "refused"),
    "has": ("has(s.a)", "refused"),
    "dyn": ("dyn(a) == dyn(t)", "refused"),
    "type of": ("type(a) == int", "refused"),
    "type alone": ("type", "refused"),
    "variable called type": ('type == "key"', "true"),
    "type denotation": ("int == int", "refused"),
    "null": ("null == null", "refused"),
    "timestamp": ('timestamp("9999-12-31T23:59:59Z") > timestamp("0001-01-01T00:00:00Z")', "refused"),
    "duration": ('duration("1000000h") > duration("1s")', "refused"),
    "conversion": ('int("5") == a', "refused"),
    "message": ("google.protobuf.Struct{} == google.protobuf.Struct{}", "refused"),
    "map": ('{"a": 1}["a"] == 1', "refused"),
    "index": ('s[0] == "x"', "refused"),
    "index of a list": ("[1, 2][0] == 1", "refused"),
    "field": ("a.b.c", "refused"),
    "from the root": (".b", "refused"),
    "container": ("guard.b", "refused"),
    "function of nothing": ("size()", "refused"),
    "function of two": ("size(s, s) == 2", "refused"),
    "unknown variable": ("c == 1", "refused"),
    "two kilobytes of name": ("q" * 2048, "refused"),
    "dunder": ("__class__", "refused"),
    "reserved word": ("while", "refused"),
    "in alone": ("in in in", "refused"),
    "comment": ("b // a comment", "refused"),
    "comment alone": ("//", "refused"),
    "other comment": ("b /* c */", "refused"),
    # Forms.
    "nothing": ("", "refused"),
    "blanks": (" \t\r\n", "refused"),
    "no operator": ("b b", "refused"),
    "no operand": ("b &&", "refused"),
    "operator first": ("&& b", "refused"),
    "single and": ("b & b", "refused"),
    "single equals": ("a = 5", "refused"),
    "triple equals": ("a === 5", "refused"),
    "other unequal": ("a <> 5", "refused"),
    "plus first": ("+a == 5", "refused"),
    "plus twice": ("a ++ 5 == 10", "refused"),
    "two minus": ("--a == 5", "refused"),
    "not minus": ("!-a", "refused"),
    "empty list": ("a in []", "refused"),
    "comma last": ("a in [5,]", "refused"),
    "comma first": ("a in [,5]", "refused"),
    "list of both": ('a in [5, "x"]', "refused"),
    "list of conditions": ("b in [true]", "refused"),
    "two lists": ("s == s", "refused"),
    "number for a condition": ("a ? b : b", "refused"),
    "half a choice": ("b ? b", "refused"),
    "choice in the middle": ("b ? b ? b : b : b", "refused"),
    "condition in between": ("1 < a < 9", "refused"),
    "not a condition": ("a + 1", "refused"),
    "semicolon": ("b; b", "refused"),
    "statement": ("b = true", "refused"),
    "template": ("${b}", "refused"),
    "language": ("__import__('os').system('id')", "refused"),
}


def fate(source: str) -> Fate:
    try:
        guard = compiled(source, VARIABLES)
    except BadGuard:
        return "refused"
    try:
        return "true" if guard.holds(VALUES) else "false"
    except GuardFailed:
        return "failed"


def main() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    json.dump({name: fate(source) for name, (source, _) in FATES.items()}, sys.stdout)


if __name__ == "__main__":
    main()
