/** Asks a device for other limits for one of its sensors. They are in force once the device confirms them. */
import { useState } from "react";
import type { AccountId, Priority, SensorLimits } from "../../model";
import { useActions } from "../engine-context";
import { announce } from "../parts/Announcer";
import { Banner } from "../parts/Banner";
import { Button } from "../parts/Button";
import { Dialog } from "../parts/Dialog";
import { Field, Fields, SelectField } from "../parts/Field";
import { useTask } from "../parts/task";
import { unitInWords } from "./amounts";
import { changesOf, type Filled, filled, type Wrong } from "./limits";

const FORM = "limits";

interface LimitsFormProps {
  device: AccountId;
  title: string;
  sensor: SensorLimits;
  onAsked(): Promise<void>;
  onClose(): void;
}

export default function LimitsForm({ device, title, sensor, onAsked, onClose }: LimitsFormProps) {
  const actions = useActions();
  const task = useTask();
  const [form, setForm] = useState(() => filled(sensor.limits));
  const [wrong, setWrong] = useState<Wrong>({});
  const [same, setSame] = useState(false);
  const unit = unitInWords(sensor.unit);
  const inUnit = unit === "" ? "" : ` (${unit})`;

  const fill = (name: keyof Filled) => (value: string) => {
    setForm({ ...form, [name]: value });
    setWrong({ ...wrong, [name]: undefined });
    setSame(false);
  };
  const ask = async () => {
    const { changes, wrong } = changesOf(form, sensor.limits, sensor.unit);
    setWrong(wrong ?? {});
    if (changes === null) return;
    const isSame = Object.keys(changes).length === 0;
    setSame(isSame);
    if (isSame || !(await task.run(() => actions.setLimits(device, sensor.sensor, changes)))) return;
    announce(`${title} was asked for other limits`);
    onClose();
    await onAsked();
  };
  const text = { inputMode: "decimal", autoComplete: "off" } as const;
  return (
    <Dialog
      title={`Limits of ${sensor.sensor}`}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit" form={FORM} busy={task.busy}>
            Ask the device
          </Button>
        </>
      }
    >
      <p>{title} gets a message signed by you, and confirms it. Until then the old limits hold.</p>
      <Fields id={FORM} onSubmit={ask} className="limits-form">
        <Field
          {...text}
          label={`Alert below${inUnit}`}
          hint="Empty: never too low."
          value={form.low}
          onValue={fill("low")}
          error={wrong.low ?? null}
        />
        <Field
          {...text}
          label={`Alert above${inUnit}`}
          hint="Empty: never too high."
          value={form.high}
          onValue={fill("high")}
          error={wrong.high ?? null}
        />
        <Field
          {...text}
          label="For at least (seconds)"
          hint="Shorter is no alert. Empty: at once."
          value={form.mustLast}
          onValue={fill("mustLast")}
          error={wrong.mustLast ?? null}
        />
        <Field
          {...text}
          label={`Over when so far inside${inUnit}`}
          hint="Keeps an alert from coming and going."
          value={form.clearBy}
          onValue={fill("clearBy")}
          error={wrong.clearBy ?? null}
        />
        <Field
          {...text}
          label="Alert without a reading for (seconds)"
          hint="Empty: it may be silent."
          value={form.staleAfter}
          onValue={fill("staleAfter")}
          error={wrong.staleAfter ?? null}
        />
        <SelectField
          label="Priority"
          hint="How urgent its alerts are."
          value={form.priority}
          onValue={(value) => fill("priority")(value as Priority)}
        >
          <option value="high">High</option>
          <option value="medium">Medium</option>
          <option value="low">Low</option>
          <option value="info">Information</option>
        </SelectField>
      </Fields>
      {same && <Banner>These are the limits that are in force already.</Banner>}
      {task.error && <Banner tone="danger">{task.error}</Banner>}
    </Dialog>
  );
}
