import { expect, test } from "vitest";
import { endOf, REASONS, reasonInWords } from "../../src/ui/home/snooze";

const NOON = new Date(2025, 10, 22, 12, 0, 30).getTime();
const MINUTE = 60_000;

test("a quarter of an hour and an hour are from now on", () => {
  expect(endOf("quarter", "", NOON)).toBe(NOON + 15 * MINUTE);
  expect(endOf("hour", "", NOON)).toBe(NOON + 60 * MINUTE);
});

test("a time of day is the next one, today or tomorrow", () => {
  expect(endOf("clock", "14:30", NOON)).toBe(new Date(2025, 10, 22, 14, 30).getTime());
  expect(endOf("clock", "12:00", NOON)).toBe(new Date(2025, 10, 23, 12, 0).getTime());
  expect(endOf("clock", "02:15", NOON)).toBe(new Date(2025, 10, 23, 2, 15).getTime());
});

test("nothing is left alone for longer than 24 hours", () => {
  for (let hour = 0; hour < 24; hour++) {
    const end = endOf("clock", `${String(hour).padStart(2, "0")}:00`, NOON) ?? 0;
    expect(end).toBeGreaterThan(NOON);
    expect(end - NOON).toBeLessThanOrEqual(24 * 60 * MINUTE);
  }
});

test.each(["", "9:00", "soon", "12:00:00"])("%j is no time of day", (text) => {
  expect(endOf("clock", text, NOON)).toBeNull();
});

test("every reason has words of its own", () => {
  const words = REASONS.map(([reason]) => reasonInWords(reason));

  expect(new Set(words).size).toBe(6);
});
