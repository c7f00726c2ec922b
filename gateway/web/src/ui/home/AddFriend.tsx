/** Ask somebody to be a friend, by handle. */
import { useState } from "react";
import { useActions } from "../engine-context";
import { announce } from "../parts/Announcer";
import { Button } from "../parts/Button";
import { Dialog } from "../parts/Dialog";
import { Field, Fields } from "../parts/Field";
import { useTask } from "../parts/task";

const FORM = "add-friend";

export function AddFriend({ onClose }: { onClose(): void }) {
  const actions = useActions();
  const task = useTask();
  const [handle, setHandle] = useState("");

  const ask = async () => {
    if (!(await task.run(() => actions.befriend(handle.trim())))) return;
    announce(`${handle.trim()} was asked`);
    onClose();
  };
  return (
    <Dialog
      title="Add a friend"
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit" form={FORM} busy={task.busy}>
            Ask
          </Button>
        </>
      }
    >
      <p>They get a request. You can write to each other once they have accepted it.</p>
      <Fields id={FORM} onSubmit={ask}>
        <Field
          label="Handle"
          hint="As in dr.lee or fridge-2. Ask them for it, or your administrator."
          value={handle}
          onValue={setHandle}
          error={task.error}
          autoCapitalize="none"
          autoComplete="off"
          autoCorrect="off"
          spellCheck={false}
          required
        />
      </Fields>
    </Dialog>
  );
}
