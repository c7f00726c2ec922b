/** What a shift is planned for, unless an admin says otherwise. */

const HOUR = 3_600_000;

export const SHIFT_MS = 8 * HOUR;

/** The next full hour, where the person is. */
export function nextHour(now: number): number {
  const at = new Date(now);
  at.setMinutes(0, 0, 0);
  return at.getTime() + HOUR;
}
