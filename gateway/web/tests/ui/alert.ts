/** An alert as tests begin with it. */

import type { AlertView } from "../../src/model";

export const ALERT: AlertView = {
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

export const SNOOZE = { until: 1, reason: "care", account: "kim", title: "Kim", mine: false } as const;
