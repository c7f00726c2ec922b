import { expect, test } from "vitest";
import type { AlertView } from "../../src/model";
import { countOpen, gravest, unanswered } from "../../src/ui/open-alerts";
import { ALERT, SNOOZE } from "./alert";

const other = (more: Partial<AlertView>): AlertView => ({ ...ALERT, episode: "e2", ...more });

test("open alerts are counted by priority, the gravest first, since the oldest of them", () => {
  const alerts = [
    ALERT,
    other({ began: 5, sounding: false }),
    other({ priority: "high", sounding: false }),
    other({ priority: "low", open: false }),
  ];

  expect(countOpen(alerts)).toEqual([
    { priority: "high", count: 1, began: 0, sounding: false },
    { priority: "medium", count: 2, began: 0, sounding: true },
  ]);
});

test("the gravest is that of all that are open, in whichever order they are listed", () => {
  expect(gravest([ALERT, other({ priority: "high", snoozed: SNOOZE })])).toBe("high");
  expect(gravest([ALERT, other({ priority: "high", open: false })])).toBe("medium");
  expect(gravest([other({ open: false })])).toBeNull();
});

test("what nobody answered is told until somebody does something about it", () => {
  const alone = other({ nobody: 7 });

  expect(unanswered([ALERT, alone])).toEqual([{ alert: alone, since: 7 }]);
  expect(unanswered([{ ...alone, open: false }])).toEqual([]);
  expect(unanswered([{ ...alone, snoozed: SNOOZE }])).toEqual([]);
});
