/** A list as a CSV file: what is shown, or everything, page by page. */
import { useEffect, useRef, useState } from "react";
import { Banner } from "../parts/Banner";
import { Button } from "../parts/Button";
import { Toolbar } from "../parts/Page";
import { Progress } from "../parts/Spinner";
import { saveFile } from "../parts/saving";
import { useTask } from "../parts/task";
import { type Cell, csv } from "./csv";
import { type AskLines, everyLine } from "./pages";

/** How a list is written down. */
export interface Sheet<Line> {
  /** As in `audit-2025-11-22.csv`. */
  name: string;
  header: readonly string[];
  row(line: Line): readonly Cell[];
  /** Where a line stands: they fall from the newest to 0, which tells how far it is. */
  place(line: Line): number;
}

interface ExportProps<Line> {
  sheet: Sheet<Line>;
  shown: readonly Line[];
  ask: AskLines<Line>;
  allWords: string;
}

interface Read {
  count: number;
  done: number;
  of: number;
}

export function Export<Line>({ sheet, shown, ask, allWords }: ExportProps<Line>) {
  const task = useTask();
  const [read, setRead] = useState<Read | null>(null);
  const stop = useRef<AbortController | null>(null);
  useEffect(() => () => stop.current?.abort(), []);

  const exportAll = () =>
    task.run(async () => {
      const abort = new AbortController();
      stop.current = abort;
      setRead({ count: 0, done: 0, of: 1 });
      const told = (lines: readonly Line[]) => setRead(howFar(lines, sheet));
      const lines = await everyLine(ask, told, abort.signal).finally(() => setRead(null));
      if (!abort.signal.aborted) save(sheet, lines);
    });
  return (
    <>
      <Toolbar>
        <Button icon="download" onClick={() => save(sheet, shown)}>
          Export what is shown
        </Button>
        <Button icon="download" busy={task.busy} onClick={exportAll}>
          {allWords}
        </Button>
      </Toolbar>
      {read && (
        <div className="export-progress">
          <Progress label={`Reading the list: ${read.count} lines so far`} value={read.done} max={read.of} />
          <Button onClick={() => stop.current?.abort()}>Stop</Button>
        </div>
      )}
      {task.error && (
        <div className="export-error">
          <Banner tone="danger">{task.error}</Banner>
        </div>
      )}
    </>
  );
}

function howFar<Line>(lines: readonly Line[], { place }: Sheet<Line>): Read {
  const [first, last] = [lines[0], lines.at(-1)];
  if (first === undefined || last === undefined) return { count: 0, done: 0, of: 1 };
  return { count: lines.length, done: place(first) - place(last) + 1, of: place(first) + 1 };
}

/** Spreadsheets take a text for UTF-8 only if it begins with this. */
const BYTE_ORDER_MARK = "\ufeff";

function save<Line>(sheet: Sheet<Line>, lines: readonly Line[]): void {
  const text = BYTE_ORDER_MARK + csv(sheet.header, lines.map(sheet.row));
  const today = new Date().toISOString().slice(0, 10);
  saveFile(`${sheet.name}-${today}.csv`, new Blob([text], { type: "text/csv;charset=utf-8" }));
}
