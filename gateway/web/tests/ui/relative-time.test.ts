import { expect, test } from "vitest";
import { ageText, leftText } from "../../src/ui/parts/RelativeTime";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

test.each([
  [0, "0 s"],
  [59 * SECOND + 999, "59 s"],
  [MINUTE, "1 min"],
  [HOUR - 1, "59 min"],
  [2 * HOUR + 5 * MINUTE, "2 h 05 min"],
  [DAY, "1 day"],
  [3 * DAY + HOUR, "3 days"],
])("an age of %d ms is %j", (ms, text) => {
  expect(ageText(ms)).toBe(text);
});

test("a clock that is behind makes no negative age", () => {
  expect(ageText(-5 * SECOND)).toBe("0 s");
});

test.each([
  [0, "any moment"],
  [-5_000, "any moment"],
  [400, "in 1 s"],
  [40_000, "in 40 s"],
  [60_000, "in 1 min"],
  [121_000, "in 3 min"],
])("what is %d ms away is %s", (ms, words) => {
  expect(leftText(ms)).toBe(words);
});
