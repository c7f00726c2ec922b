/** One alert: how urgent, from whom, what, for how long, who saw it, who took it, who is next, and what to do about it. */
import { useId } from "react";
import type { AlertView } from "../../model";
import { useView } from "../engine-context";
import { Badge } from "../parts/Badge";
import { LinkButton } from "../parts/Button";
import { classes } from "../parts/classes";
import { Icon } from "../parts/Icon";
import { PriorityMark } from "../parts/Priority";
import { ExactTime, RelativeTime } from "../parts/RelativeTime";
import { hashOf } from "../route";
import { AlertActions } from "./AlertActions";
import { Escalation } from "./Escalation";
import { useOpened } from "./opened";
import { listed, namesFor, said } from "./said";
import { reasonInWords } from "./snooze";

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
        alert.open && (alert.snoozed ? "alert-card-snoozed" : "alert-card-open"),
        current && "alert-card-current",
      )}
      aria-labelledby={id}
    >
      <header className="alert-card-head">
        <PriorityMark
          priority={alert.priority}
          size={32}
          flashing={alert.open && !alert.snoozed && alert.priority === "high"}
        />
        <h3 id={id}>
          <span className="visually-hidden">Alert from </span>
          {alert.authorTitle}
        </h3>
        {alert.drill && <Badge tone="accent">Drill</Badge>}
        <span className="alert-card-age">
          <span className="visually-hidden">since </span>
          <RelativeTime at={alert.began} />
        </span>
      </header>
      <Warnings alert={alert} />
      <AlertWords alert={alert} />
      {alert.open && alert.escalation && <Escalation course={alert.escalation} />}
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

/** What must not be overlooked: that it stays undone although people were told. */
function Warnings({ alert: { open, nobody, overdue } }: { alert: AlertView }) {
  return (
    <>
      {open && nobody !== null && (
        <p className="alert-card-nobody">
          <Icon name="alert" size={22} />
          <span>
            Nobody answered by <ExactTime at={nobody} />
          </span>
        </p>
      )}
      {overdue && (
        <p className="alert-card-overdue">
          <Icon name="clock" />
          <span>
            Overdue: {overdue.title} took it, and did not resolve it in time. It began again at{" "}
            <ExactTime at={overdue.at} />
          </span>
        </p>
      )}
    </>
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
  const { seenBy } = alert;
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
      <Answered alert={alert} />
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
      {alert.open && !alert.duty && !alert.sounding && !alert.snoozed && (
        <li className="soft">
          <Icon name="bellOff" />
          <span>Silent here: you are not on duty</span>
        </li>
      )}
    </ul>
  );
}

/** Who took it; or that nobody did, and until when it is left alone: that is no answer. */
function Answered({ alert: { takenBy, snoozed, open, resolved } }: { alert: AlertView }) {
  if (open && snoozed) {
    return (
      <li className="alert-card-asleep">
        <Icon name="snooze" />
        <span>
          Snoozed until <ExactTime at={snoozed.until} /> {snoozed.mine ? "by you" : `by ${snoozed.title}`}:{" "}
          {reasonInWords(snoozed.reason)}. Nobody has taken it
        </span>
      </li>
    );
  }
  return (
    <li className={takenBy ? "alert-card-taken" : "soft"}>
      <Icon name="person" />
      {takenBy ? (
        <span>
          {takenBy.mine ? "Taken by you" : `Taken by ${takenBy.title}`} <RelativeTime at={takenBy.at} ago />
        </span>
      ) : (
        <span>{resolved ? "Nobody took it" : "Nobody has taken it"}</span>
      )}
    </li>
  );
}
