/** Shifts, as a person plans them. */

import { ForPerson } from "./errors";

const MOST_MS = 31 * 24 * 60 * 60 * 1000;

/** Raises for a shift that the chain refuses. */
export function checkShift(begins: number, ends: number): void {
  if (ends <= begins) throw new ForPerson("A shift ends after it begins.");
  if (ends - begins > MOST_MS) throw new ForPerson("A shift lasts at most 31 days.");
}
