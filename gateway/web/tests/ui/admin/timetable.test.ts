import { expect, test } from "vitest";
import { nextHour } from "../../../src/ui/admin/shifts";
import { timetable } from "../../../src/ui/admin/timetable";

test("each step waits for the one before it", () => {
  const steps = [
    { party: "g-1", title: "on-call", after: 60 },
    { party: "g-2", title: "doctors", after: 120 },
  ];

  expect(timetable(steps)).toEqual([
    { party: "g-1", at: 60 },
    { party: "g-2", at: 180 },
  ]);
});

test("a shift begins with the next full hour", () => {
  expect(nextHour(new Date(2025, 10, 22, 14, 5).getTime())).toBe(new Date(2025, 10, 22, 15, 0).getTime());
  expect(nextHour(new Date(2025, 10, 22, 23, 59).getTime())).toBe(new Date(2025, 10, 23, 0, 0).getTime());
});
