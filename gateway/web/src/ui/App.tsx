/** The page: one screen for each stage that a person can be at. */
import "./theme.css";
import { lazy, type ReactNode, Suspense, useEffect, useState } from "react";
import type { Engine } from "../model";
import { ErrorBoundary } from "./ErrorBoundary";
import { EngineContext, useView } from "./engine-context";
import { Insecure, Starting, TwoHistories, Unsupported } from "./entry/Halted";
import { Locked } from "./entry/Locked";
import { Matching } from "./entry/Matching";
import { Recovery } from "./entry/Recovery";
import { Restore } from "./entry/Restore";
import { Welcome } from "./entry/Welcome";
import { Frame } from "./Frame";
import { Announcer } from "./parts/Announcer";
import { LinkButton } from "./parts/Button";
import { Page } from "./parts/Page";
import { Progress } from "./parts/Spinner";
import { forgetPlace, hashOf, takeJoinString, useRoute } from "./route";
import { useSpokenNews } from "./spoken-news";

// Nothing of home is needed to log in, but right after it.
const home = async () => ({ default: (await import("./home/Home")).Home });
const Home = lazy(home);
const Account = lazy(() => import("./account/Account"));
const Admin = lazy(() => import("./admin/Admin"));
const AlarmLoad = lazy(() => import("./load/AlarmLoad"));

export function App({ engine, joinString }: { engine: Engine; joinString: string | null }) {
  return (
    <ErrorBoundary>
      <EngineContext value={engine}>
        <Announcer />
        <Screen joinString={joinString} />
      </EngineContext>
    </ErrorBoundary>
  );
}

function Screen({ joinString }: { joinString: string | null }): ReactNode {
  const stage = useView((view) => view.stage);
  const [joining, endJoining] = useJoinString(joinString);
  useSpokenNews();
  useEffect(() => void home(), []);
  useEffect(() => {
    if (stage.name === "welcome") forgetPlace();
  }, [stage.name]);

  switch (stage.name) {
    case "starting":
      return <Starting />;
    case "insecure":
      return <Insecure />;
    case "unsupported":
      return <Unsupported missing={stage.missing} />;
    case "welcome":
      return (
        <Welcome
          key={joining}
          reason={stage.reason}
          handle={stage.handle}
          joinString={joining}
          onLeaveJoining={endJoining}
        />
      );
    case "matching":
      return <Matching handle={stage.handle} digits={stage.digits} />;
    case "recovery":
      return <Recovery code={stage.code} />;
    case "restore":
      return <Restore handle={stage.handle} lost={stage.lost} />;
    case "home":
      return (
        <Frame joinWaits={joining !== null} onDropJoin={endJoining}>
          <Suspense fallback={<Progress label="Loading" />}>
            <AtHome />
          </Suspense>
        </Frame>
      );
    case "locked":
      return <Locked handle={stage.handle} />;
    case "two-histories":
      return <TwoHistories evidence={stage.evidence} />;
  }
}

function AtHome() {
  const route = useRoute();
  const role = useView((view) => view.me?.role);
  switch (route.name) {
    case "me":
      return <Account />;
    case "load":
      return <AlarmLoad />;
    case "admin":
      return role === "admin" ? <Admin /> : <OnlyAdmins />;
    default:
      return <Home />;
  }
}

function OnlyAdmins() {
  return (
    <Page
      title="Only administrators"
      intro="You need an administrator's account to see this part of the page."
      actions={<LinkButton href={hashOf({ name: "home" })}>Back to alerts and friends</LinkButton>}
      narrow
    />
  );
}

/** The join string that the page was opened with, or that was put into its address since. */
function useJoinString(first: string | null): [joinString: string | null, end: () => void] {
  const [joinString, setJoinString] = useState(first);
  useEffect(() => {
    const look = () => setJoinString((before) => takeJoinString() ?? before);
    window.addEventListener("hashchange", look);
    return () => window.removeEventListener("hashchange", look);
  }, []);
  return [joinString, () => setJoinString(null)];
}
