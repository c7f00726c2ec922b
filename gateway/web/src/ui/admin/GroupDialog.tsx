/** Makes a group, or changes the name and the members of one. */
import { useMemo, useState } from "react";
import type { GroupRow, PartyId } from "../../model";
import { useActions } from "../engine-context";
import { announce } from "../parts/Announcer";
import { Banner } from "../parts/Banner";
import { Button } from "../parts/Button";
import { Dialog } from "../parts/Dialog";
import { Field, Fields } from "../parts/Field";
import { useTask } from "../parts/task";
import { Choices } from "./Choices";
import { count } from "./health";
import { byKind, type Party } from "./parties";

const FORM = "group";
const LONGEST_NAME = 80;
const MOST_MEMBERS = 64;

interface GroupDialogProps {
  /** Null for a new one. */
  group: GroupRow | null;
  everybody: readonly Party[];
  onSaved(): Promise<void>;
  onClose(): void;
}

export function GroupDialog({ group, everybody, onSaved, onClose }: GroupDialogProps) {
  const { admin } = useActions();
  const task = useTask();
  const [name, setName] = useState(group?.name ?? "");
  const [members, setMembers] = useState<ReadonlySet<PartyId>>(new Set(group?.members ?? []));
  const [wrong, setWrong] = useState<string | null>(null);
  const listed = useMemo(() => byKind(everybody, ["person", "service", "device"]), [everybody]);

  const save = async () => {
    const found = wrongWithMembers(members.size);
    setWrong(found);
    if (found !== null) return;
    const wish = { id: group?.id ?? null, name: name.trim(), members: [...members] };
    if (!(await task.run(() => admin.group(wish)))) return;
    announce(`${wish.name} is saved`);
    onClose();
    await onSaved();
  };
  return (
    <Dialog
      title={group === null ? "New group" : `Edit ${group.name ?? "the group"}`}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit" form={FORM} busy={task.busy}>
            {group === null ? "Make the group" : "Save the group"}
          </Button>
        </>
      }
    >
      <Fields id={FORM} onSubmit={save}>
        <Field
          label="Name"
          hint="As in Ward 3 on call. Everybody in it sees it, and so does the gateway."
          autoComplete="off"
          required
          // A name of spaces is none.
          pattern=".*\S.*"
          maxLength={LONGEST_NAME}
          value={name}
          onValue={setName}
        />
        <Choices
          legend="Members"
          several
          parties={listed}
          chosen={members}
          onChosen={(chosen) => {
            setMembers(chosen);
            setWrong(null);
          }}
        />
      </Fields>
      <p className="soft" role="status">
        {count(members.size, "member")} chosen
      </p>
      {(wrong ?? task.error) && <Banner tone="danger">{wrong ?? task.error}</Banner>}
    </Dialog>
  );
}

function wrongWithMembers(number: number): string | null {
  if (number === 0)
    return "Choose at least one member. A group that is no longer needed can be ended in the list.";
  return number > MOST_MEMBERS ? `A group has at most ${MOST_MEMBERS} members.` : null;
}
