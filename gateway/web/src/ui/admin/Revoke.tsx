/** Ends an account for good, once its handle was typed. */
import { useState } from "react";
import type { AccountRow, AdminActions } from "../../model";
import { useActions } from "../engine-context";
import { announce } from "../parts/Announcer";
import { Banner } from "../parts/Banner";
import { Button } from "../parts/Button";
import { Dialog } from "../parts/Dialog";
import { Field, Fields, SelectField } from "../parts/Field";
import { useTask } from "../parts/task";
import { titleOf } from "./parties";

const FORM = "revoke";

type Reason = Parameters<AdminActions["revoke"]>[1];

const REASONS: Record<Reason, string> = {
  left: "Left: they no longer work here",
  lost: "Lost: the device, or all of its keys",
  compromised: "Compromised: somebody else may have the keys",
  retired: "Retired: taken out of use",
};

interface RevokeProps {
  account: AccountRow;
  onRevoked(): Promise<void>;
  onClose(): void;
}

export function Revoke({ account, onRevoked, onClose }: RevokeProps) {
  const { admin } = useActions();
  const task = useTask();
  const [reason, setReason] = useState<Reason>(account.kind === "person" ? "left" : "retired");
  const [typed, setTyped] = useState("");
  const [wrong, setWrong] = useState(false);
  const title = titleOf(account);
  const confirmation = account.handle ?? account.account;

  const revoke = async () => {
    setWrong(typed.trim() !== confirmation);
    if (typed.trim() !== confirmation) return;
    if (!(await task.run(() => admin.revoke(account.account, reason)))) return;
    announce(`The account of ${title} has ended`);
    onClose();
    await onRevoked();
  };
  return (
    <Dialog
      title={`Revoke ${title}?`}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="danger" type="submit" form={FORM} busy={task.busy}>
            Revoke for good
          </Button>
        </>
      }
    >
      <p>
        <strong>This cannot be undone.</strong> From now on {title} can neither log in, nor send or receive
        anything, and is logged out everywhere.
      </p>
      <p>
        What {title} said stays where it is, and who received it can still read it. To come back, they need a
        new join code, and get a new account.
      </p>
      <Fields id={FORM} onSubmit={revoke}>
        <SelectField
          label="Reason"
          hint="It stays on the chain, for everybody who checks it."
          value={reason}
          onValue={(value) => setReason(value as Reason)}
        >
          {Object.entries(REASONS).map(([value, said]) => (
            <option key={value} value={value}>
              {said}
            </option>
          ))}
        </SelectField>
        <Field
          label={`Type ${confirmation} to confirm`}
          className="mono"
          autoCapitalize="none"
          autoComplete="off"
          autoCorrect="off"
          spellCheck={false}
          value={typed}
          onValue={(value) => {
            setTyped(value);
            setWrong(false);
          }}
          error={wrong ? `This is not ${confirmation}.` : null}
        />
      </Fields>
      {task.error && <Banner tone="danger">{task.error}</Banner>}
    </Dialog>
  );
}
