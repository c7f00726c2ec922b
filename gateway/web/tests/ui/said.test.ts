import { expect, test } from "vitest";
import type { Opened } from "../../src/model";
import { amount } from "../../src/ui/home/amounts";
import { clock } from "../../src/ui/home/days";
import { fileSize, listed, namesFor, said, shownName } from "../../src/ui/home/said";

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

const episode = {
  kind: "episode",
  sensor: "fridge",
  channel: null,
  what: "high",
  limit: 8,
  since: new Date().setHours(2, 10, 0, 0),
  until: null,
  value: 9.2,
  unit: "Cel",
  detail: "",
  readings: [],
} as const satisfies Opened;

test("an alert says the value, the limit and since when", () => {
  expect(said(episode)).toBe(`fridge: 9.2 °C, above 8 °C since ${clock(episode.since)}`);
  expect(said({ ...episode, what: "low", limit: 2, value: 1.5, channel: "top" })).toMatch(
    /^fridge top: 1.5 °C, below 2 °C since /u,
  );
});

test("what began on another day says on which", () => {
  expect(said({ ...episode, since: Date.UTC(2026, 0, 15, 12) })).toMatch(/, 15 Jan$/u);
});

test("an alert that is over says so", () => {
  expect(said({ ...episode, value: 7.4, until: 1 })).toBe("fridge: 7.4 °C, no longer above 8 °C");
});

test("a technical alert says why there are no readings, and that there are again", () => {
  const fault = { ...episode, what: "stuck", limit: null };

  expect(said(fault)).toBe("Sensor fridge gives no readings (it gives the same value all the time)");
  expect(said({ ...fault, until: 1 })).toBe("Sensor fridge gives readings again");
});

test("lost samples are counted", () => {
  const gap = { kind: "gap", sensor: "fridge", from: 0, to: 60_000, reason: "busy" } as const;

  expect(said({ ...gap, lost: 12 })).toMatch(/^fridge: 12 readings lost, from .* to /u);
  expect(said({ ...gap, lost: 1 })).toMatch(/^fridge: 1 reading lost/u);
});

test("a heartbeat tells of nothing, too", () => {
  const beat = { kind: "heartbeat", from: 0, to: 900_000 } as const;

  expect(said({ ...beat, sensors: [{ sensor: "fridge", samples: 0 }] })).toMatch(/^Nothing recorded from /u);
  expect(said({ ...beat, sensors: [{ sensor: "fridge", samples: 9 }] })).toMatch(
    /^Recorded from .*: fridge 9$/u,
  );
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

test("of other limits, it is said for which sensor they were asked", () => {
  expect(said({ kind: "limits", sensor: "room", changes: { high: 26, mustLast: 300 } })).toBe(
    "Other limits asked for room: above 26, for 5 min",
  );
});
