/** The shifts of a group: those of now and to come, one more, and the end of one. */
import { useMemo, useState } from "react";
import type { GroupRow, ShiftView } from "../../model";
import { useActions, useView } from "../engine-context";
import { span } from "../home/duty";
import { announce } from "../parts/Announcer";
import { Banner } from "../parts/Banner";
import { Button } from "../parts/Button";
import { Dialog } from "../parts/Dialog";
import { Field, Fields, SelectField } from "../parts/Field";
import { fromLocal, toLocal } from "../parts/local-time";
import { useTask } from "../parts/task";
import { byKind, type Parties, partyOfGroup } from "./parties";
import { nextHour, SHIFT_MS } from "./shifts";

const FORM = "plan-shift";
const NOBODY = "";
const NONE: readonly ShiftView[] = [];

interface PlanShiftsProps {
  group: GroupRow;
  parties: Parties;
  onClose(): void;
}

export default function PlanShifts({ group, parties, onClose }: PlanShiftsProps) {
  const { title } = partyOfGroup(group);
  const shifts = useView((view) => view.duty?.find(({ id }) => id === group.id)?.shifts) ?? NONE;
  return (
    <Dialog
      title={`Shifts of ${title}`}
      wide
      onClose={onClose}
      actions={<Button onClick={onClose}>Done</Button>}
    >
      <p>
        While nobody has a shift, everybody in the group is on duty. Who is not on sees an alert, and does not
        hear it.
      </p>
      {shifts.length === 0 ? (
        <p className="soft">No shift is planned.</p>
      ) : (
        <ul className="list shift-list" aria-label={`Planned shifts of ${title}`}>
          {shifts.map((shift) => (
            <li key={`${shift.account} ${shift.begins}`}>
              <Planned group={group} shift={shift} />
            </li>
          ))}
        </ul>
      )}
      <Plan group={group} parties={parties} />
    </Dialog>
  );
}

function Planned({ group, shift }: { group: GroupRow; shift: ShiftView }) {
  const { admin } = useActions();
  const task = useTask();
  const { account, title, ends } = shift;
  const end = async () => {
    const begins = Math.max(shift.begins, Date.now());
    if (await task.run(() => admin.endShift(group.id, account, { begins, ends })))
      announce(`${title} is taken off`);
  };
  return (
    <>
      <span>
        <strong>{title}</strong> {span(shift)}
      </span>
      <Button className="small" label={`Take off ${title}, ${span(shift)}`} busy={task.busy} onClick={end}>
        Take off
      </Button>
      {task.error && <Banner tone="danger">{task.error}</Banner>}
    </>
  );
}

/** After one shift, the next one: a roster is planned in one go. */
function Plan({ group, parties }: { group: GroupRow; parties: Parties }) {
  const { admin } = useActions();
  const task = useTask();
  const members = useMemo(
    () => byKind(group.members.map(parties), ["person", "service", "device"]).filter(({ live }) => live),
    [group, parties],
  );
  const [who, setWho] = useState(members[0]?.id ?? NOBODY);
  const [instead, setInstead] = useState(NOBODY);
  const [begins, setBegins] = useState(() => toLocal(nextHour(Date.now())));
  const [ends, setEnds] = useState(() => toLocal(nextHour(Date.now()) + SHIFT_MS));

  const plan = async () => {
    const [from, to] = [fromLocal(begins), fromLocal(ends)];
    if (from === null || to === null) return;
    const replaced = instead === NOBODY ? {} : { instead };
    const shift = { begins: from, ends: to, ...replaced };
    if (!(await task.run(() => admin.planShift(group.id, who, shift)))) return;
    announce(`${parties(who).title} is planned`);
    setBegins(ends);
    setEnds(toLocal(to + (to - from)));
  };
  return (
    <>
      <Fields id={FORM} onSubmit={plan} className="shift-fields" aria-label="Plan a shift">
        <SelectField label="Who" value={who} onValue={setWho} required>
          {members.map(({ id, title }) => (
            <option key={id} value={id}>
              {title}
            </option>
          ))}
        </SelectField>
        <SelectField label="In place of" value={instead} onValue={setInstead}>
          <option value={NOBODY}>Nobody</option>
          {members
            .filter(({ id }) => id !== who)
            .map(({ id, title }) => (
              <option key={id} value={id}>
                {title}
              </option>
            ))}
        </SelectField>
        <Field label="Begins" type="datetime-local" required value={begins} onValue={setBegins} />
        <Field label="Ends" type="datetime-local" required value={ends} onValue={setEnds} />
      </Fields>
      {task.error && <Banner tone="danger">{task.error}</Banner>}
      <div>
        <Button look="primary" type="submit" form={FORM} icon="plus" busy={task.busy}>
          Plan the shift
        </Button>
      </div>
    </>
  );
}
