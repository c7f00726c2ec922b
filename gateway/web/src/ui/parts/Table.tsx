/**
 * Rows and columns, which become one card a row where there is no room for columns.
 *
 *   <Table
 *     caption="Sessions"
 *     rows={sessions}
 *     keyOf={(row) => row.id}
 *     columns={[
 *       { name: "Who", head: true, cell: (row) => row.handle },      what names the row
 *       { name: "Used", cell: (row) => <RelativeTime at={row.used} ago /> },
 *       { name: "Actions", buttons: true, cell: (row) => <Button label={`End ${row.agent}`}>End</Button> },
 *     ]}
 *     empty={<EmptyState icon="person" title="Nobody is logged in" />}
 *   />
 *
 * Of a long list, the beginning is drawn, with a button for more; all of it, with `whole`. Where what had the focus goes
 * with its row, the list has the focus.
 */
import "./table.css";
import { type ReactNode, type RefObject, useEffect, useRef, useState } from "react";
import { Button } from "./Button";
import { classes } from "./classes";

export interface Column<Row> {
  name: string;
  head?: boolean;
  /** What can be done with the row: the name of the column goes without saying. */
  buttons?: boolean;
  cell(row: Row): ReactNode;
}

interface TableProps<Row> {
  caption: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  whole?: boolean;
  keyOf(row: Row): string;
  empty: ReactNode;
}

/** Rows that are drawn at first, and with each press of the button. */
const STEP = 100;

export function Table<Row>({ caption, columns, rows, whole = false, keyOf, empty }: TableProps<Row>) {
  const [wanted, setWanted] = useState(STEP);
  const holder = useFocusKept(rows);
  const shown = whole ? rows : rows.slice(0, wanted);
  const hidden = rows.length - shown.length;
  return (
    <div ref={holder} className="table-holder" tabIndex={-1}>
      {rows.length === 0 ? empty : <Rows caption={caption} columns={columns} rows={shown} keyOf={keyOf} />}
      {hidden > 0 && (
        <Button wide onClick={() => setWanted(wanted + STEP)}>
          Show {Math.min(STEP, hidden)} more of {rows.length}
        </Button>
      )}
    </div>
  );
}

/** Gives the focus to the list where a button that had it is gone: a keyboard would begin at the top again. */
function useFocusKept(rows: unknown): RefObject<HTMLDivElement | null> {
  const holder = useRef<HTMLDivElement>(null);
  const within = useRef(false);
  useEffect(() => {
    const look = () => {
      if (document.activeElement !== document.body)
        within.current = holder.current?.contains(document.activeElement) ?? false;
    };
    document.addEventListener("focusin", look);
    return () => document.removeEventListener("focusin", look);
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: other rows are when a button may have gone
  useEffect(() => {
    if (within.current && document.activeElement === document.body)
      holder.current?.focus({ preventScroll: true });
  }, [rows]);
  return holder;
}

function Rows<Row>({ caption, columns, rows, keyOf }: Omit<TableProps<Row>, "empty" | "whole">) {
  return (
    <table className="table">
      <caption className="visually-hidden">{caption}</caption>
      <thead>
        <tr>
          {columns.map((column) => (
            <th key={column.name} scope="col">
              <span className={column.buttons ? "visually-hidden" : undefined}>{column.name}</span>
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={keyOf(row)}>
            {columns.map((column) => (
              <Cell key={column.name} column={column} row={row} />
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Cell<Row>({ column, row }: { column: Column<Row>; row: Row }) {
  const content = <div className="table-content">{column.cell(row)}</div>;
  return column.head ? (
    <th scope="row">{content}</th>
  ) : (
    <td data-name={column.name} className={classes(column.buttons && "table-buttons") || undefined}>
      {content}
    </td>
  );
}
