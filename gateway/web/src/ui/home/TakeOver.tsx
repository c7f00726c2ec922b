/** Be on duty: in place of somebody, or as one more; until when, and what the others should know. */
import { useMemo, useState } from "react";
import type { DutyGroup } from "../../model";
import { useActions } from "../engine-context";
import { announce } from "../parts/Announcer";
import { Banner } from "../parts/Banner";
import { Button } from "../parts/Button";
import { Dialog } from "../parts/Dialog";
import { Field, Fields, SelectField, TextField } from "../parts/Field";
import { fromLocal, toLocal } from "../parts/local-time";
import { useTask } from "../parts/task";
import { span } from "./duty";
import { takeable, usual } from "./takeover";

const FORM = "take-over";
const NOBODY = "";

export default function TakeOver({ group, onClose }: { group: DutyGroup; onClose(): void }) {
  const actions = useActions();
  const task = useTask();
  const [opened] = useState(() => Date.now());
  const shifts = useMemo(() => takeable(group), [group]);
  const [chosen, setChosen] = useState(() => (shifts[0] ? keyOf(shifts[0]) : NOBODY));
  const shift = shifts.find((each) => keyOf(each) === chosen) ?? null;
  const wish = usual(shift, opened);
  const [begins, setBegins] = useState<string | null>(null);
  const [ends, setEnds] = useState<string | null>(null);
  const [note, setNote] = useState("");

  const take = async () => {
    const times = {
      begins: begins === null ? wish.begins : fromLocal(begins),
      ends: ends === null ? wish.ends : fromLocal(ends),
    };
    if (times.begins === null || times.ends === null) return;
    const from = wish.from === null ? {} : { from: wish.from };
    const taken = { ...from, begins: times.begins, ends: times.ends, note };
    const done = await task.run(() => actions.takeShift(group.id, taken));
    if (!done) return;
    announce(`You took over duty in ${group.title}`);
    onClose();
  };
  const choose = (value: string) => {
    setChosen(value);
    setBegins(null);
    setEnds(null);
  };
  return (
    <Dialog
      title={`Take over duty in ${group.title}`}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit" form={FORM} busy={task.busy}>
            Take over
          </Button>
        </>
      }
    >
      <Fields id={FORM} onSubmit={take}>
        <SelectField label="From" value={chosen} onValue={choose}>
          {shifts.map((each) => (
            <option key={keyOf(each)} value={keyOf(each)}>
              {each.title}, {span(each)}
            </option>
          ))}
          <option value={NOBODY}>{group.everybody ? "Nobody: it is open" : "Nobody: be on as well"}</option>
        </SelectField>
        {group.everybody && (
          <p>
            Nobody is planned now, so everybody is on. Once you take over, <strong>only you are</strong>: the
            others no longer hear alerts.
          </p>
        )}
        <div className="duty-times">
          <Field
            label="Begins"
            type="datetime-local"
            required
            value={begins ?? toLocal(wish.begins)}
            onValue={setBegins}
          />
          <Field
            label="Until"
            type="datetime-local"
            required
            value={ends ?? toLocal(wish.ends)}
            onValue={setEnds}
          />
        </div>
        <TextField
          label="Hand-over note"
          hint="What the others should know. It is sent to the group as a message; leave it empty if there is nothing."
          rows={3}
          value={note}
          onValue={setNote}
        />
      </Fields>
      {task.error && <Banner tone="danger">{task.error}</Banner>}
    </Dialog>
  );
}

function keyOf({ account, begins }: { account: string; begins: number }): string {
  return `${account} ${begins}`;
}
