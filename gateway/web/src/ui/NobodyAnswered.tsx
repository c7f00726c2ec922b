/** The loudest thing in the page: alerts that went to everybody they could, and that nobody answered. */
import "./nobody-answered.css";
import { useMemo } from "react";
import { useView } from "./engine-context";
import { unanswered } from "./open-alerts";
import { PriorityMark } from "./parts/Priority";
import { ExactTime } from "./parts/RelativeTime";
import { hashOf } from "./route";

export function NobodyAnswered() {
  const alerts = useView((view) => view.alerts);
  const shown = useMemo(() => unanswered(alerts), [alerts]);
  if (shown.length === 0) return null;
  return (
    <ul className="nobody-answered list" aria-label="Nobody answered">
      {shown.map(({ alert, since }) => (
        <li key={alert.episode} className={`priority-${alert.priority}`}>
          <PriorityMark priority={alert.priority} size={32} flashing />
          <p>
            <strong>Nobody answered</strong>
            <span>
              {" "}
              the alert from {alert.authorTitle} by <ExactTime at={since} />
            </span>
          </p>
          <a
            className="button nobody-answered-show"
            href={hashOf({ name: "alert", episode: alert.episode })}
            aria-label={`Show the alert from ${alert.authorTitle}`}
          >
            Show
          </a>
        </li>
      ))}
    </ul>
  );
}
