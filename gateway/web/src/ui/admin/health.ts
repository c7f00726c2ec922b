/** How the chain is, in words. */

import type { VerifyState } from "../../model";

const UNITS = ["bytes", "kB", "MB", "GB", "TB"] as const;
/** They stand among English words. */
const FIGURES = new Intl.NumberFormat("en-GB", { maximumSignificantDigits: 3 });
const WHOLE = new Intl.NumberFormat("en-GB");

/** `12.3 MB`, in steps of 1000, as disks are sold. */
export function diskSize(bytes: number): string {
  const step = Math.min(UNITS.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  return `${FIGURES.format(bytes / 1000 ** step)} ${UNITS[step]}`;
}

export function count(number: number, one: string, many = `${one}s`): string {
  return `${WHOLE.format(number)} ${number === 1 ? one : many}`;
}

export interface Verdict {
  good: boolean;
  title: string;
  text: string;
}

/** What a check of the chain came to. */
export function verdict(done: Extract<VerifyState, { state: "done" }>): Verdict {
  const took = done.ms < 1000 ? "less than a second" : `${FIGURES.format(done.ms / 1000)} s`;
  if (done.ok)
    return {
      good: true,
      title: "Everything holds",
      text: `${count(done.height + 1, "block")} with ${count(done.size, "entry", "entries")} were checked in ${took}: every signature, every hash, and that nothing is missing in between.`,
    };
  if (done.height < 0)
    return {
      good: false,
      title: "The check did not come to an end",
      text: `It says nothing about the chain. Try again. (${done.detail})`,
    };
  return {
    good: false,
    title: `Block ${WHOLE.format(done.height)} does not hold`,
    text: `The ${count(done.size, "entry", "entries")} before it hold. Stop the gateway, keep its files as they are, and find out why: the disk, the memory, or a hand. (${done.detail})`,
  };
}
