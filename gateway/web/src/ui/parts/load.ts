/**
 * What is asked of the gateway as a screen comes up, and again when told.
 *
 *   const { admin } = useActions();
 *   const load = useLoad(useCallback(() => admin.sessions(), [admin]));
 *   <Button icon="refresh" busy={load.busy} onClick={load.again}>Refresh</Button>
 *   <Loaded load={load} what="sessions">{(sessions) => ...}</Loaded>          see `Loaded.tsx`
 *
 * What there was stays while it is asked again. Of answers that overtake each other, the one asked for last counts.
 */
import { useCallback, useEffect, useRef, useState } from "react";
import { words } from "./task";

export interface Load<Value> {
  value: Value | null;
  error: string | null;
  busy: boolean;
  /** How many answers or failures there were: what polls waits for it to change. */
  ended: number;
  again(): Promise<void>;
}

type State<Value> = Omit<Load<Value>, "again">;

/** `ask` has to stay the same function for as long as it asks the same. */
export function useLoad<Value>(ask: () => Promise<Value>): Load<Value> {
  const [state, setState] = useState<State<Value>>({ value: null, error: null, busy: true, ended: 0 });
  const newest = useRef(0);

  const again = useCallback(async () => {
    newest.current += 1;
    const mine = newest.current;
    const end = (outcome: Partial<State<Value>>) => {
      if (mine !== newest.current) return;
      setState((before) => ({ ...before, ...outcome, busy: false, ended: before.ended + 1 }));
    };
    setState((before) => ({ ...before, busy: true }));
    await ask().then(
      (value) => end({ value, error: null }),
      (error: unknown) => end({ error: words(error) }),
    );
  }, [ask]);

  useEffect(() => {
    again();
    return () => {
      newest.current += 1;
    };
  }, [again]);
  return { ...state, again };
}
