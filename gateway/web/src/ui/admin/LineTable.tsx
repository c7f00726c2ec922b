/** A long list, the newest first: a page at a time, and to take away as CSV. */
import { type ReactNode, useId } from "react";
import { Banner } from "../parts/Banner";
import { Button } from "../parts/Button";
import { EmptyState } from "../parts/EmptyState";
import { Loading } from "../parts/Loaded";
import { Section } from "../parts/Page";
import { type Column, Table } from "../parts/Table";
import { Export, type Sheet } from "./Export";
import { type LineList, useLines } from "./lines";
import type { AskLines } from "./pages";
import { Refresh } from "./Refresh";

interface LineTableProps<Line> {
  title: string;
  ask: AskLines<Line>;
  columns: readonly Column<Line>[];
  keyOf(line: Line): string;
  sheet: Sheet<Line>;
  /** What the export of everything is called. */
  allWords: string;
  /** What is said if there is none. */
  none: string;
  filter: ReactNode;
}

export function LineTable<Line>({
  title,
  ask,
  columns,
  keyOf,
  sheet,
  allWords,
  none,
  filter,
}: LineTableProps<Line>) {
  const list = useLines(ask);
  const lines = list.lines ?? [];
  return (
    <Section title={title} actions={<Refresh load={list} />}>
      <div className="filters">
        {filter}
        {lines.length > 0 && <Export sheet={sheet} shown={lines} ask={ask} allWords={allWords} />}
      </div>
      {list.lines === null && list.error === null && <Loading what="the list" />}
      {list.lines !== null && (
        <Table
          caption={title}
          rows={lines}
          whole
          keyOf={keyOf}
          columns={columns}
          empty={<EmptyState icon="info" title={none} />}
        />
      )}
      <Failure list={list} />
      <More list={list} />
    </Section>
  );
}

/** Below what is there: it is the next page that did not come. */
function Failure<Line>({ list }: { list: LineList<Line> }) {
  if (list.error === null) return null;
  return (
    <Banner
      tone="danger"
      actions={
        <Button icon="refresh" busy={list.busy} onClick={list.load}>
          Try again
        </Button>
      }
    >
      {list.error}
    </Banner>
  );
}

function More<Line>({ list }: { list: LineList<Line> }) {
  const id = useId();
  if (list.lines === null || list.lines.length === 0) return null;
  return (
    <div className="lines-more">
      {list.more && (
        <Button busy={list.busy} aria-describedby={id} onClick={list.load}>
          Load more
        </Button>
      )}
      <p id={id} className="soft" role="status">
        {list.more ? `The newest ${list.lines.length} are shown` : `All ${list.lines.length} are shown`}
      </p>
    </div>
  );
}
