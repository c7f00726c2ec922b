/** One alert: how urgent, from whom, what, for how long, who saw it, who took it, and what to do about it. */
import { useId } from "react";
import type { AlertView } from "../../model";
import { useView } from "../engine-context";
import { LinkButton } from "../parts/Button";
import { classes } from "../parts/classes";
import { Icon } from "../parts/Icon";
import { PriorityMark } from "../parts/Priority";
import { RelativeTime } from "../parts/RelativeTime";
import { hashOf } from "../route";
import { AlertActions } from "./AlertActions";
import { useOpened } from "./opened";
import { listed, namesFor, said } from "./said";

interface AlertCardProps {
  alert: AlertView;
  /** It is the one that is shown beside the board. */
  current?: boolean;
  /** Beside its own conversation there is no need of a link to it. */
  linked?: boolean;
}

export function AlertCard({ alert, current = false, linked = true }: AlertCardProps) {
  const id = useId();
  return (
    <article
      className={classes(
        "alert-card",
        `priority-${alert.priority}`,
        alert.open && "alert-card-open",
        current && "alert-card-current",
      )}
      aria-labelledby={id}
    >
      <header className="alert-card-head">
        <PriorityMark
          priority={alert.priority}
          size={32}
          flashing={alert.open && alert.priority === "high"}
        />
        <h3 id={id}>
          <span className="visually-hidden">Alert from </span>
          {alert.authorTitle}
        </h3>
        <span className="alert-card-age">
          <span className="visually-hidden">since </span>
          <RelativeTime at={alert.began} />
        </span>
      </header>
      <AlertWords alert={alert} />
      <AlertState alert={alert} about={id} />
      <div className="alert-card-actions">
        <AlertActions alert={alert} about={id} />
        {linked && (
          <LinkButton
            look="quiet"
            icon="message"
            href={hashOf({ name: "alert", episode: alert.episode })}
            aria-describedby={id}
          >
            Thread
          </LinkButton>
        )}
      </div>
    </article>
  );
}

/** What it was that began, and, once it is over, what was heard last. */
function AlertWords({ alert }: { alert: AlertView }) {
  const first = alert.messages[0] ?? alert.message;
  const what = useOpened(alert.active ? alert.message : first);
  const last = useOpened(alert.active || first === alert.message ? null : alert.message);
  return (
    <div className="alert-card-words">
      <p className="alert-card-what">
        {what.opened ? said(what.opened) : (what.failure ?? <span className="soft">Opening…</span>)}
      </p>
      {last.opened && <p className="soft">Now: {said(last.opened)}</p>}
    </div>
  );
}

function AlertState({ alert, about }: { alert: AlertView; about: string }) {
  const { takenBy, seenBy } = alert;
  const me = useView((view) => view.me?.account);
  return (
    <ul className="alert-card-state">
      <li className={alert.active ? "alert-card-active" : "soft"}>
        <span className={alert.active ? "dot dot-full" : "dot"} aria-hidden="true" />
        {alert.active ? (
          <span>Active</span>
        ) : (
          <span>
            Ended <RelativeTime at={alert.latest} ago />
          </span>
        )}
      </li>
      <li className={takenBy ? "alert-card-taken" : "soft"}>
        <Icon name="person" />
        {takenBy ? (
          <span>
            {takenBy.mine ? "Taken by you" : `Taken by ${takenBy.title}`} <RelativeTime at={takenBy.at} ago />
          </span>
        ) : (
          <span>{alert.resolved ? "Nobody took it" : "Nobody has taken it"}</span>
        )}
      </li>
      <li className="soft">
        <Icon name="eye" />
        <span>{seenBy.length === 0 ? "Seen by nobody yet" : `Seen by ${listed(namesFor(me, seenBy))}`}</span>
      </li>
      <li className="alert-card-proof">
        <Icon name="shieldCheck" />
        <a href={hashOf({ name: "proof", id: alert.message })} aria-describedby={about}>
          Proof verified
        </a>
      </li>
      {alert.resolved && (
        <li className="soft">
          <Icon name="check" />
          <span>Resolved</span>
        </li>
      )}
    </ul>
  );
}
