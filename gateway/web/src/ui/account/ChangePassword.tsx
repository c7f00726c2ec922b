/** A new password for who knows the old one. */
import { useState } from "react";
import { useActions } from "../engine-context";
import { NewPassword, useNewPassword } from "../entry/NewPassword";
import { Banner } from "../parts/Banner";
import { Button } from "../parts/Button";
import { Fields, PasswordField } from "../parts/Field";
import { Section } from "../parts/Page";
import { useTask } from "../parts/task";

export function ChangePassword({ handle }: { handle: string }) {
  // A form that worked is replaced by an empty one.
  const [changes, setChanges] = useState(0);
  return (
    <Section title="Password">
      {changes > 0 && (
        <Banner tone="good">Your password is changed. Your recovery code stays the same.</Banner>
      )}
      <ChangeForm key={changes} handle={handle} onChanged={() => setChanges(changes + 1)} />
    </Section>
  );
}

function ChangeForm({ handle, onChanged }: { handle: string; onChanged(): void }) {
  const actions = useActions();
  const [old, setOld] = useState("");
  const fresh = useNewPassword();
  const task = useTask();
  const submit = async () => {
    if (!fresh.check()) return;
    if (await task.run(() => actions.changePassword(old, fresh.password))) onChanged();
  };
  return (
    <Fields onSubmit={submit}>
      <input hidden type="text" autoComplete="username" value={handle} readOnly />
      <PasswordField
        label="Current password"
        autoComplete="current-password"
        required
        value={old}
        onValue={setOld}
      />
      <NewPassword fresh={fresh} />
      {task.error && <Banner tone="danger">{task.error}</Banner>}
      <div>
        <Button type="submit" busy={task.busy}>
          Change password
        </Button>
      </div>
    </Fields>
  );
}
