/** Join codes: making one, and what has become of those that were made. */
import { useCallback, useMemo, useState } from "react";
import type { AccountRow, InviteRow } from "../../model";
import { useActions } from "../engine-context";
import { KIND_NAMES, ROLE_NAMES } from "../kinds";
import { Badge } from "../parts/Badge";
import { Button } from "../parts/Button";
import { EmptyState } from "../parts/EmptyState";
import { SelectField } from "../parts/Field";
import { Loaded } from "../parts/Loaded";
import { useLoad } from "../parts/load";
import { Page, Section } from "../parts/Page";
import { ExactTime } from "../parts/RelativeTime";
import { type Column, Table } from "../parts/Table";
import { useTask } from "../parts/task";
import { CodeForm, type Made } from "./CodeForm";
import { type CodeState, chosenCodes, stateOfCode } from "./joining";
import { NewCode } from "./NewCode";
import { type Parties, partiesOf } from "./parties";
import { Refresh } from "./Refresh";
import { Waiting } from "./Waiting";

const NO_ACCOUNTS: readonly AccountRow[] = [];

export function Codes() {
  const { admin } = useActions();
  const load = useLoad(
    useCallback(async () => {
      const [codes, accounts] = await Promise.all([admin.invites(), admin.accounts()]);
      return { codes, accounts };
    }, [admin]),
  );
  const [made, setMade] = useState<Made | null>(null);
  const [first, setFirst] = useState(true);
  const taken = useTaken(load.value?.accounts ?? NO_ACCOUNTS);
  return (
    <Page title="Join codes" intro="Whoever is to have an account gets a code from you. It works once.">
      <Waiting onLetIn={load.again} />
      {made ? (
        <NewCode
          made={made}
          onDone={() => {
            setMade(null);
            setFirst(false);
          }}
        />
      ) : (
        <CodeForm
          taken={taken}
          focused={!first}
          onMade={(code) => {
            setMade(code);
            load.again();
          }}
        />
      )}
      <Section title="Codes so far" actions={<Refresh load={load} />}>
        <Loaded load={load} what="join codes">
          {({ codes, accounts }) => <List codes={codes} accounts={accounts} onStopped={load.again} />}
        </Loaded>
      </Section>
    </Page>
  );
}

/** Handles of live accounts: a code for one of them would be good for nothing. */
function useTaken(accounts: readonly AccountRow[]): ReadonlySet<string> {
  return useMemo(
    () => new Set(accounts.flatMap((each) => (each.live && each.handle !== null ? [each.handle] : []))),
    [accounts],
  );
}

interface ListProps {
  codes: readonly InviteRow[];
  accounts: readonly AccountRow[];
  onStopped(): void;
}

function List({ codes, accounts, onStopped }: ListProps) {
  const [wanted, setWanted] = useState<CodeState | "all">("all");
  const parties = useMemo(() => partiesOf(accounts, []), [accounts]);
  const now = Date.now();
  return (
    <>
      <div className="filters">
        <SelectField label="Show" value={wanted} onValue={(value) => setWanted(value as CodeState | "all")}>
          <option value="all">All codes</option>
          <option value="open">Open</option>
          <option value="used">Used</option>
          <option value="expired">Expired</option>
          <option value="dead">Stopped</option>
        </SelectField>
      </div>
      <Table
        caption="Join codes"
        rows={chosenCodes(codes, wanted, now)}
        keyOf={(row) => row.id}
        columns={columns(parties, now, onStopped)}
        empty={
          <EmptyState icon="key" title={wanted === "all" ? "No codes yet" : `No ${NAMES[wanted]} codes`}>
            {wanted === "all" && "Make the first one above."}
          </EmptyState>
        }
      />
    </>
  );
}

const NAMES: Record<CodeState, string> = { open: "open", used: "used", expired: "expired", dead: "stopped" };

function columns(parties: Parties, now: number, onStopped: () => void): readonly Column<InviteRow>[] {
  return [
    { name: "For", head: true, cell: (row) => row.handle ?? "handle erased" },
    { name: "Kind", cell: (row) => KIND_NAMES[row.kind] },
    { name: "Role", cell: (row) => ROLE_NAMES[row.role] },
    { name: "State", cell: (row) => <State code={row} now={now} parties={parties} /> },
    { name: "Made by", cell: (row) => parties(row.author).title },
    {
      name: "Actions",
      buttons: true,
      cell: (row) => stateOfCode(row, now) === "open" && <Stop code={row} onStopped={onStopped} />,
    },
  ];
}

function State({ code, now, parties }: { code: InviteRow; now: number; parties: Parties }) {
  switch (stateOfCode(code, now)) {
    case "used":
      return (
        <>
          <Badge>used</Badge> by {parties(code.usedBy ?? "").title}
        </>
      );
    case "open":
      return (
        <>
          <Badge tone="good">open</Badge> until <ExactTime at={code.expires} />
        </>
      );
    case "expired":
      return (
        <>
          <Badge>expired</Badge> <ExactTime at={code.expires} />
        </>
      );
    case "dead":
      return <Badge tone="danger">stopped</Badge>;
  }
}

/** A code that got into wrong hands: it was not used yet, so that nothing is lost. */
function Stop({ code, onStopped }: { code: InviteRow; onStopped(): void }) {
  const { admin } = useActions();
  const task = useTask();
  const stop = async () => {
    if (await task.run(() => admin.cancel(code.id))) onStopped();
  };
  return (
    <>
      <Button
        label={`Stop the code for ${code.handle ?? "an erased handle"}`}
        busy={task.busy}
        onClick={stop}
      >
        Stop
      </Button>
      {task.error && <p className="field-error">{task.error}</p>}
    </>
  );
}
