/** What was done here, by whom, and what was refused. */
import { useCallback, useState } from "react";
import type { AuditLine, RefusalLine } from "../../model";
import { useActions } from "../engine-context";
import { Badge } from "../parts/Badge";
import { SelectField } from "../parts/Field";
import { Page } from "../parts/Page";
import { ExactTime } from "../parts/RelativeTime";
import type { Column } from "../parts/Table";
import { Tabs } from "../parts/Tabs";
import type { Sheet } from "./Export";
import { LineTable } from "./LineTable";

type Type = AuditLine["type"];

const TYPES: Record<Type, string> = {
  invite: "Join codes",
  account: "Accounts",
  key: "Keys",
  revoke: "Ends of accounts",
  contact: "Contacts",
  contract: "Contracts",
  shift: "Duty",
  approve: "Approvals",
  group: "Groups",
  redact: "Erased texts",
};

export function Audit() {
  const [tab, setTab] = useState<"done" | "refused">("done");
  return (
    <Page title="Audit" intro="What was done stays on the chain, signed by who did it.">
      <Tabs
        label="Audit"
        tabs={[
          { id: "done", label: "What was done" },
          { id: "refused", label: "What was refused" },
        ]}
        selected={tab}
        onSelect={setTab}
      >
        {tab === "done" ? <Done /> : <Refused />}
      </Tabs>
    </Page>
  );
}

const DONE: readonly Column<AuditLine>[] = [
  { name: "When", cell: (line) => <ExactTime at={line.at} full /> },
  { name: "Who", head: true, cell: (line) => line.authorTitle },
  { name: "What", cell: (line) => line.what },
  { name: "Type", cell: (line) => TYPES[line.type] },
  { name: "Entry", cell: (line) => String(line.index) },
];

const DONE_SHEET: Sheet<AuditLine> = {
  name: "audit",
  header: ["entry", "time", "type", "author", "author id", "what", "entry id"],
  row: (line) => [
    line.index,
    new Date(line.at).toISOString(),
    line.type,
    line.authorTitle,
    line.author,
    line.what,
    line.id,
  ],
  place: (line) => line.index,
};

function Done() {
  const { admin } = useActions();
  const [type, setType] = useState<Type | null>(null);
  const ask = useCallback((before: number | null) => admin.audit({ type, before }), [admin, type]);
  return (
    <LineTable
      title="What was done"
      ask={ask}
      columns={DONE}
      keyOf={(line) => line.id}
      sheet={DONE_SHEET}
      allWords={type === null ? "Export everything" : "Export all of this type"}
      none={type === null ? "Nothing yet" : "Nothing of this type yet"}
      filter={
        <SelectField
          label="Type"
          value={type ?? "all"}
          onValue={(value) => setType(value === "all" ? null : (value as Type))}
        >
          <option value="all">All types</option>
          {Object.entries(TYPES).map(([value, words]) => (
            <option key={value} value={value}>
              {words}
            </option>
          ))}
        </SelectField>
      }
    />
  );
}

const REFUSED: readonly Column<RefusalLine>[] = [
  { name: "When", cell: (line) => <ExactTime at={line.at} full /> },
  { name: "Who", head: true, cell: (line) => line.title ?? line.account ?? "unknown" },
  { name: "Rule", cell: (line) => <Badge>{line.rule}</Badge> },
  { name: "Reason", cell: (line) => line.reason },
];

const REFUSED_SHEET: Sheet<RefusalLine> = {
  name: "refused",
  header: ["number", "time", "author", "author id", "rule", "reason"],
  row: (line) => [
    line.number,
    new Date(line.at).toISOString(),
    line.title,
    line.account,
    line.rule,
    line.reason,
  ],
  place: (line) => line.number,
};

function Refused() {
  const { admin } = useActions();
  return (
    <LineTable
      title="What was refused"
      ask={useCallback((before: number | null) => admin.refusals(before), [admin])}
      columns={REFUSED}
      keyOf={(line) => String(line.number)}
      sheet={REFUSED_SHEET}
      allWords="Export everything"
      none="Nothing was refused"
      filter={
        <p className="soft">
          Refused entries are not on the chain: this list is the gateway's own, and it keeps the newest.
        </p>
      }
    />
  );
}
