/** When each step of an escalation is reached: each waits for the one before it. */

import type { ContractView } from "../../model";

/** `at` is in seconds after the alert began. */
export function timetable(steps: ContractView["steps"]): readonly { title: string; at: number }[] {
  let at = 0;
  return steps.map(({ title, after }) => {
    at += after;
    return { title, at };
  });
}
