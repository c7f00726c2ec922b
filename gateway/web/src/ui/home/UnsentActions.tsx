/** Try again what the gateway refused, or give it up for good. */
import { useState } from "react";
import type { EntryId } from "../../model";
import { useActions } from "../engine-context";
import { Button } from "../parts/Button";
import { Confirm } from "../parts/Dialog";
import { useTask } from "../parts/task";

export function UnsentActions({ id, what }: { id: EntryId; what: string }) {
  const actions = useActions();
  const task = useTask();
  const [discarding, setDiscarding] = useState(false);
  return (
    <span className="unsent-actions">
      <Button
        className="small"
        icon="refresh"
        busy={task.busy}
        onClick={() => task.run(() => actions.retry(id))}
      >
        Retry
      </Button>
      <Button className="small" icon="trash" onClick={() => setDiscarding(true)}>
        Discard
      </Button>
      {task.error && (
        <span className="home-error" role="alert">
          {task.error}
        </span>
      )}
      {discarding && (
        <Confirm
          title={`Discard ${what}?`}
          action="Discard"
          danger
          onConfirm={() => actions.discard(id)}
          onClose={() => setDiscarding(false)}
        >
          <p>It was not sent, and it is gone after this.</p>
        </Confirm>
      )}
    </span>
  );
}
