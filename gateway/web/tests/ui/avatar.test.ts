import { expect, test } from "vitest";
import { initials } from "../../src/ui/parts/Avatar";

test.each([
  ["Dr. Mary Lee", "DL"],
  ["dr.lee", "DL"],
  ["Ward", "W"],
  ["Élodie Ångström", "ÉÅ"],
  ["李 小龍", "李小"],
  ["***", "?"],
])("the initials of %j are %j", (title, expected) => {
  expect(initials(title)).toBe(expected);
});
