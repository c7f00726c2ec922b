/** One message of a conversation: who, what, when, how far it got, and who saw it. */
import { memo, useEffect, useId, useRef } from "react";
import type { AlertView, Conversation, EntryId, Kind, MessageLine } from "../../model";
import { useView } from "../engine-context";
import { Button, LinkButton } from "../parts/Button";
import { classes } from "../parts/classes";
import { Icon } from "../parts/Icon";
import { PriorityMark } from "../parts/Priority";
import { ExactTime } from "../parts/RelativeTime";
import { hashOf } from "../route";
import { AlertActions } from "./AlertActions";
import { clock, dayName, sameDay } from "./days";
import { MessageContent } from "./MessageContent";
import { useOpened } from "./opened";
import { Quote } from "./Quote";
import { listed, namesFor } from "./said";
import { UnsentActions } from "./UnsentActions";

export interface RowProps {
  conversation: Conversation;
  /** Changes whenever a line does: the conversation itself may be the same object. */
  version: number;
  position: number;
  /** What a device sends comes by the hundred, and is one line each. */
  kindOf(author: string): Kind | null;
  flying: boolean;
  flashed: boolean;
  /** The alert that is shown above the conversation, with its buttons. */
  above: string | null;
  onJump(id: EntryId): void;
  onReply(id: EntryId): void;
}

/** Said one after the other within so long, messages of one author stand together. */
const TOGETHER_MS = 5 * 60_000;

export const MessageRow = memo(function MessageRow(props: RowProps) {
  const { conversation, position, flashed } = props;
  const line = conversation.line(position);
  const before = position > 0 ? conversation.line(position - 1) : null;
  const newDay = before === null || !sameDay(before.at, line.at);
  const together = !newDay && before.author === line.author && line.at - before.at < TOGETHER_MS;
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (flashed) element.current?.focus({ preventScroll: true });
  }, [flashed]);

  return (
    <>
      {newDay && (
        <p className="day">
          <span>{dayName(line.at, Date.now())}</span>
        </p>
      )}
      <div ref={element} tabIndex={-1} className={classes("message-place", flashed && "message-flashed")}>
        <Message {...props} line={line} together={together && goesOn(line)} />
      </div>
    </>
  );
});

function Message({ line, together, ...props }: RowProps & { line: MessageLine; together: boolean }) {
  const { opened, failure, again } = useOpened(line.id, props.flying);
  const alert = useView((view) => view.alerts.find((each) => each.episode === line.alert?.episode)) ?? null;
  const quiet = props.kindOf(line.author) === "device" && goesOn(line);
  const newest = alert?.message === line.id && alert.episode !== props.above ? alert : null;
  const id = useId();
  return (
    <article
      className={classes(
        "message",
        line.mine ? "message-mine" : "message-theirs",
        quiet && "message-compact",
        together && "message-together",
        line.alert && `message-alert priority-${line.alert.priority}`,
        line.state !== "committed" && `message-${line.state}`,
      )}
      aria-labelledby={id}
    >
      <p id={id} className={classes("message-author", (line.mine || together || quiet) && "visually-hidden")}>
        {line.mine ? "You" : line.authorTitle}
      </p>
      {line.alert && <AlertHead alert={line.alert} short={quiet} />}
      {line.re && <Quote id={line.re} party={props.conversation.party} onJump={props.onJump} />}
      <div className="message-content">
        {opened ? (
          <MessageContent opened={opened} />
        ) : failure ? (
          <p className="message-gone">
            This message could not be fetched: {failure}
            <Button look="quiet" className="small" onClick={again}>
              Try again
            </Button>
          </p>
        ) : (
          <p className="message-opening">Opening…</p>
        )}
      </div>
      <Foot line={line} onReply={props.onReply} about={id} short={quiet} />
      {newest && (
        <div className="message-deeds">
          <Taken alert={newest} />
          <AlertActions alert={newest} about={id} />
        </div>
      )}
    </article>
  );
}

const CONDITION = { start: "Alert", continue: "Alert goes on", end: "Alert ended" } as const;

function AlertHead({ alert, short }: { alert: NonNullable<MessageLine["alert"]>; short: boolean }) {
  return (
    <p className="message-alert-head">
      <PriorityMark priority={alert.priority} size={20} />
      <span className={short ? "visually-hidden" : undefined}>{CONDITION[alert.state]}</span>
    </p>
  );
}

/** What a device says again and again: a reading, and another one of an alert that goes on. */
function goesOn(line: MessageLine): boolean {
  return line.re === null && (line.alert === null || line.alert.state === "continue");
}

function Taken({ alert }: { alert: AlertView }) {
  if (alert.snoozed) {
    return (
      <p className="message-snoozed">
        <Icon name="snooze" />
        <span>
          Snoozed until <ExactTime at={alert.snoozed.until} />
        </span>
      </p>
    );
  }
  if (!alert.takenBy) return null;
  return (
    <p className="message-taken">
      <Icon name="person" />
      <span>{alert.takenBy.mine ? "Taken by you" : `Taken by ${alert.takenBy.title}`}</span>
    </p>
  );
}

interface FootProps {
  line: MessageLine;
  about: string;
  short: boolean;
  onReply(id: EntryId): void;
}

function Foot({ line, about, short, onReply }: FootProps) {
  return (
    <footer className="message-foot">
      <time dateTime={new Date(line.at).toISOString()} className="time">
        {clock(line.at)}
      </time>
      {line.state === "committed" ? (
        <>
          <LinkButton
            look="quiet"
            className="small message-proof"
            icon="shieldCheck"
            label="Proof verified"
            href={hashOf({ name: "proof", id: line.id })}
            aria-describedby={about}
          />
          <Button
            look="quiet"
            className="small"
            icon="reply"
            label="Reply"
            aria-describedby={about}
            onClick={() => onReply(line.id)}
          />
          {!short && <SeenBy line={line} />}
        </>
      ) : (
        <NotSent line={line} />
      )}
    </footer>
  );
}

function NotSent({ line }: { line: MessageLine }) {
  const unsent = useView((view) => view.unsent.find((each) => each.id === line.id));
  if (line.state === "pending") {
    return (
      <span className="message-waiting">
        <Icon name="clock" />
        <span>Waiting to be sent</span>
      </span>
    );
  }
  return (
    <span className="message-refused-words">
      <span className="home-error">
        <Icon name="alert" />
        <span>Not sent{unsent?.reason ? `: ${unsent.reason}` : ""}</span>
      </span>
      <UnsentActions id={line.id} what="this message" />
    </span>
  );
}

/** Few are named; more are counted, and named when asked for. */
const NAMED = 3;

function SeenBy({ line: { mine, alert, seenBy } }: { line: MessageLine }) {
  const me = useView((view) => view.me?.account);
  if (seenBy.length === 0 || (!mine && alert === null)) return null;
  if (seenBy.length <= NAMED) {
    return <span className="message-seen">Seen by {listed(namesFor(me, seenBy))}</span>;
  }
  return (
    <details className="message-seen">
      <summary>Seen by {seenBy.length}</summary>
      <ul>
        {seenBy.map((each) => (
          <li key={each.account}>
            {each.title} <ExactTime at={each.at} />
          </li>
        ))}
      </ul>
    </details>
  );
}
