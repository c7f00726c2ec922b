/**
 * Says something to who listens to the page rather than looks at it.
 *
 *   announce("Message sent");                        in its turn
 *   announce("New alert, high priority", "now");     at once
 *   hush();                                          what was said is nowhere in the page any more
 *
 * `App` draws the one `<Announcer />`.
 */
import { useSyncExternalStore } from "react";

interface Said {
  number: number;
  text: string;
}

type When = "in turn" | "now";

const said: Record<When, Said> = { "in turn": { number: 0, text: "" }, now: { number: 0, text: "" } };
const watchers = new Set<() => void>();

export function announce(text: string, when: When = "in turn"): void {
  said[when] = { number: said[when].number + 1, text };
  for (const each of watchers) each();
}

export function hush(): void {
  announce("");
  announce("", "now");
}

function subscribe(changed: () => void): () => void {
  watchers.add(changed);
  return () => watchers.delete(changed);
}

export function Announcer() {
  const inTurn = useSyncExternalStore(subscribe, () => said["in turn"]);
  const now = useSyncExternalStore(subscribe, () => said.now);
  return (
    <>
      {/* A new element each time: the same words twice are said twice. */}
      <div role="status" className="visually-hidden">
        <span key={inTurn.number}>{inTurn.text}</span>
      </div>
      <div role="alert" className="visually-hidden">
        <span key={now.number}>{now.text}</span>
      </div>
    </>
  );
}
