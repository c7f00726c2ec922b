/** How it stands with the page, in small parts: its lamps, its troubles, and the menu behind a person's own name. */
import { useState } from "react";
import type { Lamp as Connection, Priority } from "../model";
import { useActions, useView } from "./engine-context";
import { Avatar } from "./parts/Avatar";
import { Banner } from "./parts/Banner";
import { Button, LinkButton } from "./parts/Button";
import { Confirm } from "./parts/Dialog";
import { CheckField } from "./parts/Field";
import { Icon } from "./parts/Icon";
import { Lamp, type LampState } from "./parts/Lamp";
import { Menu } from "./parts/Menu";
import { PriorityMark } from "./parts/Priority";
import { useTask } from "./parts/task";
import { hashOf } from "./route";
import { ThemeSwitch } from "./ThemeSwitch";

const CONNECTION: Record<Connection, readonly [LampState, string]> = {
  connecting: ["waiting", "Connecting"],
  live: ["good", "Live"],
  offline: ["bad", "Offline"],
  ended: ["bad", "Session ended"],
};

export function ConnectionLamp() {
  const [state, words] = CONNECTION[useView((view) => view.lamp)];
  return (
    <span role="status" aria-label="Connection" title={`Connection: ${words}`}>
      <Lamp state={state}>{words}</Lamp>
    </span>
  );
}

const PATTERNS: readonly Priority[] = ["high", "medium", "low"];

/** Armed or not, and a menu to hear what each priority sounds like. */
export function SoundLamp() {
  const actions = useActions();
  const armed = useView((view) => view.sound === "armed");
  const task = useTask();
  return (
    <Menu
      label="Sound"
      face={
        <span className={armed ? "sound-lamp" : "sound-lamp sound-lamp-off"}>
          <Icon name={armed ? "sound" : "soundOff"} />
          <span className="lamp-words">{armed ? "Sound on" : "Sound off"}</span>
        </span>
      }
    >
      {() => (
        <>
          <p className="menu-heading">
            {armed ? "Alerts sound on this page." : "Alerts are silent here."} Try one:
          </p>
          {PATTERNS.map((priority) => (
            <Button
              key={priority}
              look="quiet"
              busy={task.busy}
              onClick={() => task.run(() => actions.testSound(priority))}
            >
              <PriorityMark priority={priority} size={22} words />
            </Button>
          ))}
          {task.error && <Banner tone="danger">{task.error}</Banner>}
        </>
      )}
    </Menu>
  );
}

/** A browser keeps a page silent until somebody touches it: that is a fault, and it is said. */
export function SoundOff() {
  const actions = useActions();
  const silent = useView((view) => view.sound === "silent");
  const task = useTask();
  if (!silent) return null;
  return (
    <Banner
      tone="warn"
      title="Sound is off: alerts are silent on this page"
      actions={
        <Button icon="sound" busy={task.busy} onClick={() => task.run(() => actions.testSound("low"))}>
          Turn sound on
        </Button>
      }
    >
      {task.error}
    </Banner>
  );
}

/** The gateway's disk failed, or is full: that is no reason to wait, and it stays until it is mended. */
export function NothingKept() {
  const halted = useView((view) => view.halted);
  if (halted === null) return null;
  return (
    <Banner tone="danger" title="The gateway takes nothing new">
      Alerts and messages that are sent now reach nobody. What was there before can be read. Call whoever
      looks after the gateway, at once, and tell them what it says: {halted}
    </Banner>
  );
}

/** What went wrong, until it is dismissed. */
export function Troubles() {
  const actions = useActions();
  const troubles = useView((view) => view.troubles);
  return troubles.map((trouble) => (
    <Banner key={trouble.id} tone="danger" onDismiss={() => actions.dismiss(trouble.id)}>
      {trouble.text}
    </Banner>
  ));
}

export function OwnMenu() {
  const actions = useActions();
  const me = useView((view) => view.me);
  const [leaving, setLeaving] = useState(false);
  if (!me) return null;
  return (
    <>
      <Menu
        label="Your menu"
        face={
          <>
            <Avatar title={me.name} kind="person" small />
            <span className="visually-hidden">Menu of</span>
            <span className="own-name">{me.name}</span>
          </>
        }
      >
        {(close) => (
          <>
            <p className="menu-heading">
              {me.name} ({me.handle})
            </p>
            <LinkButton look="quiet" icon="person" href={hashOf({ name: "me" })} onClick={close}>
              My account
            </LinkButton>
            <Button look="quiet" icon="lock" onClick={() => actions.lock()}>
              Lock now
            </Button>
            <Button
              look="quiet"
              icon="back"
              onClick={() => {
                close();
                setLeaving(true);
              }}
            >
              Log out
            </Button>
            <hr />
            <p className="menu-heading">Theme</p>
            <ThemeSwitch />
          </>
        )}
      </Menu>
      {leaving && <LogOut onClose={() => setLeaving(false)} />}
    </>
  );
}

export function LogOut({ onClose }: { onClose(): void }) {
  const actions = useActions();
  const [forget, setForget] = useState(false);
  return (
    <Confirm title="Log out?" action="Log out" onConfirm={() => actions.logout({ forget })} onClose={onClose}>
      <p>Alerts no longer show or sound on this page once you have logged out.</p>
      <CheckField
        label="Forget this browser"
        hint="Removes your keys and messages from it. Next time, your password or recovery code brings them back."
        checked={forget}
        onChecked={setForget}
      />
    </Confirm>
  );
}
