/** When each step of an escalation is reached: each waits for the one before it. */

import type { ContractView, PartyId } from "../../model";

/** `at` is in seconds after the alert began. */
export function timetable(steps: ContractView["steps"]): readonly { party: PartyId; at: number }[] {
  let at = 0;
  return steps.map(({ party, after }) => {
    at += after;
    return { party, at };
  });
}
