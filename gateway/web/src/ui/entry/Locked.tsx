/** Nobody used the page for a while: what is open is counted, and goes on sounding, and nobody is named. */
import "./locked.css";
import { useMemo, useState } from "react";
import { useActions, useView } from "../engine-context";
import { countOpen, unanswered } from "../open-alerts";
import { Banner } from "../parts/Banner";
import { Button } from "../parts/Button";
import { Fields, PasswordField } from "../parts/Field";
import { Icon } from "../parts/Icon";
import { Toolbar } from "../parts/Page";
import { PriorityMark, priorityWords } from "../parts/Priority";
import { RelativeTime } from "../parts/RelativeTime";
import { useTask } from "../parts/task";
import { ConnectionLamp, LogOut, NothingKept, SoundLamp, SoundOff } from "../status";
import { Door } from "./Door";

export function Locked({ handle }: { handle: string }) {
  const actions = useActions();
  const [password, setPassword] = useState("");
  const [leaving, setLeaving] = useState(false);
  const task = useTask();
  return (
    <Door title="Locked">
      <OpenAlerts />
      <NothingKept />
      <Toolbar>
        <ConnectionLamp />
        <SoundLamp />
      </Toolbar>
      <SoundOff />
      <Fields onSubmit={() => task.run(() => actions.unlock(password))}>
        <input hidden type="text" autoComplete="username" value={handle} readOnly />
        <PasswordField
          label="Password"
          autoComplete="current-password"
          required
          value={password}
          onValue={setPassword}
          error={task.error}
        />
        <Button type="submit" look="primary" icon="lock" wide busy={task.busy}>
          Unlock
        </Button>
      </Fields>
      <div className="door-ways">
        <Button look="quiet" icon="back" wide onClick={() => setLeaving(true)}>
          Log out
        </Button>
      </div>
      {leaving && <LogOut onClose={() => setLeaving(false)} />}
    </Door>
  );
}

function OpenAlerts() {
  const alerts = useView((view) => view.alerts);
  const counts = useMemo(() => countOpen(alerts), [alerts]);
  const alone = useMemo(() => unanswered(alerts).length, [alerts]);
  if (counts.length === 0) return <Banner tone="good">No alert is open.</Banner>;
  return (
    <section className="open-alerts" aria-label="Open alerts">
      <ul className="list">
        {counts.map(({ priority, count, began, sounding }) => (
          <li key={priority} className={`open-alert priority-${priority}`}>
            <PriorityMark priority={priority} size={40} flashing={sounding} />
            <span className="open-alert-count">{count}</span>
            <span className="open-alert-words">
              <span aria-hidden="true">{priorityWords(priority)}</span>
              <span className="soft">
                open for <RelativeTime at={began} />
              </span>
            </span>
          </li>
        ))}
      </ul>
      {alone > 0 && (
        <p className="open-alerts-nobody">
          <Icon name="alert" size={22} />
          <span>{alone === 1 ? "Nobody answered one of them" : `Nobody answered ${alone} of them`}</span>
        </p>
      )}
      <p className="soft">Unlock to see what they are, and to take them.</p>
    </section>
  );
}
