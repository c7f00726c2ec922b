/** What a join code may be for, and what has become of it. */

import type { InviteRow } from "../../model";

const LONGEST_HANDLE = 32;
export const LONGEST_HOURS = 24;

/** What is wrong with a handle, as far as it is typed; null if nothing is, or nothing is typed yet. */
export function wrongWithHandle(handle: string, taken: ReadonlySet<string>): string | null {
  if (handle === "") return null;
  if (/\s/.test(handle)) return "A handle has no spaces. Use a dot or a dash.";
  if (/\p{Lu}/u.test(handle)) return "Small letters only.";
  if (!/^[a-z0-9]/.test(handle)) return "Begin with a letter from a to z, or a digit.";
  const wrong = handle.match(/[^a-z0-9._-]/u)?.[0];
  if (wrong !== undefined)
    return `“${wrong}” cannot be in a handle: only a to z, digits, dots, dashes and underscores.`;
  if (handle.length > LONGEST_HANDLE) return `At most ${LONGEST_HANDLE} characters. It has ${handle.length}.`;
  return taken.has(handle) ? "Somebody has this handle already." : null;
}

/** The hours that were typed, or null if they cannot be. */
export function hoursOf(typed: string): number | null {
  const hours = Number(typed);
  return Number.isInteger(hours) && hours >= 1 && hours <= LONGEST_HOURS ? hours : null;
}

/** `dead`: tried too often, or stopped by an admin. */
export type CodeState = "open" | "used" | "expired" | "dead";

export function stateOfCode(code: Pick<InviteRow, "usedBy" | "expires" | "dead">, now: number): CodeState {
  if (code.usedBy !== null) return "used";
  if (code.expires <= now) return "expired";
  return code.dead ? "dead" : "open";
}

const MOST_TRIES = 5;

/** How many more times a code may be tried in vain, in words. */
export function triesLeft(tries: number): string {
  const left = Math.max(0, MOST_TRIES - tries);
  return left === 1 ? "1 try left" : `${left} tries left`;
}

/** The open ones first, the newest first within. */
export function chosenCodes(
  codes: readonly InviteRow[],
  wanted: CodeState | "all",
  now: number,
): readonly InviteRow[] {
  const isOpen = (code: InviteRow) => Number(stateOfCode(code, now) === "open");
  return codes
    .filter((code) => wanted === "all" || stateOfCode(code, now) === wanted)
    .sort((a, b) => isOpen(b) - isOpen(a) || b.index - a.index);
}

/** What a person's phone opens. Its fragment, with the code in it, is sent to no server. */
export function joinLink(origin: string, code: string): string {
  return `${origin}/#/join/${encodeURI(code)}`;
}

/** Whether a code made on a page at this host leads nowhere from any other machine. */
export function isThisMachine(host: string): boolean {
  return host === "localhost" || host.endsWith(".localhost") || host === "[::1]" || /^127\./.test(host);
}
