/** A table as a text that spreadsheets read: RFC 4180. */

export type Cell = string | number | null;

/**
 * A spreadsheet takes a cell that begins so for a formula, and carries it out: handles and names are other people's
 * words. With an apostrophe in front it stays a text.
 */
const FORMULA = /^[=+\-@\t\r]/;

const NEEDS_QUOTES = /[",\r\n]/;

export function csv(header: readonly string[], rows: readonly (readonly Cell[])[]): string {
  return [header, ...rows].map((row) => `${row.map(written).join(",")}\r\n`).join("");
}

function written(cell: Cell): string {
  const text = String(cell ?? "");
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return NEEDS_QUOTES.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
