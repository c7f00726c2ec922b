/** A list that comes in pages, the newest first: each page tells before what the next one begins. */

export interface Lines<Line> {
  lines: readonly Line[];
  before: number | null;
}

export type AskLines<Line> = (before: number | null) => Promise<Lines<Line>>;

/** Everything there is; `told` hears how much has come so far. Ends with what has come once `signal` is aborted. */
export async function everyLine<Line>(
  ask: AskLines<Line>,
  told: (lines: readonly Line[]) => void,
  signal: AbortSignal,
): Promise<readonly Line[]> {
  let lines: readonly Line[] = [];
  for (let before: number | null = null; !signal.aborted; ) {
    const page: Lines<Line> = await ask(before);
    lines = [...lines, ...page.lines];
    told(lines);
    if (page.before === null) break;
    if (before !== null && page.before >= before)
      throw new Error(`The gateway's list goes round: after ${before} it goes on with ${page.before}.`);
    before = page.before;
  }
  return lines;
}
