/** The course of an escalation, in words. */

import type { Escalation } from "../../model";
import { listed } from "./said";

/** Who comes after the next step: `Then doctors and managers`. Null if nobody does, or if it stands still. */
export function later({ steps, next }: Escalation): string | null {
  if (next === null) return null;
  const reached = steps.findLastIndex(({ at }) => at !== null);
  const names = steps.slice(reached + 2).map(({ title }) => title);
  return names.length === 0 ? null : `Then ${listed(names)}`;
}
