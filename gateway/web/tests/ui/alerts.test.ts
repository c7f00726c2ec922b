import { expect, test } from "vitest";
import type { AlertView } from "../../src/model";
import { deeds, sorted } from "../../src/ui/home/alerts";

const begun: AlertView = {
  episode: "e1",
  priority: "medium",
  kind: "technical",
  active: true,
  takenBy: null,
  resolved: false,
  open: true,
  sounding: true,
  duty: true,
  snoozed: null,
  escalation: null,
  nobody: null,
  overdue: null,
  concerned: [],
  drill: false,
  seenBy: [],
  conversation: "fridge",
  author: "fridge",
  authorTitle: "fridge-2",
  began: 0,
  latest: 0,
  message: "m1",
  messages: ["m1"],
};
const taken = (mine: boolean): AlertView => ({
  ...begun,
  open: false,
  takenBy: { account: "kim", title: "Kim", at: 1, mine },
});

test("an alert that goes on can be taken, and is not ended by the button beside", () => {
  expect(deeds(begun)).toEqual(["take"]);
});

test("what has ended can be resolved at once", () => {
  expect(deeds({ ...begun, active: false })).toEqual(["take", "resolve"]);
});

test("who took an alert can give it back, or end it", () => {
  expect(deeds(taken(true))).toEqual(["release", "resolve"]);
});

test("an alert can be taken over from somebody", () => {
  expect(deeds(taken(false))).toEqual(["take over"]);
});

test("nothing is to be done about what is resolved", () => {
  expect(deeds({ ...taken(true), resolved: true })).toEqual([]);
});

test("each alert is in one list, in the order in which it came", () => {
  const second = { ...begun, episode: "e2", active: false };
  const closed = { ...begun, episode: "e3", open: false, resolved: true };

  expect(sorted([begun, second, taken(true), closed])).toEqual({
    open: [begun, second],
    taken: [taken(true)],
    closed: [closed],
  });
});
