/** A new recovery code, for who lost the paper or fears that somebody saw it. */
import { useState } from "react";
import { useActions } from "../engine-context";
import { RecoveryCode } from "../entry/RecoveryCode";
import { Banner } from "../parts/Banner";
import { Button } from "../parts/Button";
import { Dialog } from "../parts/Dialog";
import { Fields, PasswordField } from "../parts/Field";
import { Section } from "../parts/Page";
import { useTask } from "../parts/task";

export function RenewRecovery({ handle }: { handle: string }) {
  const [open, setOpen] = useState(false);
  return (
    <Section title="Recovery code">
      <p className="soft">
        It brings your messages back if you forget your password. If you lost it, or somebody may have seen
        it, make a new one: the old one no longer works then.
      </p>
      <div>
        <Button icon="key" onClick={() => setOpen(true)}>
          Make a new recovery code
        </Button>
      </div>
      {open && <RenewDialog handle={handle} onClose={() => setOpen(false)} />}
    </Section>
  );
}

function RenewDialog({ handle, onClose }: { handle: string; onClose(): void }) {
  const actions = useActions();
  const [password, setPassword] = useState("");
  const [code, setCode] = useState<string | null>(null);
  const task = useTask();
  if (code !== null) {
    return (
      <Dialog
        key="code"
        title="Your new recovery code"
        onClose={onClose}
        actions={
          <Button look="primary" onClick={onClose}>
            I have written it down
          </Button>
        }
      >
        <RecoveryCode code={code} />
        <Banner tone="warn" title="It is shown only now.">
          Write it on paper, and throw the old one away.
        </Banner>
      </Dialog>
    );
  }
  return (
    <Dialog key="password" title="Make a new recovery code" onClose={onClose}>
      <Fields onSubmit={() => task.run(async () => setCode(await actions.renewRecovery(password)))}>
        <input hidden type="text" autoComplete="username" value={handle} readOnly />
        <PasswordField
          label="Password"
          autoComplete="current-password"
          required
          value={password}
          onValue={setPassword}
          error={task.error}
        />
        <Button type="submit" look="primary" wide busy={task.busy}>
          Make a new code
        </Button>
      </Fields>
    </Dialog>
  );
}
