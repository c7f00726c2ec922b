/** A snooze: for how long an alert is left alone, and why. */

import type { SnoozeReason } from "../../model";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** As somebody says why they leave it alone. */
export const REASONS: readonly (readonly [SnoozeReason, string])[] = [
  ["care", "Care is being given"],
  ["transport", "Being moved to another place"],
  ["repair", "Being repaired"],
  ["known", "Known, and watched by somebody"],
  ["test", "A test"],
  ["other", "Another reason"],
];

export function reasonInWords(reason: SnoozeReason): string {
  return REASONS.find(([name]) => name === reason)?.[1] ?? reason;
}

export type Span = "quarter" | "hour" | "clock";

/** When it ends; null if `clock` (as in `14:30`) is no time of day. Until a time of day is until it is that time next. */
export function endOf(span: Span, clock: string, now: number): number | null {
  if (span === "quarter") return now + 15 * MINUTE;
  if (span === "hour") return now + HOUR;
  const found = /^(\d\d):(\d\d)$/.exec(clock);
  if (!found) return null;
  const at = new Date(now);
  at.setHours(Number(found[1]), Number(found[2]), 0, 0);
  if (at.getTime() <= now) at.setDate(at.getDate() + 1);
  // A day on which the clocks change may have 25 hours, and nothing is left alone for longer than 24.
  return Math.min(at.getTime(), now + DAY);
}
