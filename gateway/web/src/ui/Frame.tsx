/** What stands around every screen of somebody who is logged in: where they are, whether all is well, where else to go. */
import "./frame.css";
import { type ReactNode, useRef } from "react";
import { useView } from "./engine-context";
import { NobodyAnswered } from "./NobodyAnswered";
import { gravest } from "./open-alerts";
import { Badge } from "./parts/Badge";
import { Banner } from "./parts/Banner";
import { Icon, type IconName } from "./parts/Icon";
import { PriorityMark, priorityWords } from "./parts/Priority";
import { Progress } from "./parts/Spinner";
import { FIRST_PART, hashOf, type Route, useRoute } from "./route";
import { ConnectionLamp, NothingKept, OwnMenu, SoundLamp, SoundOff, Troubles } from "./status";

interface FrameProps {
  /** Somebody followed a link with a join code, although they are logged in. */
  joinWaits: boolean;
  onDropJoin(): void;
  children: ReactNode;
}

export function Frame({ joinWaits, onDropJoin, children }: FrameProps) {
  const main = useRef<HTMLElement>(null);
  return (
    <div className="frame">
      <button type="button" className="skip" onClick={() => main.current?.focus()}>
        Skip to content
      </button>
      <header className="topbar">
        <Site />
        <Places />
        <div className="topbar-end">
          <ConnectionLamp />
          <SoundLamp />
          <OwnMenu />
        </div>
      </header>
      <Notices>
        {joinWaits && (
          <Banner tone="warn" title="You followed a link with a join code" onDismiss={onDropJoin}>
            You are logged in already. To join as somebody else, log out first: the code waits until then.
          </Banner>
        )}
      </Notices>
      <main ref={main} id="content" className="frame-main" tabIndex={-1}>
        {children}
      </main>
    </div>
  );
}

function Site() {
  const site = useView((view) => view.site);
  return (
    <a className="site" href={hashOf({ name: "home" })}>
      <img src="/icon.svg" alt="" width="28" height="28" />
      <span className="site-name">{site ?? "Blockpost"}</span>
    </a>
  );
}

/** On a wide screen in the top bar, on a narrow one at the bottom, where the thumb is. */
function Places() {
  const route = useRoute();
  const openAlerts = useView((view) => view.alerts.filter((each) => each.open).length);
  const worst = useView((view) => gravest(view.alerts));
  const asked = useView((view) => view.friends.filter((each) => each.state === "asked").length);
  const isAdmin = useView((view) => view.me?.role === "admin");
  return (
    <nav className="places" aria-label="Main">
      <Place to={{ name: "home" }} here={isHome(route)} icon="bell" label="Home">
        {worst && (
          <Badge label={`${openAlerts} open, ${priorityWords(worst)}`}>
            <PriorityMark priority={worst} size={20} />
            {openAlerts}
          </Badge>
        )}
      </Place>
      <Place to={{ name: "friends" }} here={route.name === "friends"} icon="group" label="Friends">
        {asked > 0 && (
          <Badge tone="accent" label={`${asked} waiting for your answer`}>
            {asked}
          </Badge>
        )}
      </Place>
      {isAdmin && (
        <Place
          to={{ name: "admin", part: FIRST_PART }}
          here={route.name === "admin"}
          icon="key"
          label="Admin"
        />
      )}
      <Place to={{ name: "me" }} here={route.name === "me"} icon="person" label="My account" />
    </nav>
  );
}

interface PlaceProps {
  to: Route;
  here: boolean;
  icon: IconName;
  label: string;
  children?: ReactNode;
}

function Place({ to, here, icon, label, children }: PlaceProps) {
  return (
    <a className="place" href={hashOf(to)} aria-current={here ? "page" : undefined}>
      <Icon name={icon} />
      <span>{label}</span>
      {children}
    </a>
  );
}

function isHome(route: Route): boolean {
  return ["home", "with", "alert", "proof", "load"].includes(route.name);
}

/** What the person has to know whatever they look at. */
function Notices({ children }: { children: ReactNode }) {
  const catchingUp = useView((view) => view.catchingUp);
  const offline = useView((view) => view.lamp === "offline");
  return (
    <section className="notices" aria-label="Notices">
      <NobodyAnswered />
      <NothingKept />
      {offline && (
        <Banner tone="warn" title="No connection to the gateway">
          New alerts and messages do not reach this page now. It goes on trying. What you send goes out later.
        </Banner>
      )}
      <SoundOff />
      {children}
      <Troubles />
      {catchingUp && (
        <Progress
          label={`Reading what happened so far: ${catchingUp.done} of ${catchingUp.total}`}
          value={catchingUp.done}
          max={Math.max(1, catchingUp.total)}
        />
      )}
    </section>
  );
}
