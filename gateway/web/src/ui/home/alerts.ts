/** What is to be done about an alert, and where on the board it stands. */

import type { AlertView } from "../../model";

export type Deed = "take" | "take over" | "release" | "resolve" | "snooze";

/**
 * What a person can do now. To resolve is the end of an alert, so that it is not offered beside "Take" while what it
 * is about goes on.
 */
export function deeds(alert: AlertView): readonly Deed[] {
  if (alert.resolved) return [];
  if (alert.takenBy?.mine) return ["release", "resolve"];
  if (alert.takenBy) return alert.active ? ["take over"] : ["take over", "resolve"];
  return alert.active ? ["take", "snooze"] : ["take", "resolve", "snooze"];
}

export interface Sorted {
  open: readonly AlertView[];
  /** Nobody has taken them: they come back. */
  snoozed: readonly AlertView[];
  taken: readonly AlertView[];
  closed: readonly AlertView[];
}

/** Each in the order in which they came. */
export function sorted(alerts: readonly AlertView[]): Sorted {
  return {
    open: alerts.filter((each) => each.open && each.snoozed === null),
    snoozed: alerts.filter((each) => each.open && each.snoozed !== null),
    taken: alerts.filter((each) => !each.open && !each.resolved),
    closed: alerts.filter((each) => each.resolved),
  };
}
