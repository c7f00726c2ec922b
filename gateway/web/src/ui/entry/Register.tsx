/** Joining: a code, what it is for, a name and a password, and then some seconds in which keys are made. */
import { useEffect, useState } from "react";
import type { InvitedView, Kind } from "../../model";
import { useActions } from "../engine-context";
import { KIND_NAMES, ROLE_NAMES } from "../kinds";
import { Banner } from "../parts/Banner";
import { Button } from "../parts/Button";
import { Field, Fields } from "../parts/Field";
import { Facts } from "../parts/Page";
import { ExactTime } from "../parts/RelativeTime";
import { Progress } from "../parts/Spinner";
import { useTask } from "../parts/task";
import { Door } from "./Door";
import { NewPassword, useNewPassword } from "./NewPassword";

interface RegisterProps {
  /** From a link; empty if there was none. */
  joinString: string;
  onLeave(): void;
  /** They have joined: the code is used up. */
  onJoined(): void;
}

interface Invitation {
  code: string;
  invited: InvitedView;
}

export function Register({ joinString, onLeave, onJoined }: RegisterProps) {
  const [invitation, setInvitation] = useState<Invitation | null>(null);
  return invitation ? (
    <Particulars invitation={invitation} onBack={() => setInvitation(null)} onJoined={onJoined} />
  ) : (
    <LookUp joinString={joinString} onFound={setInvitation} onLeave={onLeave} />
  );
}

interface LookUpProps {
  joinString: string;
  onFound(invitation: Invitation): void;
  onLeave(): void;
}

function LookUp({ joinString, onFound, onLeave }: LookUpProps) {
  const actions = useActions();
  const [code, setCode] = useState(joinString);
  const { run, busy, error } = useTask();
  const lookUp = (wanted: string) =>
    run(async () => onFound({ code: wanted, invited: await actions.lookUpCode(wanted) }));
  return (
    <Door title="Join with a code">
      <p className="soft">Your admin gave you a join code, as text or as a QR code. It works once.</p>
      <Fields onSubmit={() => lookUp(code.trim())}>
        <Field
          label="Join code"
          hint="It looks like HOST:PORT/PIN/SECRET. Paste it, or type it exactly."
          className="mono"
          autoComplete="off"
          autoCapitalize="none"
          autoCorrect="off"
          spellCheck={false}
          required
          value={code}
          onValue={setCode}
          error={error}
        />
        <Button type="submit" look="primary" wide busy={busy}>
          Look up the code
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

interface ParticularsProps {
  invitation: Invitation;
  onBack(): void;
  onJoined(): void;
}

function Particulars({ invitation: { code, invited }, onBack, onJoined }: ParticularsProps) {
  const actions = useActions();
  const [name, setName] = useState("");
  const [step, setStep] = useState("Making your keys");
  const fresh = useNewPassword();
  const task = useTask();
  const submit = async () => {
    if (!fresh.check()) return;
    const wish = { code, name: name.trim(), password: fresh.password, progress: setStep };
    if (await task.run(() => actions.register(wish))) onJoined();
  };
  if (invited.kind !== "person") return <NotForPeople kind={invited.kind} onBack={onBack} />;
  if (task.busy) return <Joining step={step} />;
  return (
    <Door title="Join">
      <Facts
        facts={[
          ["Your handle", <strong key="handle">{invited.handle}</strong>],
          ["Kind", KIND_NAMES[invited.kind]],
          ["Role", ROLE_NAMES[invited.role]],
          ["Code works until", <ExactTime key="expires" at={invited.expires} full />],
        ]}
      />
      <Fields onSubmit={submit}>
        {/* For password managers, which file a password under a user name. */}
        <input hidden type="text" autoComplete="username" value={invited.handle} readOnly />
        <Field
          label="Your name"
          hint="As colleagues know you, for example Dr. Mary Lee. You cannot change the handle later."
          autoComplete="name"
          required
          maxLength={80}
          value={name}
          onValue={setName}
        />
        <NewPassword fresh={fresh} />
        {task.error && <Banner tone="danger">{task.error}</Banner>}
        <Button type="submit" look="primary" wide>
          Make my keys and join
        </Button>
      </Fields>
      <div className="door-ways">
        <Button look="quiet" icon="back" wide onClick={onBack}>
          Use another code
        </Button>
      </div>
    </Door>
  );
}

function Joining({ step }: { step: string }) {
  // Keys that are lost half-way waste the code: the browser asks before it leaves.
  useEffect(() => {
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  }, []);
  return (
    <Door title="Joining">
      <div role="status">
        <Progress label={step} />
      </div>
      <p className="soft">This takes some seconds. Leave the page open.</p>
    </Door>
  );
}

function NotForPeople({ kind, onBack }: { kind: Kind; onBack(): void }) {
  return (
    <Door title="This code is not for a person">
      <p>
        It lets a {kind} in. Use it on that {kind}, or ask your admin for a code for yourself.
      </p>
      <div className="door-ways">
        <Button look="quiet" icon="back" wide onClick={onBack}>
          Use another code
        </Button>
      </div>
    </Door>
  );
}
