/** Nobody is logged in: log in, join with a code, or come back in with the recovery code. */
import { useState } from "react";
import { useActions } from "../engine-context";
import { Banner } from "../parts/Banner";
import { Button } from "../parts/Button";
import { Field, Fields, PasswordField } from "../parts/Field";
import { useTask } from "../parts/task";
import { Door } from "./Door";
import { NewPassword, useNewPassword } from "./NewPassword";
import { RecoveryCodeField } from "./RecoveryCodeField";
import { Register } from "./Register";

type Way = "login" | "join" | "forgot";

interface WelcomeProps {
  reason: string | null;
  handle: string | null;
  joinString: string | null;
  /** The join code is not wanted any more. */
  onLeaveJoining(): void;
}

export function Welcome({ reason, handle, joinString, onLeaveJoining }: WelcomeProps) {
  // Who was told that something ended reads it first: a code that is left over may be why.
  const [way, setWay] = useState<Way>(joinString && reason === null ? "join" : "login");
  const [typed, setTyped] = useState(handle ?? "");
  const toLogin = () => {
    onLeaveJoining();
    setWay("login");
  };
  switch (way) {
    case "login":
      return <Login reason={reason} handle={typed} onHandle={setTyped} onWay={setWay} />;
    case "join":
      return <Register joinString={joinString ?? ""} onLeave={toLogin} onJoined={onLeaveJoining} />;
    case "forgot":
      return <Forgot handle={typed} onHandle={setTyped} onLeave={toLogin} />;
  }
}

interface LoginProps {
  reason: string | null;
  handle: string;
  onHandle(handle: string): void;
  onWay(way: Way): void;
}

function Login({ reason, handle, onHandle, onWay }: LoginProps) {
  const actions = useActions();
  const [password, setPassword] = useState("");
  const task = useTask();
  return (
    <Door title="Log in">
      {reason && <Banner>{reason}</Banner>}
      <Fields onSubmit={() => task.run(() => actions.login(handle.trim(), password))}>
        <HandleField value={handle} onValue={onHandle} />
        <PasswordField
          label="Password"
          autoComplete="current-password"
          required
          value={password}
          onValue={setPassword}
        />
        {task.error && <Banner tone="danger">{task.error}</Banner>}
        <Button type="submit" look="primary" wide busy={task.busy}>
          Log in
        </Button>
      </Fields>
      <div className="door-ways">
        <Button look="quiet" icon="key" wide onClick={() => onWay("join")}>
          I have a join code
        </Button>
        <Button look="quiet" icon="refresh" wide onClick={() => onWay("forgot")}>
          I forgot my password
        </Button>
      </div>
    </Door>
  );
}

interface ForgotProps {
  handle: string;
  onHandle(handle: string): void;
  onLeave(): void;
}

function Forgot({ handle, onHandle, onLeave }: ForgotProps) {
  const actions = useActions();
  const [code, setCode] = useState("");
  const fresh = useNewPassword();
  const task = useTask();
  const submit = () => {
    if (fresh.check()) task.run(() => actions.loginWithRecovery(handle.trim(), code, fresh.password));
  };
  return (
    <Door title="Set a new password">
      <p className="soft">
        Your recovery code is the one you wrote down when you joined. Without it nobody can bring your
        messages back, not even your admin; they can let you in again with new keys.
      </p>
      <Fields onSubmit={submit}>
        <HandleField value={handle} onValue={onHandle} />
        <RecoveryCodeField value={code} onValue={setCode} />
        <NewPassword fresh={fresh} />
        {task.error && <Banner tone="danger">{task.error}</Banner>}
        <Button type="submit" look="primary" wide busy={task.busy}>
          Set password and log in
        </Button>
      </Fields>
      <div className="door-ways">
        <Button look="quiet" icon="back" wide onClick={onLeave}>
          Back to log in
        </Button>
      </div>
    </Door>
  );
}

function HandleField({ value, onValue }: { value: string; onValue(value: string): void }) {
  return (
    <Field
      label="Handle"
      hint="The short name that you joined with, such as dr.lee."
      autoComplete="username"
      autoCapitalize="none"
      autoCorrect="off"
      spellCheck={false}
      required
      value={value}
      onValue={onValue}
    />
  );
}
