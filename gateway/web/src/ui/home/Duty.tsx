/** Who is on duty in each group that we are in, until when, who is next; and whether the group was tried out lately. */
import "./duty.css";
import { lazy, Suspense, useState } from "react";
import type { DutyGroup } from "../../model";
import { useView } from "../engine-context";
import { Badge } from "../parts/Badge";
import { Button } from "../parts/Button";
import { Icon } from "../parts/Icon";
import { RelativeTime } from "../parts/RelativeTime";
import { drillResult, isOurs, onDuty, span } from "./duty";

const TakeOver = lazy(() => import("./TakeOver"));
const Drill = lazy(() => import("./Drill"));

export function Duty() {
  const duty = useView((view) => view.duty);
  const groups = duty?.filter(isOurs) ?? [];
  if (groups.length === 0) return null;
  return (
    <section className="duty" aria-labelledby="duty-title">
      <h2 id="duty-title" className="home-heading">
        Duty
      </h2>
      <ul className="duty-list" aria-label="Duty by group">
        {groups.map((group) => (
          <li key={group.id}>
            <Group group={group} />
          </li>
        ))}
      </ul>
    </section>
  );
}

type Asked = "take over" | "drill" | null;

function Group({ group }: { group: DutyGroup }) {
  const [asked, setAsked] = useState<Asked>(null);
  const { title, mine } = group;
  const close = () => setAsked(null);
  return (
    <article className="duty-group" aria-label={`Duty in ${title}`}>
      <h3 className="duty-title">
        {title} {mine && <Badge tone="good">you are on</Badge>}
      </h3>
      <p className="duty-on">
        <Icon name="person" />
        <span>{onDuty(group)}</span>
      </p>
      <Next group={group} />
      <LastDrill group={group} />
      <div className="duty-deeds">
        <Button className="small" label={`Take over duty in ${title}`} onClick={() => setAsked("take over")}>
          Take over
        </Button>
        <Button
          className="small"
          look={group.drillDue ? "plain" : "quiet"}
          label={`Hold a drill in ${title}`}
          onClick={() => setAsked("drill")}
        >
          Hold a drill
        </Button>
      </div>
      <Suspense>
        {asked === "take over" && <TakeOver group={group} onClose={close} />}
        {asked === "drill" && <Drill group={group} onClose={close} />}
      </Suspense>
    </article>
  );
}

function Next({ group: { shifts } }: { group: DutyGroup }) {
  const now = Date.now();
  const next = shifts.find(({ begins }) => begins > now);
  if (!next) return null;
  return (
    <p className="duty-next">
      <Icon name="calendar" />
      <span>
        Next: {next.mine ? "you" : next.title}, {span(next)}
      </span>
    </p>
  );
}

function LastDrill({ group: { drill, drillDue } }: { group: DutyGroup }) {
  return (
    <p className={drillDue ? "duty-drill duty-drill-due" : "duty-drill"}>
      <Icon name={drillDue ? "alert" : "check"} />
      <span>
        {drillDue && <strong>Drill due: none within 7 days. </strong>}
        {drill && (
          <>
            Last drill <RelativeTime at={drill.at} ago />, {drillResult(drill)}
          </>
        )}
      </span>
    </p>
  );
}
