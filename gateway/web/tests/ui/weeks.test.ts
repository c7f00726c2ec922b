import { expect, test } from "vitest";
import type { LoadLine } from "../../src/model";
import { mostAlerts, weeksOf } from "../../src/ui/load/weeks";

const MONDAY = Date.UTC(2025, 10, 17);
const WEEK = 7 * 86_400_000;

const line = (title: string, week: number, alerts: number): LoadLine => ({
  ...{ author: title, title, week, alerts, technical: 0, taken: 0, nobody: 0, median: null },
});

test("weeks come newest first, and in one the device with the most alerts", () => {
  const weeks = weeksOf([
    line("fridge", MONDAY - WEEK, 1),
    line("bed", MONDAY, 2),
    line("fridge", MONDAY, 9),
    line("air", MONDAY, 2),
  ]);

  expect(weeks.map(({ title, alerts }) => [title, alerts])).toEqual([
    ["Week of 17 November 2025", 13],
    ["Week of 10 November 2025", 1],
  ]);
  expect(weeks[0]?.lines.map(({ title }) => title)).toEqual(["fridge", "air", "bed"]);
});

test("bars of all weeks have one scale", () => {
  expect(mostAlerts([line("a", MONDAY, 3), line("b", MONDAY - WEEK, 40)])).toBe(40);
  expect(mostAlerts([line("a", MONDAY, 0)])).toBe(1);
});
