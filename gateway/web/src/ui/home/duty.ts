/** Who is on duty, in words. */

import type { DrillView, DutyGroup } from "../../model";
import { clock, sameDay, shortDay } from "./days";
import { listed } from "./said";

/** We are a member. Of others we know because we may write to them, or because we are an admin. */
export function isOurs({ members }: DutyGroup): boolean {
  return members.some(({ mine }) => mine);
}

/** Whether we are on: in which groups, and until when. Null if we are in none. */
export function ownDuty(groups: readonly DutyGroup[]): { on: boolean; text: string } | null {
  const ours = groups.filter(isOurs);
  if (ours.length === 0) return null;
  const on = ours.filter(({ mine }) => mine);
  if (on.length === 0) return { on: false, text: "You are not on duty: alerts are silent here" };
  return { on: true, text: `You are on duty: ${listed(on.map(groupAndEnd))}` };
}

function groupAndEnd({ title, on }: DutyGroup): string {
  const until = on.find(({ mine }) => mine)?.until ?? null;
  return until === null ? title : `${title} until ${moment(until)}`;
}

/** Further ahead, a time of day alone could be taken for that of another day. */
const NEAR_MS = 16 * 3_600_000;

/** `14:05`, or with its day, `24 Nov, 14:05`, if that is neither the day of `near` nor soon after it. */
export function moment(at: number, near = Date.now()): string {
  const ahead = at - near;
  return sameDay(at, near) || (ahead > 0 && ahead < NEAR_MS) ? clock(at) : `${shortDay(at)}, ${clock(at)}`;
}

/** `14:05 to 22:00`. */
export function span({ begins, ends }: { begins: number; ends: number }): string {
  return `${moment(begins)} to ${moment(ends, begins)}`;
}

/** We come first, and who ends at the same time is named together: `You and Ben until 22:00; Mia until 06:00`. */
export function onDuty({ on, everybody, members }: DutyGroup, now = Date.now()): string {
  if (on.length === 0) return "Nobody is on duty";
  if (everybody) return `Nobody is planned: everybody is on (${members.length})`;
  const sorted = on.toSorted((one, other) => Number(other.mine) - Number(one.mine));
  const ends = [...new Set(sorted.map(({ until }) => until))];
  return ends
    .map((end) => {
      const same = sorted.filter(({ until }) => until === end);
      const people = listed(
        same.map(({ mine, title }) => (mine ? "You" : title)),
        4,
      );
      return end === null ? people : `${people} until ${moment(end, now)}`;
    })
    .join("; ");
}

/** What came of the last drill: `taken by Ben after 34 s`. */
export function drillResult({ taken, resolved }: DrillView): string {
  if (taken) return `taken by ${taken.title} after ${duration(taken.after)}`;
  return resolved ? "nobody took it" : "nobody has taken it yet";
}

/** `34 s`, `4 min 05 s`, `2 h 05 min`: how long somebody took, to the second where that matters. */
export function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const pad = (part: number) => String(part).padStart(2, "0");
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${pad(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${pad(Math.floor((seconds % 3600) / 60))} min`;
}
