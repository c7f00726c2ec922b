/**
 * What `useLoad` asked for: a place held for it while it is on its way, and what went wrong, with another try.
 *
 *   <Loaded load={load} what="sessions">{(sessions) => <Table ... />}</Loaded>
 */
import "./loaded.css";
import type { ReactNode } from "react";
import { Banner } from "./Banner";
import { Button } from "./Button";
import type { Load } from "./load";
import { Spinner } from "./Spinner";

interface LoadedProps<Value> {
  load: Load<Value>;
  /** What comes, as in `Loading sessions`. */
  what: string;
  children(value: Value): ReactNode;
}

export function Loaded<Value>({ load, what, children }: LoadedProps<Value>) {
  return (
    <>
      {load.error && (
        <Banner
          tone="danger"
          actions={
            <Button icon="refresh" busy={load.busy} onClick={load.again}>
              Try again
            </Button>
          }
        >
          {load.error}
        </Banner>
      )}
      {load.value !== null && children(load.value)}
      {load.value === null && load.error === null && <Loading what={what} />}
    </>
  );
}

export function Loading({ what }: { what: string }) {
  return (
    <p className="loading" role="status">
      <Spinner /> Loading {what}
    </p>
  );
}
