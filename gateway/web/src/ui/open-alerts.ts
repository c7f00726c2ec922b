/** The open alerts, counted: by priority, and those that nobody answered. */

import type { AlertView, Priority } from "../model";

export interface Count {
  priority: Priority;
  count: number;
  /** Of the oldest. */
  began: number;
  /** Some of them are heard here. */
  sounding: boolean;
}

const GRAVEST_FIRST: readonly Priority[] = ["high", "medium", "low", "info"];

export function countOpen(alerts: readonly AlertView[]): readonly Count[] {
  return GRAVEST_FIRST.map((priority) => {
    const open = alerts.filter((each) => each.open && each.priority === priority);
    const began = Math.min(...open.map((each) => each.began));
    return { priority, count: open.length, began, sounding: open.some((each) => each.sounding) };
  }).filter((each) => each.count > 0);
}

/** Null if none is open. */
export function gravest(alerts: readonly AlertView[]): Priority | null {
  return (
    GRAVEST_FIRST.find((priority) => alerts.some((each) => each.open && each.priority === priority)) ?? null
  );
}

export interface Unanswered {
  alert: AlertView;
  since: number;
}

/** Those that went to everybody they could, and still wait for an answer; who snoozed one knows of it. */
export function unanswered(alerts: readonly AlertView[]): readonly Unanswered[] {
  return alerts.flatMap((alert) =>
    alert.open && alert.nobody !== null && alert.snoozed === null ? [{ alert, since: alert.nobody }] : [],
  );
}
