import { expect, test } from "vitest";
import { readJson } from "../../src/proto/encoding";
import { Malformed } from "../../src/proto/errors";
import {
  boolean,
  integer,
  list,
  literal,
  mapped,
  nullable,
  open,
  optional,
  type Shape,
  strict,
  tagged,
  text,
} from "../../src/proto/shape";

const point = { x: integer(-5, 5), y: optional(integer()) };

test("an object has the members that it wants, and those it may have", () => {
  expect(strict(point)({ x: -5 }, "point")).toEqual({ x: -5 });
  expect(strict(point)({ x: 5, y: 0 }, "point")).toEqual({ x: 5, y: 0 });
});

test("a strict object refuses other members, an open one drops them", () => {
  expect(() => strict(point)({ x: 1, z: 1 }, "point")).toThrow('point: unknown member "z"');
  expect(open(point)({ x: 1, z: 1 }, "point")).toEqual({ x: 1 });
});

test("the members that every object inherits are not its own", () => {
  const inherits = open({ constructor: boolean });

  expect(() => inherits({}, "it")).toThrow("it.constructor: is missing");
  expect(() => strict(point)(readJson('{"x":1,"__proto__":{}}', "it"), "it")).toThrow(
    'unknown member "__proto__"',
  );
  expect(open(point)(readJson('{"x":1,"__proto__":{"y":1}}', "it"), "it").y).toBeUndefined();
});

test.each<[string, Shape<unknown>, unknown, string]>([
  ["no object", strict(point), [], "it: want an object, got a list"],
  ["null for an object", strict(point), null, "it: want an object, got null"],
  ["a missing member", strict(point), {}, "it.x: is missing"],
  [
    "null for a missing member",
    strict(point),
    { x: 1, y: null },
    "it.y: want an integer from 0 to 9007199254740991, got null",
  ],
  ["an integer too small", integer(), -1, "got -1"],
  ["an integer too large", integer(0, 3), 4, "it: want an integer from 0 to 3, got 4"],
  ["a fraction", integer(), 0.5, "got 0.5"],
  ["an integer that is not exact", integer(), 2 ** 53, "got 9007199254740992"],
  ["an integer as text", integer(), "1", "got text of length 1"],
  ["another literal", literal("a", "b"), "c", "it: want a or b, got text of length 1"],
  ["a literal of another type", literal(1), true, "it: want 1, got true"],
  ["no boolean", boolean, 0, "it: want true or false, got 0"],
  ["no text", text(), {}, "it: want text, got an object"],
  ["half a surrogate pair", text(), "\udc00", "it: want text, got text of length 1"],
  ["text of another form", text({ pattern: /^a+$/ }), "aab", "it: want text like ^a+$, got text of length 3"],
  ["text and a newline", text({ pattern: /^a+$/ }), "a\n", "got text of length 2"],
  ["text too short", text({ min: 2, max: 3 }), "\u{1f321}", "it: want text of 2 to 3 characters"],
  ["text too long", text({ min: 2, max: 3 }), "\u{1f321}".repeat(4), "got text of length 8"],
  ["text far too long", text({ max: 3 }), "a".repeat(7), "got text of length 7"],
  ["no list", list(integer()), { length: 0 }, "it: want a list, got an object"],
  ["a list too short", list(integer(), 1), [], "it: want 1 to Infinity members, got 0"],
  ["a list too long", list(integer(), 0, 1), [1, 2], "it: want 0 to 1 members, got 2"],
  ["a member of a list", list(integer()), [1, "secret"], "it[1]: want an integer"],
])("what came is told by its kind alone: %s", (_, shape, value, message) => {
  expect(() => shape(value, "it")).toThrow(Malformed);
  expect(() => shape(value, "it")).toThrow(message);
});

test("characters are counted, not units", () => {
  const two = text({ min: 2, max: 3 });

  for (const fits of ["ab", "abc", "\u{1f321}\u{1f321}", "\u{1f321}".repeat(3)])
    expect(two(fits, "it")).toBe(fits);
});

test("what may be null is null or itself", () => {
  expect(nullable(integer())(null, "it")).toBeNull();
  expect(nullable(integer())(1, "it")).toBe(1);
  expect(() => nullable(integer())(undefined, "it")).toThrow("got nothing");
});

test("what follows from a value is made of it, and may refuse it", () => {
  const even = mapped(integer(), (value, what) => {
    if (value % 2) throw new Malformed(`${what}: want it even`);
    return value / 2;
  });

  expect(even(8, "it")).toBe(4);
  expect(() => strict({ half: even })({ half: 7 }, "it")).toThrow("it.half: want it even");
});

test("one of several is told by its tag", () => {
  const shape = tagged("type", {
    circle: strict({ type: literal("circle"), r: integer() }),
    dot: strict({ type: literal("dot") }),
  });

  expect(shape({ type: "circle", r: 1 }, "it")).toEqual({ type: "circle", r: 1 });
  expect(() => shape({ type: "dot", r: 1 }, "it")).toThrow('it: unknown member "r"');
  for (const type of ["square", "constructor", 1, null, undefined, ["dot"]]) {
    expect(() => shape({ type }, "it")).toThrow("it.type: want circle or dot");
  }
});
