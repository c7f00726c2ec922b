/** Leaves an alert alone for a while: until when, and why. It is no answer to it. */
import { useState } from "react";
import type { AlertView, SnoozeReason } from "../../model";
import { useActions } from "../engine-context";
import { announce } from "../parts/Announcer";
import { Banner } from "../parts/Banner";
import { Button } from "../parts/Button";
import { Dialog } from "../parts/Dialog";
import { Field, Fields } from "../parts/Field";
import { Radios } from "../parts/Radios";
import { useTask } from "../parts/task";
import { clock } from "./days";
import { endOf, REASONS, type Span } from "./snooze";

const FORM = "snooze";
const SPANS: readonly (readonly [Span, string])[] = [
  ["quarter", "15 minutes"],
  ["hour", "1 hour"],
  ["clock", "Until a time"],
];

export default function Snooze({ alert, onClose }: { alert: AlertView; onClose(): void }) {
  const actions = useActions();
  const task = useTask();
  const [span, setSpan] = useState<Span>("quarter");
  const [time, setTime] = useState("");
  const [reason, setReason] = useState<SnoozeReason | null>(null);

  const snooze = async () => {
    const until = endOf(span, time, Date.now());
    if (until === null || reason === null) return;
    if (!(await task.run(() => actions.snooze(alert.episode, until, reason)))) return;
    announce(`Snoozed until ${clock(until)}`);
    onClose();
  };
  return (
    <Dialog
      title="Snooze this alert"
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit" form={FORM} busy={task.busy}>
            Snooze
          </Button>
        </>
      }
    >
      <p>
        It is silent for everybody until then, and goes to nobody else. It is not taken: it stays in the list,
        and comes back by itself. It comes back at once if it gets more urgent.
      </p>
      <Fields id={FORM} onSubmit={snooze}>
        <Radios legend="For how long?" choices={SPANS} chosen={span} onChosen={setSpan} />
        {span === "clock" && (
          <Field
            label="Until"
            hint="Within the next 24 hours."
            type="time"
            required
            value={time}
            onValue={setTime}
          />
        )}
        <Radios legend="Why?" choices={REASONS} chosen={reason} onChosen={setReason} />
      </Fields>
      {task.error && <Banner tone="danger">{task.error}</Banner>}
    </Dialog>
  );
}
