/** A sensor's limits: in words, and as somebody fills them in. */

import type { LimitChanges, Limits, Priority } from "../../model";
import { amount, figure, unitInWords } from "./amounts";

const DAY_SECONDS = 86_400;
const MOST = 1e12;

/** What the device does with the limits in force, one thing a line. */
export function limitsInWords(
  { low, high, mustLast, clearBy, staleAfter }: Limits,
  unit: string,
): readonly string[] {
  const crossed = [
    low === null ? [] : [`below ${amount(low, unit)}`],
    high === null ? [] : [`above ${amount(high, unit)}`],
  ].flat();
  const watched =
    crossed.length === 0
      ? ["No value is too low or too high"]
      : [`Alert ${crossed.join(" or ")}${mustLast > 0 ? ` for ${seconds(mustLast)}` : ""}`];
  if (crossed.length > 0 && clearBy > 0)
    watched.push(`Over once it is ${amount(clearBy, unit)} inside again`);
  return [
    ...watched,
    staleAfter > 0 ? `Alert without any reading for ${seconds(staleAfter)}` : "May be silent for any time",
  ];
}

/** Only what is to change: `above 9 °C, for 30 s`. */
export function changesInWords(changes: LimitChanges, unit: string): string {
  const { low, high, mustLast, clearBy, staleAfter, priority } = changes;
  const parts = [
    low === undefined ? "" : low === null ? "no lower limit" : `below ${amount(low, unit)}`,
    high === undefined ? "" : high === null ? "no upper limit" : `above ${amount(high, unit)}`,
    mustLast === undefined ? "" : mustLast ? `for ${seconds(mustLast)}` : "at once",
    clearBy === undefined ? "" : `over when ${amount(clearBy ?? 0, unit)} inside`,
    staleAfter === undefined ? "" : staleAfter ? `silent for ${seconds(staleAfter)}` : "may be silent",
    priority === undefined ? "" : `${priority ?? "medium"} priority`,
  ];
  return parts.filter((part) => part !== "").join(", ");
}

/** `90 s`, `10 min`: as short as it can be said exactly. */
export function seconds(number: number): string {
  if (number >= 60 && number % 60 === 0) return `${number / 60} min`;
  return `${figure(number)} s`;
}

/** What is written in the fields: the amounts and times as text, empty for none. */
export interface Filled {
  low: string;
  high: string;
  mustLast: string;
  clearBy: string;
  staleAfter: string;
  priority: Priority;
}

export function filled(limits: Limits): Filled {
  const text = (value: number | null) => (value === null || value === 0 ? "" : figure(value));
  return {
    low: limits.low === null ? "" : figure(limits.low),
    high: limits.high === null ? "" : figure(limits.high),
    mustLast: text(limits.mustLast),
    clearBy: text(limits.clearBy),
    staleAfter: text(limits.staleAfter),
    priority: limits.priority,
  };
}

export type Wrong = Partial<Record<keyof Filled, string>>;

/** What is to change, or what is wrong with which field. */
export function changesOf(
  form: Filled,
  now: Limits,
  unit: string,
): { changes: LimitChanges; wrong: null } | { changes: null; wrong: Wrong } {
  const read = {
    low: number(form.low, -MOST, MOST),
    high: number(form.high, -MOST, MOST),
    mustLast: number(form.mustLast, 0, DAY_SECONDS),
    clearBy: number(form.clearBy, 0, MOST),
    staleAfter: number(form.staleAfter, 0, DAY_SECONDS),
  };
  const wrong: Wrong = {};
  for (const name of ["low", "high", "clearBy"] as const)
    if (read[name] === undefined)
      wrong[name] = `Write a number${unit === "" ? "" : ` in ${unitInWords(unit)}`}, as in 8.5.`;
  for (const name of ["mustLast", "staleAfter"] as const)
    if (read[name] === undefined) wrong[name] = "Write a number of seconds, at most a day (86400).";
  const { low, high } = read;
  if (typeof low === "number" && typeof high === "number" && low >= high)
    wrong.high = `Must be above the lower limit, ${amount(low, unit)}.`;
  if (Object.keys(wrong).length > 0) return { changes: null, wrong };
  return { changes: different(read, form.priority, now), wrong: null };
}

type Read = Record<"low" | "high" | "mustLast" | "clearBy" | "staleAfter", number | null | undefined>;

function different(read: Read, priority: Priority, now: Limits): LimitChanges {
  const changes: LimitChanges = {};
  for (const name of ["low", "high"] as const) {
    const value = read[name] ?? null;
    if (value !== now[name]) changes[name] = value;
  }
  for (const name of ["mustLast", "clearBy", "staleAfter"] as const) {
    const value = read[name] ?? null;
    if ((value ?? 0) !== now[name]) changes[name] = value;
  }
  if (priority !== now.priority) changes.priority = priority;
  return changes;
}

/** A number as people write it, with a point or a comma; null if there is none, undefined if it is something else. */
function number(text: string, least: number, most: number): number | null | undefined {
  const written = text.trim().replace(",", ".").replace("−", "-");
  if (written === "") return null;
  const value = /^[+-]?(\d+\.?\d*|\.\d+)$/.test(written) ? Number(written) : Number.NaN;
  return value >= least && value <= most ? value : undefined;
}
