/**
 * Take, release, resolve or snooze an alert, where it is shown: on the board and in its conversation.
 *
 *   <AlertActions alert={alert} about={titleId} />     `about` is the id of what names the alert
 */
import { lazy, Suspense, useState } from "react";
import type { AlertView } from "../../model";
import { useActions } from "../engine-context";
import { Button } from "../parts/Button";
import { Icon } from "../parts/Icon";
import { useTask } from "../parts/task";
import { type Deed, deeds } from "./alerts";

export const loadSnooze = () => import("./Snooze");
const Snooze = lazy(loadSnooze);

const WORDS: Record<Deed, string> = {
  take: "Take",
  "take over": "Take over",
  release: "Release",
  resolve: "Resolve",
  snooze: "Snooze",
};

export function AlertActions({ alert, about }: { alert: AlertView; about: string }) {
  const actions = useActions();
  const task = useTask();
  const [doing, setDoing] = useState<Deed | null>(null);
  const [snoozing, setSnoozing] = useState(false);
  const offered = deeds(alert);

  const carryOut = (deed: Exclude<Deed, "snooze">): Promise<void> => {
    switch (deed) {
      case "take":
      case "take over":
        return actions.take(alert.episode);
      case "release":
        return actions.release(alert.episode);
      case "resolve":
        return actions.resolve(alert.episode);
    }
  };
  const press = (deed: Deed) => {
    if (deed === "snooze") return setSnoozing(true);
    setDoing(deed);
    return task.run(() => carryOut(deed));
  };

  if (offered.length === 0) return null;
  return (
    <>
      {offered.map((deed) => (
        <Button
          key={deed}
          look={deed === "take" ? "primary" : "plain"}
          aria-describedby={about}
          busy={task.busy && doing === deed}
          disabled={task.busy && doing !== deed}
          onClick={() => press(deed)}
        >
          {WORDS[deed]}
        </Button>
      ))}
      {snoozing && (
        <Suspense>
          <Snooze alert={alert} onClose={() => setSnoozing(false)} />
        </Suspense>
      )}
      {task.error && (
        <p className="home-error" role="alert">
          <Icon name="alert" />
          <span>{task.error}</span>
        </p>
      )}
    </>
  );
}
