/** A conversation: with whom, what was said, and where to say more. Beside an alert, the alert comes first. */
import "./conversation.css";
import { type DragEvent, lazy, type ReactNode, Suspense, useEffect, useRef, useState } from "react";
import type { AccountId, AlertView, EntryId, FriendView, PartyId } from "../../model";
import { useActions, useView } from "../engine-context";
import { Avatar } from "../parts/Avatar";
import { Badge } from "../parts/Badge";
import { Button, LinkButton } from "../parts/Button";
import { classes } from "../parts/classes";
import { Confirm } from "../parts/Dialog";
import { Spinner } from "../parts/Spinner";
import { go, hashOf } from "../route";
import { AlertCard } from "./AlertCard";
import { Composer, type ComposerHandle } from "./Composer";
import { onDuty } from "./duty";
import { Answer } from "./Friends";
import { History } from "./History";
import { KeyNotice } from "./KeyNotice";
import { Presence } from "./Presence";

const DeviceLimits = lazy(() => import("./DeviceLimits"));
const Readings = lazy(() => import("./Readings"));
const Safety = lazy(() => import("./Safety"));

interface ConversationProps {
  party: PartyId;
  alert: AlertView | null;
}

export default function Conversation({ party, alert }: ConversationProps) {
  const friend = useView((view) => view.friends.find((each) => each.id === party)) ?? null;
  const me = useView((view) => view.me);
  const title = friend?.title ?? (alert?.conversation === party ? alert.authorTitle : party.slice(0, 8));
  const [readings, setReadings] = useState(false);
  const [limits, setLimits] = useState(false);
  const [comparing, setComparing] = useState(false);
  const composer = useRef<ComposerHandle>(null);
  const { dropping, drop } = useDrop((files) => composer.current?.attach(files));
  const device = deviceOf(friend, alert);
  const heard = alert !== null || friend?.kind === "device" || friend?.kind === "group";

  return (
    <section
      className={classes("conversation", dropping && "conversation-dropping")}
      aria-label={`Conversation with ${title}`}
      {...drop}
    >
      <Head friend={friend} title={title} onCompare={() => setComparing(true)}>
        {heard && (
          <Button
            look="quiet"
            icon="chart"
            aria-expanded={readings}
            className="head-button"
            label="Readings"
            onClick={() => setReadings(!readings)}
          >
            Readings
          </Button>
        )}
        {device && (
          <Button
            look="quiet"
            icon="sliders"
            aria-expanded={limits}
            className="head-button"
            label="Limits"
            onClick={() => setLimits(!limits)}
          >
            Limits
          </Button>
        )}
      </Head>
      {friend?.keyNotice && (
        <KeyNotice friend={friend} notice={friend.keyNotice} onCompare={() => setComparing(true)} />
      )}
      {alert && (
        <div className="conversation-alert">
          <AlertCard alert={alert} linked={false} />
        </div>
      )}
      {readings && (
        <Suspense fallback={<Spinner />}>
          <Readings party={party} only={alert?.messages ?? null} />
        </Suspense>
      )}
      {limits && device && (
        <Suspense fallback={<Spinner />}>
          <DeviceLimits device={device.id} title={device.title} />
        </Suspense>
      )}
      <History
        party={party}
        friend={friend}
        title={title}
        target={alert?.message ?? null}
        above={alert?.episode ?? null}
        onReply={(id: EntryId) => composer.current?.reply(id)}
      />
      {canWrite(friend) && me ? (
        <Composer owner={me.account} party={party} title={title} handle={composer} />
      ) : (
        <NoWriting friend={friend} title={title} />
      )}
      {comparing && friend && (
        <Suspense>
          <Safety friend={friend} onClose={() => setComparing(false)} />
        </Suspense>
      )}
    </section>
  );
}

/** Whose limits are looked at here: the device's that it is with, or the one's that raised the alert. */
function deviceOf(
  friend: FriendView | null,
  alert: AlertView | null,
): { id: AccountId; title: string } | null {
  if (friend?.kind === "device") return friend;
  // People hold drills, and have no limits.
  return alert && !alert.drill ? { id: alert.author, title: alert.authorTitle } : null;
}

function canWrite(friend: FriendView | null): boolean {
  return friend?.live === true && (friend.state === "contact" || friend.state === "member");
}

function NoWriting({ friend, title }: { friend: FriendView | null; title: string }) {
  return (
    <div className="conversation-closed">
      <p>{whyNot(friend, title)}</p>
      {friend?.state === "asked" && friend.live && <Answer friend={friend} />}
    </div>
  );
}

function whyNot(friend: FriendView | null, title: string): string {
  if (!friend) return `You cannot write here: ${title} is not among your friends.`;
  if (!friend.live) return `You cannot write here: ${title} is no longer active.`;
  if (friend.state === "asked") return `${title} wants to be your friend.`;
  return `You can write once ${title} has accepted your request.`;
}

interface HeadProps {
  friend: FriendView | null;
  title: string;
  onCompare(): void;
  children: ReactNode;
}

function Head({ friend, title, onCompare, children }: HeadProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);
  return (
    <header className="conversation-head">
      <LinkButton
        look="quiet"
        icon="back"
        label="Back to alerts and friends"
        className="conversation-back"
        href={hashOf({ name: "home" })}
      />
      {friend && <Avatar title={title} kind={friend.kind} online={friend.online && friend.live} />}
      <div className="conversation-who">
        <h2 ref={heading} tabIndex={-1}>
          {title}
        </h2>
        {friend && (
          <p className="conversation-presence">
            <span>
              <Presence friend={friend} />
            </span>
            {friend.kind === "group" && <OnDuty group={friend.id} />}
            {friend.verified && <Badge tone="good">Verified</Badge>}
          </p>
        )}
      </div>
      <div className="conversation-tools">
        {children}
        {friend && friend.kind !== "group" && (
          <Button look="quiet" icon="shield" className="head-button" label="Safety code" onClick={onCompare}>
            Safety code
          </Button>
        )}
        {friend?.state !== "member" && friend && <Remove friend={friend} />}
      </div>
    </header>
  );
}

/** Who hears what is written here. */
function OnDuty({ group }: { group: PartyId }) {
  const duty = useView((view) => view.duty?.find(({ id }) => id === group));
  return duty && <span>On duty: {onDuty(duty)}</span>;
}

function Remove({ friend }: { friend: FriendView }) {
  const actions = useActions();
  const [asking, setAsking] = useState(false);
  return (
    <>
      <Button look="quiet" icon="trash" label="Remove friend" onClick={() => setAsking(true)} />
      {asking && (
        <Confirm
          title={`Remove ${friend.title}?`}
          action="Remove"
          danger
          onConfirm={async () => {
            await actions.unfriend(friend.id);
            go({ name: "home" });
          }}
          onClose={() => setAsking(false)}
        >
          <p>You can no longer write to each other. What was said so far stays.</p>
          {friend.kind === "device" && <p>Its alerts no longer reach you.</p>}
        </Confirm>
      )}
    </>
  );
}

/** A file that is dragged over the conversation, and let go. */
function useDrop(onFiles: (files: FileList) => void) {
  const [dropping, setDropping] = useState(false);
  const carries = (event: DragEvent) => event.dataTransfer.types.includes("Files");
  return {
    dropping,
    drop: {
      onDragOver: (event: DragEvent) => {
        if (!carries(event)) return;
        event.preventDefault();
        setDropping(true);
      },
      onDragLeave: (event: DragEvent) => {
        const to = event.relatedTarget;
        if (!(to instanceof Node && event.currentTarget.contains(to))) setDropping(false);
      },
      onDrop: (event: DragEvent) => {
        if (!carries(event)) return;
        // Otherwise the browser would leave the page, and show the file.
        event.preventDefault();
        setDropping(false);
        onFiles(event.dataTransfer.files);
      },
    },
  };
}
