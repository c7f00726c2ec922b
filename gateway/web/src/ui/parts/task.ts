/**
 * Something that a person asked for, and that takes a while.
 *
 *   const leave = useTask();
 *   <Button busy={leave.busy} onClick={() => leave.run(() => actions.logout({ forget: false }))}>Log out</Button>
 *   {leave.error && <Banner tone="danger">{leave.error}</Banner>}
 *
 * `run` tells whether it worked; a second run while the first goes on does nothing. `error` is for a person to read.
 */
import { useCallback, useRef, useState } from "react";

export interface Task {
  busy: boolean;
  error: string | null;
  run(work: () => Promise<void>): Promise<boolean>;
  clear(): void;
}

export function useTask(): Task {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  // What `busy` says is only known after a render; two quick taps come before it.
  const running = useRef(false);

  const run = useCallback(async (work: () => Promise<void>) => {
    if (running.current) return false;
    running.current = true;
    setBusy(true);
    setError(null);
    try {
      await work();
      return true;
    } catch (error) {
      setError(words(error));
      return false;
    } finally {
      running.current = false;
      setBusy(false);
    }
  }, []);
  const clear = useCallback(() => setError(null), []);
  return { busy, error, run, clear };
}

/** What an error says to a person. */
export function words(error: unknown): string {
  return error instanceof Error && error.message ? error.message : "That did not work. Please try again.";
}
