/** What is to be done about an alert, and where on the board it stands. */

import type { AlertView } from "../../model";

export type Deed = "take" | "take over" | "release" | "resolve";

/**
 * What a person can do now. To resolve is the end of an alert, so that it is not offered beside "Take" while what it
 * is about goes on.
 */
export function deeds(alert: AlertView): readonly Deed[] {
  if (alert.resolved) return [];
  if (alert.takenBy?.mine) return ["release", "resolve"];
  const take: Deed = alert.takenBy ? "take over" : "take";
  return alert.active ? [take] : [take, "resolve"];
}

export interface Sorted {
  open: readonly AlertView[];
  taken: readonly AlertView[];
  closed: readonly AlertView[];
}

/** Each in the order in which they came. */
export function sorted(alerts: readonly AlertView[]): Sorted {
  return {
    open: alerts.filter((each) => each.open),
    taken: alerts.filter((each) => !each.open && !each.resolved),
    closed: alerts.filter((each) => each.resolved),
  };
}
