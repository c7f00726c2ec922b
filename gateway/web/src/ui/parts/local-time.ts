/** Dates and times as `<input type="datetime-local">` writes them, where the person is: `2025-11-22T14:05`. */

const MINUTE = 60_000;

export function toLocal(at: number): string {
  const offset = new Date(at).getTimezoneOffset() * MINUTE;
  return new Date(at - offset).toISOString().slice(0, 16);
}

/** Null for what is none. */
export function fromLocal(text: string): number | null {
  // A date without a time would be read as UTC.
  if (!text.includes("T")) return null;
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : at;
}
