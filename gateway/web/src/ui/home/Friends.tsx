/** The contacts and groups: who is there, who wrote, who asks. */
import "./friends.css";
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from "react";
import type { FriendView, PartyId } from "../../model";
import { useActions, useView } from "../engine-context";
import { Avatar } from "../parts/Avatar";
import { Badge } from "../parts/Badge";
import { Button } from "../parts/Button";
import { classes } from "../parts/classes";
import { EmptyState } from "../parts/EmptyState";
import { Field } from "../parts/Field";
import { Icon } from "../parts/Icon";
import { useTask } from "../parts/task";
import { hashOf } from "../route";
import { AddFriend } from "./AddFriend";
import { found } from "./found";
import { Presence } from "./Presence";

/** From so many on, looking is slower than typing. */
const MANY = 8;

interface FriendsProps {
  current: PartyId | null;
  /** The person asked for the friends: they come into sight, and are read out. */
  called: boolean;
}

export function Friends({ current, called }: FriendsProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (called) heading.current?.focus();
  }, [called]);
  const friends = useView((view) => view.friends);
  const [adding, setAdding] = useState(false);
  const [sought, setSought] = useState("");
  const asking = useMemo(() => friends.filter((each) => each.state === "asked"), [friends]);
  const rest = useMemo(
    () =>
      found(
        friends.filter((each) => each.state !== "asked"),
        sought,
      ),
    [friends, sought],
  );
  return (
    <section className="friends" aria-labelledby="friends-title">
      <div className="friends-head">
        <h2 id="friends-title" ref={heading} tabIndex={-1} className="home-heading">
          Friends
        </h2>
        <Button look="quiet" icon="plus" onClick={() => setAdding(true)}>
          Add a friend
        </Button>
      </div>
      {asking.length > 0 && (
        <ul className="friends-asked" aria-label="Friend requests">
          {asking.map((friend) => (
            <Request key={friend.id} friend={friend} />
          ))}
        </ul>
      )}
      {friends.length > MANY && (
        <Field
          label="Find a friend"
          hideLabel
          type="search"
          placeholder="Find a friend"
          autoComplete="off"
          value={sought}
          onValue={setSought}
        />
      )}
      {rest.length > 0 && (
        <ul className="friends-list" aria-label="Friends" onKeyDown={byArrows}>
          {rest.map((friend) => (
            <li key={friend.id}>
              <FriendLink friend={friend} current={friend.id === current} />
            </li>
          ))}
        </ul>
      )}
      {rest.length === 0 && sought !== "" && (
        <p className="soft friends-none">Nobody is called “{sought}”.</p>
      )}
      {friends.length === 0 && (
        <EmptyState
          icon="person"
          title="No friends yet"
          action={<Button onClick={() => setAdding(true)}>Add the first one</Button>}
        >
          You can write to somebody once you are friends.
        </EmptyState>
      )}
      {adding && <AddFriend onClose={() => setAdding(false)} />}
    </section>
  );
}

/** Up and down move between the links of a list; Tab goes through them as well. */
function byArrows(event: KeyboardEvent<HTMLElement>): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step === undefined) return;
  const links: Element[] = [...event.currentTarget.querySelectorAll("a")];
  const here = document.activeElement;
  const next = here && links[links.indexOf(here) + step];
  if (!(next instanceof HTMLElement)) return;
  event.preventDefault();
  next.focus();
}

function FriendLink({ friend, current }: { friend: FriendView; current: boolean }) {
  return (
    <a
      className={classes("friend", !friend.live && "friend-ended")}
      href={hashOf({ name: "with", party: friend.id })}
      aria-current={current ? "page" : undefined}
    >
      <Avatar title={friend.title} kind={friend.kind} online={friend.online && friend.live} />
      <span className="friend-words">
        <span className="friend-title">
          {friend.title}
          {friend.verified && (
            <span className="friend-verified">
              <Icon name="shieldCheck" />
              <span className="visually-hidden">verified</span>
            </span>
          )}
        </span>
        <span className="friend-presence">
          <Presence friend={friend} />
        </span>
      </span>
      {friend.keyNotice && <Badge tone="danger">keys changed</Badge>}
      {friend.openAlerts > 0 && (
        <span className="friend-alerts">
          <Icon name="bell" />
          <span aria-hidden="true">{friend.openAlerts}</span>
          <span className="visually-hidden">
            {friend.openAlerts === 1 ? "1 open alert" : `${friend.openAlerts} open alerts`}
          </span>
        </span>
      )}
      {friend.unread > 0 && (
        <Badge tone="accent" label={`${friend.unread} unread`}>
          {friend.unread > 99 ? "99+" : friend.unread}
        </Badge>
      )}
    </a>
  );
}

function Request({ friend }: { friend: FriendView }) {
  return (
    <li className="friend-request">
      <Avatar title={friend.title} kind={friend.kind} />
      <span className="friend-words">
        <span className="friend-title">{friend.title}</span>
        <span className="friend-presence">wants to be your friend</span>
      </span>
      <Answer friend={friend} />
    </li>
  );
}

/** Accept or decline a request; in the list, and in a conversation that does not exist yet. */
export function Answer({ friend }: { friend: FriendView }) {
  const actions = useActions();
  const accept = useTask();
  const decline = useTask();
  const error = accept.error ?? decline.error;
  return (
    <span className="friend-answer">
      <Button
        look="primary"
        label={`Accept ${friend.title}`}
        busy={accept.busy}
        onClick={() => accept.run(() => actions.accept(friend.id))}
      >
        Accept
      </Button>
      <Button
        label={`Decline ${friend.title}`}
        busy={decline.busy}
        onClick={() => decline.run(() => actions.unfriend(friend.id))}
      >
        Decline
      </Button>
      {error && (
        <span className="home-error" role="alert">
          {error}
        </span>
      )}
    </span>
  );
}
