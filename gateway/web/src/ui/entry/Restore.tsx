/** Logged in, but without keys on this browser: what happened, and what brings them back. */
import { useState } from "react";
import { useActions } from "../engine-context";
import { Banner } from "../parts/Banner";
import { Button } from "../parts/Button";
import { Fields, PasswordField } from "../parts/Field";
import { Tabs } from "../parts/Tabs";
import { useTask } from "../parts/task";
import { Door } from "./Door";
import { RecoveryCodeField } from "./RecoveryCodeField";

type With = "password" | "recovery";

export function Restore({ handle, lost }: { handle: string; lost: boolean }) {
  const actions = useActions();
  const leaving = useTask();
  const [opener, setOpener] = useState<With>("password");
  return (
    <Door title="Bring your messages to this browser">
      {lost ? (
        <Banner tone="warn" title="This browser lost your keys.">
          Some browsers clear what a page kept after a while, or somebody cleared it. Your messages are not
          lost: they are on the gateway, sealed, and your keys are there too, locked with your password.
        </Banner>
      ) : (
        <p>
          You are logged in as <strong>{handle}</strong>, but this browser does not have your keys yet, so it
          cannot open your messages. They are on the gateway, sealed, and your keys are there too, locked with
          your password.
        </p>
      )}
      <Tabs
        label="What unlocks your keys"
        tabs={[
          { id: "password", label: "Password" },
          { id: "recovery", label: "Recovery code" },
        ]}
        selected={opener}
        onSelect={setOpener}
      >
        {opener === "password" ? <ByPassword handle={handle} /> : <ByRecoveryCode />}
      </Tabs>
      <div className="door-ways">
        <p className="soft">
          If you have neither, ask your admin. They can let you in again with new keys, but what was sent to
          you before stays sealed for good.
        </p>
        {leaving.error && <Banner tone="danger">{leaving.error}</Banner>}
        <Button
          look="quiet"
          icon="back"
          wide
          busy={leaving.busy}
          onClick={() => leaving.run(() => actions.logout({ forget: false }))}
        >
          Log out
        </Button>
      </div>
    </Door>
  );
}

function ByPassword({ handle }: { handle: string }) {
  const actions = useActions();
  const [password, setPassword] = useState("");
  const task = useTask();
  return (
    <Fields onSubmit={() => task.run(() => actions.restore({ password }))}>
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
        Bring my messages back
      </Button>
    </Fields>
  );
}

function ByRecoveryCode() {
  const actions = useActions();
  const [code, setCode] = useState("");
  const task = useTask();
  return (
    <Fields onSubmit={() => task.run(() => actions.restore({ recovery: code }))}>
      <RecoveryCodeField value={code} onValue={setCode} error={task.error} />
      <Button type="submit" look="primary" wide busy={task.busy}>
        Bring my messages back
      </Button>
    </Fields>
  );
}
