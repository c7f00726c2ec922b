import { describe, expect, test } from "vitest";
import type { Limits } from "../../src/model";
import { changesInWords, changesOf, filled, limitsInWords, seconds } from "../../src/ui/home/limits";

const FRIDGE: Limits = { low: 2, high: 8, mustLast: 600, clearBy: 0.5, staleAfter: 90, priority: "medium" };
const NONE: Limits = { low: null, high: null, mustLast: 0, clearBy: 0, staleAfter: 0, priority: "low" };

test("limits are said as what the device does", () => {
  expect(limitsInWords(FRIDGE, "Cel")).toEqual([
    "Alert below 2 °C or above 8 °C for 10 min",
    "Over once it is 0.5 °C inside again",
    "Alert without any reading for 90 s",
  ]);
  expect(limitsInWords(NONE, "Cel")).toEqual([
    "No value is too low or too high",
    "May be silent for any time",
  ]);
  expect(limitsInWords({ ...NONE, high: 0 }, "")[0]).toBe("Alert above 0");
});

test("of a change, only what changes is said", () => {
  expect(changesInWords({ high: 9, mustLast: 30 }, "Cel")).toBe("above 9 °C, for 30 s");
  expect(changesInWords({ low: null, priority: null, mustLast: null }, "Cel")).toBe(
    "no lower limit, at once, medium priority",
  );
  expect(changesInWords({ clearBy: null, staleAfter: 0 }, "")).toBe("over when 0 inside, may be silent");
});

test("times are as short as they can be said exactly", () => {
  expect([30, 60, 90, 600, 0.5].map(seconds)).toEqual(["30 s", "1 min", "90 s", "10 min", "0.5 s"]);
});

describe("what is filled in", () => {
  const change = (form: Partial<ReturnType<typeof filled>>, now = FRIDGE) =>
    changesOf({ ...filled(now), ...form }, now, "Cel");

  test.each([FRIDGE, NONE, { ...NONE, low: 0 }])("is no change as it comes up", (limits) => {
    expect(change({}, limits)).toEqual({ changes: {}, wrong: null });
  });

  test("is only what is different; an empty field does without", () => {
    expect(change({ high: " 9,5 ", low: "", staleAfter: "" }).changes).toEqual({
      ...{ high: 9.5, low: null, staleAfter: null },
    });
    expect(change({ low: "-4", priority: "high" }).changes).toEqual({ low: -4, priority: "high" });
    expect(change({ low: "−4" }).changes).toEqual({ low: -4 });
  });

  test.each(["nine", "1e3", "9 °C", "0x10", "--1", "."])("is refused where %j is no number", (text) => {
    expect(change({ high: text })).toEqual({
      changes: null,
      wrong: { high: "Write a number in °C, as in 8.5." },
    });
  });

  test("is refused where the lower limit is not the lower one", () => {
    expect(change({ low: "8" }).wrong).toEqual({ high: "Must be above the lower limit, 8 °C." });
  });

  test("is refused where a time is more than a day, or less than none", () => {
    expect(Object.keys(change({ mustLast: "86401", staleAfter: "-1" }).wrong ?? {})).toEqual([
      "mustLast",
      "staleAfter",
    ]);
    expect(change({ mustLast: "86400" }).changes).toEqual({ mustLast: 86400 });
  });
});
