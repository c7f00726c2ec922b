/** Messages as they are opened: what was opened before is there at once, the rest when it is ready. */

import { useEffect, useReducer, useState } from "react";
import type { Conversation, EntryId, Opened, PartyId } from "../../model";
import { useActions, useView } from "../engine-context";
import { words } from "../parts/task";

export interface Opening {
  opened: Opened | undefined;
  /** Why it is not there, and may be later: the network, not the message. */
  failure: string | null;
  again(): void;
}

/** A list that flies past does not stop to open what nobody can read. */
const PATIENCE_MS = 80;

export function useOpened(id: EntryId | null, flying = false): Opening {
  const actions = useActions();
  const [attempt, again] = useReducer((count: number) => count + 1, 0);
  const [failed, setFailed] = useState<{ id: EntryId; attempt: number; reason: string } | null>(null);
  const opened = id === null ? undefined : actions.opened(id);
  const missing = id !== null && opened === undefined;
  const [, redraw] = useReducer((count: number) => count + 1, 0);

  useEffect(() => {
    if (!missing) return;
    let wanted = true;
    const open = () =>
      actions.open(id).then(
        () => wanted && redraw(),
        (error: unknown) => wanted && setFailed({ id, attempt, reason: words(error) }),
      );
    const timer = setTimeout(open, flying ? PATIENCE_MS : 0);
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [actions, id, missing, flying, attempt]);

  const failure = missing && failed?.id === id && failed.attempt === attempt ? failed.reason : null;
  return { opened, failure, again };
}

/** A conversation's lines, drawn anew whenever one of them changes. */
export function useConversation(party: PartyId): { conversation: Conversation; version: number } {
  const actions = useActions();
  const version = useView(() => actions.conversation(party).version);
  return { conversation: actions.conversation(party), version };
}
