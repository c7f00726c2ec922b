/** The home: alerts, duty and friends at one side, a conversation or a proof at the other; a narrow page shows one of them. */
import "./home.css";
import { lazy, type ReactNode, Suspense, useEffect, useRef } from "react";
import { useView } from "../engine-context";
import { LinkButton } from "../parts/Button";
import { EmptyState } from "../parts/EmptyState";
import { Spinner } from "../parts/Spinner";
import { hashOf, type Route, useRoute } from "../route";
import { loadSnooze } from "./AlertActions";
import { AlertBoard } from "./AlertBoard";
import { Duty } from "./Duty";
import { Friends } from "./Friends";
import { UnsentArea } from "./UnsentArea";

const loadConversation = () => import("./Conversation");
const Conversation = lazy(loadConversation);
const ProofView = lazy(() => import("./ProofView"));

export function Home() {
  const route = useRoute();
  const party = useView((view) =>
    partyOf(route, (episode) => view.alerts.find((each) => each.episode === episode)),
  );
  const side = useRef<HTMLDivElement>(null);
  const called = route.name === "home";
  useEffect(() => {
    // Who comes home looks for the alerts.
    if (called) side.current?.scrollTo({ top: 0 });
  }, [called]);
  useEffect(() => {
    // They are needed soon, perhaps when there is no network, and the alerts are on the page by now. If it fails, opening
    // one says so.
    for (const load of [loadConversation, loadSnooze]) void load().catch(() => undefined);
  }, []);
  return (
    <div className="home" data-shows={shows(route)}>
      <h1 className="visually-hidden">Alerts and messages</h1>
      <div ref={side} className="home-side">
        <AlertBoard current={route.name === "alert" ? route.episode : null} />
        <UnsentArea />
        <Duty />
        <Friends current={party} called={route.name === "friends"} />
      </div>
      <div className="home-main">
        <Suspense fallback={<Spinner />}>
          <Beside route={route} />
        </Suspense>
      </div>
    </div>
  );
}

/** What a narrow page shows: everything at the side, the friends alone, or what is beside. */
function shows(route: Route): "side" | "friends" | "main" {
  if (route.name === "friends") return "friends";
  return ["with", "alert", "proof"].includes(route.name) ? "main" : "side";
}

function partyOf(
  route: Route,
  alert: (episode: string) => { conversation: string } | undefined,
): string | null {
  if (route.name === "with") return route.party;
  return route.name === "alert" ? (alert(route.episode)?.conversation ?? null) : null;
}

function Beside({ route }: { route: Route }): ReactNode {
  const alerts = useView((view) => view.alerts);
  switch (route.name) {
    case "with":
      return <Conversation key={route.party} party={route.party} alert={null} />;
    case "alert": {
      const alert = alerts.find((each) => each.episode === route.episode);
      return alert ? (
        <Conversation key={alert.episode} party={alert.conversation} alert={alert} />
      ) : (
        <EmptyState icon="bell" title="This alert is not known here" action={<BackHome />}>
          It may not have arrived yet.
        </EmptyState>
      );
    }
    case "proof":
      return <ProofView id={route.id} />;
    default:
      return (
        <EmptyState icon="message" title="Choose an alert or a friend">
          What was said is shown here.
        </EmptyState>
      );
  }
}

function BackHome() {
  return <LinkButton href={hashOf({ name: "home" })}>Back to alerts and friends</LinkButton>;
}
