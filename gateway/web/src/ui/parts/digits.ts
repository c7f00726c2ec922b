/** Six digits that two people compare: written so that they are easy to read out, and read however they are typed. */

const DIGITS = /^[0-9]{6}$/;

/** `493 021`. */
export function spelled(digits: string): string {
  return `${digits.slice(0, 3)} ${digits.slice(3)}`;
}

/** The six digits that were typed, with spaces and dashes or without; null if they are not six. */
export function typedDigits(typed: string): string | null {
  const digits = typed.replace(/[\s-]/g, "");
  return DIGITS.test(digits) ? digits : null;
}
