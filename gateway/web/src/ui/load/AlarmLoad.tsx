/** The alarm load: what each device raised in each week, and what became of it. Numbers, and no verdict. */
import "./load.css";
import { useCallback } from "react";
import type { LoadLine } from "../../model";
import { useActions } from "../engine-context";
import { duration } from "../home/duty";
import { Button, LinkButton } from "../parts/Button";
import { EmptyState } from "../parts/EmptyState";
import { Loaded } from "../parts/Loaded";
import { useLoad } from "../parts/load";
import { Page, Section } from "../parts/Page";
import { type Column, Table } from "../parts/Table";
import { hashOf } from "../route";
import { mostAlerts, weeksOf } from "./weeks";

export default function AlarmLoad() {
  const actions = useActions();
  const load = useLoad(useCallback(() => actions.alarmLoad(), [actions]));
  return (
    <Page
      title="Alarm load"
      intro="What each device raised in a week, and what became of it. The hatched end of a bar is technical alerts. Drills count, too. A week begins on Monday, 00:00 UTC."
      actions={
        <>
          <LinkButton look="quiet" icon="back" href={hashOf({ name: "home" })}>
            Back to alerts
          </LinkButton>
          <Button look="quiet" icon="refresh" label="Refresh" busy={load.busy} onClick={load.again} />
        </>
      }
    >
      <Loaded load={load} what="the alarm load">
        {(lines) => <Weeks lines={lines} />}
      </Loaded>
    </Page>
  );
}

function Weeks({ lines }: { lines: readonly LoadLine[] }) {
  if (lines.length === 0) return <EmptyState icon="chart" title="No alerts so far" />;
  const columns = columnsFor(mostAlerts(lines));
  return weeksOf(lines).map(({ begins, title, alerts, lines }) => (
    <Section
      key={begins}
      title={title}
      actions={<span className="soft">{alerts === 1 ? "1 alert" : `${alerts} alerts`}</span>}
    >
      <Table
        caption={`Alarm load, ${title.toLowerCase()}`}
        rows={lines}
        keyOf={(line) => line.author}
        columns={columns}
        empty={null}
      />
    </Section>
  ));
}

function columnsFor(most: number): readonly Column<LoadLine>[] {
  return [
    { name: "From", head: true, cell: ({ title }) => title },
    { name: "Alerts", cell: (line) => <Bar line={line} most={most} /> },
    { name: "Technical", cell: ({ technical }) => technical },
    { name: "Taken", cell: ({ taken }) => taken },
    { name: "Nobody answered", cell: ({ nobody }) => nobody },
    {
      name: "Median time to answer",
      cell: ({ median }) => (median === null ? <span className="soft">none taken</span> : duration(median)),
    },
  ];
}

/** The number, and a bar of its length; the technical ones are its hatched end. */
function Bar({ line: { alerts, technical }, most }: { line: LoadLine; most: number }) {
  const part = (count: number) => ({ inlineSize: `${(100 * count) / most}%` });
  return (
    <span className="load">
      <span className="load-number">{alerts}</span>
      <span className="load-bar" aria-hidden="true">
        <span className="load-about" style={part(alerts - technical)} />
        <span className="load-technical" style={part(technical)} />
      </span>
    </span>
  );
}
