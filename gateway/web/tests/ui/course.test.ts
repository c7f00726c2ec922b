import { expect, test } from "vitest";
import type { Escalation } from "../../src/model";
import { later } from "../../src/ui/home/course";

const step = (title: string, at: number | null = null) => ({ party: `g-${title}`, title, at });
const course = (steps: Escalation["steps"], next: string | null): Escalation => ({
  ...{ steps, lap: 1, next: { title: next, due: 9 } },
});

test("who comes after the next one is named", () => {
  const steps = [step("on-call", 5), step("doctors"), step("managers"), step("everybody")];

  expect(later(course(steps, "doctors"))).toBe("Then managers and everybody");
});

test("nobody comes after the last one, nor while it stands still", () => {
  const steps = [step("on-call", 5), step("doctors")];

  expect(later(course(steps, "doctors"))).toBeNull();
  expect(later(course([step("on-call", 5)], null))).toBeNull();
  expect(later({ ...course([step("on-call"), step("doctors")], "on-call"), next: null })).toBeNull();
});

test("before the first step, all but that one come after it", () => {
  expect(later(course([step("on-call"), step("doctors")], "on-call"))).toBe("Then doctors");
});
