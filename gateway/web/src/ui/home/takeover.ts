/** From whom a shift can be taken, and what it is taken for unless somebody says otherwise. */

import type { AccountId, DutyGroup, ShiftView } from "../../model";

const HOUR = 3_600_000;

/** What nobody else has is taken for so long. */
const USUAL_MS = 8 * HOUR;

/** Shifts of others, of now and to come: in the order in which they begin. */
export function takeable({ shifts }: DutyGroup): readonly ShiftView[] {
  return shifts.filter(({ mine }) => !mine);
}

export interface Wish {
  from: AccountId | null;
  begins: number;
  ends: number;
}

/** The whole of what is left of a shift; without one, from now on. */
export function usual(shift: ShiftView | null, now: number): Wish {
  if (shift === null) return { from: null, begins: now, ends: now + USUAL_MS };
  return { from: shift.account, begins: Math.max(now, shift.begins), ends: shift.ends };
}
