import { expect, test } from "vitest";
import type { Opened } from "../../src/model";
import { amount, fileSize, listed, namesFor, said, shownName } from "../../src/ui/home/said";

const reading: Opened = {
  kind: "reading",
  sensor: "temp",
  channel: null,
  value: 8.4,
  unit: "Cel",
  at: 0,
};

test("a reading is said with its unit as a person writes it", () => {
  expect(said(reading)).toBe("temp 8.4 °C");
  expect(said({ ...reading, sensor: "bp", channel: "systolic", value: 88, unit: "mm[Hg]" })).toBe(
    "bp systolic 88 mmHg",
  );
});

test("a figure has no noise of binary fractions, and loses no digit", () => {
  expect(amount(0.1 + 0.2, "%")).toBe("0.3%");
  expect(amount(1234567.891, "")).toBe("1234567.891");
  expect(amount(-0.00002, "V")).toBe("-0.00002 V");
});

test("a fault says which sensor, and why", () => {
  expect(said({ kind: "fault", sensor: "temp", reason: "timeout", detail: "no line for 30 s" })).toBe(
    "Sensor temp gives no readings (timeout)",
  );
});

test("the end of a fault is no fault", () => {
  expect(said({ kind: "fault", sensor: "temp", reason: "recovered", detail: "" })).toBe(
    "Sensor temp gives readings again",
  );
});

test("a reason that this page does not know is said as it came", () => {
  expect(said({ kind: "fault", sensor: "temp", reason: "flooded", detail: "" })).toContain("(flooded)");
});

test("a text is said in one line, and cut where it is long", () => {
  const long = said({ kind: "text", text: `first\n\n  second ${"word ".repeat(100)}` });

  expect(long.startsWith("first second word")).toBe(true);
  expect(long.length).toBeLessThanOrEqual(160);
  expect(long.endsWith("…")).toBe(true);
});

test("a file is said by what was written with it, or by its name", () => {
  const file = { kind: "file", name: "ecg.png", type: "image/png", bytes: new Uint8Array(1) } as const;

  expect(said({ ...file, text: "look at V4" })).toBe("look at V4");
  expect(said({ ...file, text: "" })).toBe("File ecg.png");
});

test("a file's name cannot turn its end around, or hide it", () => {
  expect(shownName("dose\u202Efdp.exe")).toBe("dosefdp.exe");
  expect(shownName("a\u0000b\n.txt")).toBe("ab.txt");
  expect(shownName("\u200B \u200B")).toBe("unnamed file");
});

test.each([
  [0, "0 bytes"],
  [1, "1 byte"],
  [1023, "1023 bytes"],
  [1024, "1 kB"],
  [38_211, "37.4 kB"],
  [40_960, "40 kB"],
  [40_961, "40.1 kB"],
])("%i bytes are %s", (bytes, words) => {
  expect(fileSize(bytes)).toBe(words);
});

test.each([
  [[], ""],
  [["A"], "A"],
  [["A", "B"], "A and B"],
  [["A", "B", "C"], "A, B and C"],
  [["A", "B", "C", "D"], "A, B and 2 more"],
])("%j are listed as %j", (names, words) => {
  expect(listed(names)).toBe(words);
});

const PEOPLE = [
  { account: "a", title: "Dr. Lee" },
  { account: "b", title: "Kim" },
];

test.each([
  ["b", ["you", "Dr. Lee"]],
  ["c", ["Dr. Lee", "Kim"]],
])("to %s, people are %j", (me, names) => {
  expect(namesFor(me, PEOPLE)).toEqual(names);
});
