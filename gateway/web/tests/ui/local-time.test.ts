import { expect, test } from "vitest";
import { fromLocal, toLocal } from "../../src/ui/parts/local-time";

test("a time goes into a field and comes out of it, to the minute", () => {
  const at = new Date(2025, 2, 30, 14, 5, 59).getTime();

  expect(toLocal(at)).toBe("2025-03-30T14:05");
  expect(fromLocal("2025-03-30T14:05")).toBe(at - 59_000);
});

test.each(["", "2025-03-30", "2025-13-30T14:05", "soon T"])("%j is no time", (text) => {
  expect(fromLocal(text)).toBeNull();
});
