/** The recovery code of who has just joined: shown, written down, typed in again. There is no way past it. */
import { useState } from "react";
import { useActions } from "../engine-context";
import { Banner } from "../parts/Banner";
import { Button } from "../parts/Button";
import { Fields } from "../parts/Field";
import { useTask } from "../parts/task";
import { Door } from "./Door";
import { RecoveryCode } from "./RecoveryCode";
import { RecoveryCodeField } from "./RecoveryCodeField";

export function Recovery({ code }: { code: string }) {
  const [written, setWritten] = useState(false);
  return written ? (
    <TypeAgain onBack={() => setWritten(false)} />
  ) : (
    <Door title="Your recovery code">
      <p>
        If you forget your password, or this browser loses your keys, this code brings your messages back.
        Nothing else can.
      </p>
      <RecoveryCode code={code} />
      <Banner tone="warn" title="It is shown only now.">
        Write it on paper, and keep it where you keep your other papers. Do not keep it on this device, and
        tell nobody: who has it can read your messages.
      </Banner>
      <Button look="primary" wide onClick={() => setWritten(true)}>
        I have written it down
      </Button>
    </Door>
  );
}

function TypeAgain({ onBack }: { onBack(): void }) {
  const actions = useActions();
  const [typed, setTyped] = useState("");
  const task = useTask();
  return (
    <Door title="Type your recovery code">
      <p className="soft">From your paper, to be sure that it is right.</p>
      <Fields onSubmit={() => task.run(() => actions.confirmRecovery(typed))}>
        <RecoveryCodeField value={typed} onValue={setTyped} error={task.error} />
        <Button type="submit" look="primary" wide busy={task.busy}>
          Confirm
        </Button>
      </Fields>
      <div className="door-ways">
        <Button look="quiet" icon="back" wide onClick={onBack}>
          Show the code again
        </Button>
      </div>
    </Door>
  );
}
