/** The alerts: first those that nobody has taken, then the snoozed, then those that are taken; closed ones out of the way. */
import "./alerts.css";
import { useMemo } from "react";
import type { AlertView } from "../../model";
import { useView } from "../engine-context";
import { Badge } from "../parts/Badge";
import { LinkButton } from "../parts/Button";
import { Icon } from "../parts/Icon";
import { PriorityMark } from "../parts/Priority";
import { ExactTime } from "../parts/RelativeTime";
import { hashOf } from "../route";
import { AlertCard } from "./AlertCard";
import { sorted } from "./alerts";
import { ownDuty } from "./duty";
import { useOpened } from "./opened";
import { said } from "./said";

export function AlertBoard({ current }: { current: string | null }) {
  const alerts = useView((view) => view.alerts);
  const { open, snoozed, taken, closed } = useMemo(() => sorted(alerts), [alerts]);
  const card = (alert: AlertView) => (
    <li key={alert.episode}>
      <AlertCard alert={alert} current={alert.episode === current} />
    </li>
  );
  return (
    <section className="board" aria-labelledby="board-title">
      <div className="board-head">
        <h2 id="board-title" className="home-heading">
          Alerts
          {open.length > 0 && <Badge label={openInWords(open.length)}>{open.length}</Badge>}
        </h2>
        <LinkButton look="quiet" icon="chart" className="small" href={hashOf({ name: "load" })}>
          Alarm load
        </LinkButton>
      </div>
      <OwnDuty />
      {open.length === 0 && snoozed.length === 0 && (
        <p className="board-calm">
          <Icon name="check" size={24} />
          <span>No open alerts</span>
        </p>
      )}
      {open.length > 0 && (
        <ul className="board-list" aria-label="Open alerts">
          {open.map(card)}
        </ul>
      )}
      {snoozed.length > 0 && (
        <>
          <h3 className="home-subheading">Snoozed</h3>
          <ul className="board-list" aria-label="Snoozed alerts">
            {snoozed.map(card)}
          </ul>
        </>
      )}
      {taken.length > 0 && (
        <>
          <h3 className="home-subheading">Taken</h3>
          <ul className="board-list" aria-label="Taken alerts">
            {taken.map(card)}
          </ul>
        </>
      )}
      {closed.length > 0 && (
        <details className="board-closed">
          <summary>
            Closed <span className="soft">{closed.length}</span>
          </summary>
          <ul aria-label="Closed alerts">
            {closed.map((alert) => (
              <li key={alert.episode}>
                <ClosedAlert alert={alert} />
              </li>
            ))}
          </ul>
        </details>
      )}
    </section>
  );
}

function openInWords(count: number): string {
  return count === 1 ? "1 open" : `${count} open`;
}

/** Whether what comes in will be heard here, in one line above it. */
function OwnDuty() {
  const duty = useView((view) => view.duty);
  const words = duty && ownDuty(duty);
  if (!words) return null;
  return (
    <p className="board-duty">
      <Icon name={words.on ? "sound" : "soundOff"} />
      <span>{words.text}</span>
    </p>
  );
}

function ClosedAlert({ alert }: { alert: AlertView }) {
  const { opened } = useOpened(alert.messages[0] ?? alert.message);
  return (
    <a className="board-closed-row" href={hashOf({ name: "alert", episode: alert.episode })}>
      <PriorityMark priority={alert.priority} size={20} />
      <span className="board-closed-words">
        <strong>{alert.authorTitle}</strong> {opened && said(opened)}
      </span>
      <span className="soft">
        <ExactTime at={alert.began} />
      </span>
    </a>
  );
}
