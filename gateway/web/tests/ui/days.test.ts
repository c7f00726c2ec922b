import { expect, test } from "vitest";
import { dayName, sameDay } from "../../src/ui/home/days";

const at = (year: number, month: number, day: number, hour = 12): number =>
  new Date(year, month - 1, day, hour).getTime();

test("today and yesterday have their names, also a minute around midnight", () => {
  const now = at(2026, 11, 22, 0);

  expect(dayName(now, now)).toBe("Today");
  expect(dayName(now - 60_000, now)).toBe("Yesterday");
});

test("a day of this year is named without the year, one of another with it", () => {
  const now = at(2026, 11, 22);

  expect(dayName(at(2026, 11, 20), now)).toBe("Friday 20 November");
  expect(dayName(at(2025, 12, 31), now)).toBe("31 December 2025");
});

test("the first of a month has a yesterday", () => {
  expect(dayName(at(2026, 2, 28, 23), at(2026, 3, 1, 1))).toBe("Yesterday");
});

test("the same day of another month is another day", () => {
  expect(sameDay(at(2026, 11, 22), at(2026, 10, 22))).toBe(false);
  expect(sameDay(at(2026, 11, 22, 0), at(2026, 11, 22, 23))).toBe(true);
});
