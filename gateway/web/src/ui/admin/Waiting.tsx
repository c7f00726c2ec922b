/** Who waits to be let in: the admin types the six digits that they are told. */
import { useCallback, useEffect, useState } from "react";
import type { JoinRow } from "../../model";
import { useActions } from "../engine-context";
import { KIND_NAMES, ROLE_NAMES } from "../kinds";
import { Badge } from "../parts/Badge";
import { Banner } from "../parts/Banner";
import { Button } from "../parts/Button";
import { typedDigits } from "../parts/digits";
import { Field, Fields } from "../parts/Field";
import { useLoad } from "../parts/load";
import { Section } from "../parts/Page";
import { RelativeTime } from "../parts/RelativeTime";
import { useTask } from "../parts/task";
import { triesLeft } from "./joining";

const LOOK_MS = 3_000;

/**
 * Those who wait, if anybody does. `onLetIn` is told when somebody has come in, or went away.
 *
 * After wrong digits nobody waits with that code until the newcomer's page has asked again: so what went wrong is not told
 * beside the newcomer, but above the list, where it stays.
 */
export function Waiting({ onLetIn }: { onLetIn(): void }) {
  const { admin } = useActions();
  const { value, error, ended, again } = useLoad(useCallback(() => admin.joins(), [admin]));
  // biome-ignore lint/correctness/useExhaustiveDependencies: each answer, or failure, is what the next look waits for
  useEffect(() => {
    const timer = setTimeout(again, LOOK_MS);
    return () => clearTimeout(timer);
  }, [ended, again]);
  const waiting = value?.length ?? 0;
  useChanged(waiting, onLetIn);
  const task = useTask();
  const [tried, setTried] = useState("");
  const letIn = async ({ invite, handle }: JoinRow, digits: string) => {
    setTried(handle);
    await task.run(() => admin.confirm(invite, digits));
    again();
  };
  return (
    <>
      <p role="status" className="visually-hidden">
        {waiting > 0 && `${waiting} waiting to come in`}
      </p>
      {error && <Banner tone="danger">{error}</Banner>}
      {task.error && (
        <Banner tone="danger" title={`${tried} did not come in`} onDismiss={task.clear}>
          {task.error}
        </Banner>
      )}
      {waiting > 0 && <Newcomers rows={value ?? []} busy={task.busy} onDigits={letIn} />}
    </>
  );
}

interface Admission {
  busy: boolean;
  /** Told the digits that were typed for somebody. */
  onDigits(row: JoinRow, digits: string): Promise<void>;
}

function Newcomers({ rows, ...admission }: { rows: readonly JoinRow[] } & Admission) {
  return (
    <Section title="Waiting to come in">
      <ul className="waiting" aria-label="Waiting to come in">
        {rows.map((row) => (
          <li key={row.invite}>
            <Newcomer row={row} {...admission} />
          </li>
        ))}
      </ul>
    </Section>
  );
}

/** Calls back when `count` is another one than before. */
function useChanged(count: number, changed: () => void): void {
  const [before, setBefore] = useState(count);
  useEffect(() => {
    if (count === before) return;
    setBefore(count);
    changed();
  }, [count, before, changed]);
}

function Newcomer({ row, busy, onDigits }: { row: JoinRow } & Admission) {
  const [typed, setTyped] = useState("");
  const digits = typedDigits(typed);
  const confirm = async () => {
    if (digits === null || busy) return;
    await onDigits(row, digits);
    setTyped("");
  };
  return (
    <div className="newcomer">
      <p>
        <strong>{row.handle}</strong>{" "}
        <span className="soft">
          {KIND_NAMES[row.kind]}, {ROLE_NAMES[row.role].toLowerCase()}, since{" "}
          <RelativeTime at={row.since} ago />
        </span>
      </p>
      {row.confirmed ? (
        <p role="status">
          <Badge tone="good">confirmed</Badge> It comes in within seconds.
        </p>
      ) : (
        <Fields onSubmit={confirm}>
          <div className="newcomer-fields">
            <Field
              label={`Six digits that ${row.handle} tells you`}
              hint={`Ask for them: do not guess. ${triesLeft(row.tries)}.`}
              className="mono"
              inputMode="numeric"
              autoComplete="off"
              required
              maxLength={9}
              value={typed}
              onValue={setTyped}
            />
            <Button type="submit" look="primary" icon="check" busy={busy} disabled={digits === null}>
              Let in
            </Button>
          </div>
        </Fields>
      )}
    </div>
  );
}
