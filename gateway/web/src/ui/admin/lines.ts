/**
 * A list of which a page was read, and then more of it.
 *
 *   const list = useLines(useCallback((before) => admin.refusals(before), [admin]));
 *   list.lines, list.more (whether there is more), list.load(), list.again()
 */
import { useCallback, useEffect, useRef, useState } from "react";
import { words } from "../parts/task";
import type { AskLines, Lines } from "./pages";

export interface LineList<Line> {
  /** Null until the first page came. */
  lines: readonly Line[] | null;
  more: boolean;
  busy: boolean;
  error: string | null;
  /** The next page. */
  load(): Promise<void>;
  /** From the newest on. */
  again(): Promise<void>;
}

interface State<Line> {
  read: Lines<Line> | null;
  busy: boolean;
  error: string | null;
}

/** `ask` has to stay the same function for as long as it asks the same; with another one, the list begins anew. */
export function useLines<Line>(ask: AskLines<Line>): LineList<Line> {
  const [{ read, busy, error }, setState] = useState<State<Line>>({ read: null, busy: true, error: null });
  const newest = useRef(0);

  const turn = useCallback(
    async (so: Lines<Line> | null) => {
      newest.current += 1;
      const mine = newest.current;
      setState((state) => ({ ...state, busy: true }));
      const end = (outcome: Partial<State<Line>>) => {
        if (mine === newest.current) setState((state) => ({ ...state, ...outcome, busy: false }));
      };
      await ask(so?.before ?? null).then(
        (page) =>
          end({ read: { lines: [...(so?.lines ?? []), ...page.lines], before: page.before }, error: null }),
        (failure: unknown) => end({ error: words(failure) }),
      );
    },
    [ask],
  );
  const again = useCallback(() => turn(null), [turn]);

  useEffect(() => {
    setState({ read: null, busy: true, error: null });
    again();
    return () => {
      newest.current += 1;
    };
  }, [again]);
  const more = read !== null && read.before !== null;
  return { lines: read?.lines ?? null, more, busy, error, load: () => turn(read), again };
}
