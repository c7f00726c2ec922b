import { expect, test } from "vitest";
import type { AlertView } from "../../src/model";
import { deeds, sorted } from "../../src/ui/home/alerts";
import { ALERT, SNOOZE } from "./alert";

const begun = ALERT;
const taken = (mine: boolean): AlertView => ({
  ...begun,
  open: false,
  takenBy: { account: "kim", title: "Kim", at: 1, mine },
});

test("an alert that goes on can be taken, and is not ended by the button beside", () => {
  expect(deeds(begun)).toEqual(["take", "snooze"]);
});

test("what has ended can be resolved at once", () => {
  expect(deeds({ ...begun, active: false })).toEqual(["take", "resolve", "snooze"]);
});

test("who took an alert can give it back, or end it", () => {
  expect(deeds(taken(true))).toEqual(["release", "resolve"]);
});

test("an alert can be taken over from somebody, and is not snoozed once it is taken", () => {
  expect(deeds(taken(false))).toEqual(["take over"]);
  expect(deeds({ ...taken(false), active: false })).toEqual(["take over", "resolve"]);
});

test("nothing is to be done about what is resolved", () => {
  expect(deeds({ ...taken(true), resolved: true })).toEqual([]);
});

test("each alert is in one list, in the order in which it came", () => {
  const second = { ...begun, episode: "e2", active: false };
  const closed = { ...begun, episode: "e3", open: false, resolved: true };
  const asleep = { ...begun, episode: "e4", snoozed: SNOOZE };

  expect(sorted([begun, asleep, second, taken(true), closed])).toEqual({
    open: [begun, second],
    snoozed: [asleep],
    taken: [taken(true)],
    closed: [closed],
  });
});
