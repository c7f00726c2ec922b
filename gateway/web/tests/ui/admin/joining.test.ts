import { afterEach, expect, test, vi } from "vitest";
import type { InviteRow } from "../../../src/model";
import {
  chosenCodes,
  hoursOf,
  isThisMachine,
  joinLink,
  stateOfCode,
  triesLeft,
  wrongWithHandle,
} from "../../../src/ui/admin/joining";
import { takeJoinString } from "../../../src/ui/route";

afterEach(() => {
  vi.unstubAllGlobals();
});

const TAKEN = new Set(["dr.lee"]);

test.each(["", "a", "0", "dr.kim", "fridge-2", "a_b", "x".repeat(32)])("%j can be a handle", (handle) => {
  expect(wrongWithHandle(handle, TAKEN)).toBeNull();
});

test.each([
  ["dr lee", "no spaces"],
  ["Dr.lee", "Small letters"],
  [".lee", "Begin with"],
  ["-lee", "Begin with"],
  ["élan", "Begin with"],
  ["josé", "“é” cannot be"],
  ["a/b", "“/” cannot be"],
  ["x".repeat(33), "At most 32 characters. It has 33."],
  ["dr.lee", "Somebody has this handle already."],
])("%j cannot, and is told why", (handle, why) => {
  expect(wrongWithHandle(handle, TAKEN)).toContain(why);
});

test("a code works for a whole number of hours, from 1 to 24", () => {
  expect(["1", "24"].map(hoursOf)).toEqual([1, 24]);
  expect(["", "0", "25", "1.5", "-3", "one"].map(hoursOf)).toEqual([null, null, null, null, null, null]);
});

function code(id: string, more: Partial<InviteRow>): InviteRow {
  return {
    id,
    kind: "person",
    role: "member",
    expires: 100,
    handle: id,
    author: "kim",
    usedBy: null,
    index: 0,
    dead: false,
    ...more,
  };
}

test("a code that was used is used, also once it would have expired", () => {
  expect(stateOfCode({ usedBy: "lee", expires: 100, dead: false }, 200)).toBe("used");
  expect(stateOfCode({ usedBy: null, expires: 100, dead: true }, 100)).toBe("expired");
  expect(stateOfCode({ usedBy: null, expires: 100, dead: false }, 99)).toBe("open");
  expect(stateOfCode({ usedBy: null, expires: 100, dead: true }, 99)).toBe("dead");
});

test("open codes come first, the newest first within", () => {
  const codes = [
    code("used", { usedBy: "lee", index: 9 }),
    code("old", { index: 2 }),
    code("late", { expires: 10, index: 8 }),
    code("new", { index: 5 }),
  ];
  const ids = (wanted: Parameters<typeof chosenCodes>[1]) =>
    chosenCodes(codes, wanted, 50).map((each) => each.id);
  expect(ids("all")).toEqual(["new", "old", "used", "late"]);
  expect(ids("expired")).toEqual(["late"]);
});

test.each(["ward-3.example:443/gw/secret", "[fd00::1]:8443/gw/secret"])(
  "the link of %s is what the page takes a join string from",
  (string) => {
    const { hash } = new URL(joinLink("https://ward-3.example", string));
    vi.stubGlobal("window", { location: { hash }, history: { replaceState: () => {} } });
    expect(takeJoinString()).toBe(string);
  },
);

test("a page that was opened on the gateway itself makes codes that lead nowhere else", () => {
  expect(["localhost", "127.0.0.1", "[::1]", "a.localhost"].map(isThisMachine)).toEqual([
    true,
    true,
    true,
    true,
  ]);
  expect(["ward-3.example", "10.0.0.7", "localhost.example"].map(isThisMachine)).toEqual([
    false,
    false,
    false,
  ]);
});

test("tries are counted down in words, and never below none", () => {
  expect([0, 4, 5, 9].map(triesLeft)).toEqual(["5 tries left", "1 try left", "0 tries left", "0 tries left"]);
});
