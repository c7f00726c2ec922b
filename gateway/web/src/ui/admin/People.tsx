/** Everybody who has an account: who they are, whether they are there, and the end of it. */
import { useCallback, useMemo, useState } from "react";
import type { AccountRow, CertificateRow, Kind } from "../../model";
import { useActions, useView } from "../engine-context";
import { KIND_NAMES, ROLE_NAMES } from "../kinds";
import { Badge } from "../parts/Badge";
import { Button } from "../parts/Button";
import { EmptyState } from "../parts/EmptyState";
import { CheckField, Field, SelectField } from "../parts/Field";
import { Loaded } from "../parts/Loaded";
import { useLoad } from "../parts/load";
import { Page, Section } from "../parts/Page";
import { RelativeTime } from "../parts/RelativeTime";
import { type Column, Table } from "../parts/Table";
import { Certificate } from "./Certificate";
import { type AccountFilter, chosenAccounts, partyOfAccount, stateOf, titleOf } from "./parties";
import { Refresh } from "./Refresh";
import { Revoke } from "./Revoke";
import { Who } from "./Who";

const EVERYBODY: AccountFilter = { text: "", kind: "all", onlyLive: false };

export function People() {
  const { admin } = useActions();
  const load = useLoad(
    useCallback(async () => {
      const [accounts, certificates] = await Promise.all([admin.accounts(), admin.certificates()]);
      return { accounts, certificates: new Map(certificates.map((each) => [each.account, each])) };
    }, [admin]),
  );
  const [ending, setEnding] = useState<AccountRow | null>(null);
  return (
    <Page title="People and devices">
      <Section title="Accounts" actions={<Refresh load={load} />}>
        <Loaded load={load} what="accounts">
          {({ accounts, certificates }) => (
            <Accounts
              accounts={accounts}
              certificates={certificates}
              onRevoke={setEnding}
              onRenewed={load.again}
            />
          )}
        </Loaded>
      </Section>
      {ending && <Revoke account={ending} onRevoked={load.again} onClose={() => setEnding(null)} />}
    </Page>
  );
}

interface AccountsProps {
  accounts: readonly AccountRow[];
  /** The newest of each account; none at all where the gateway has no certificates. */
  certificates: ReadonlyMap<string, CertificateRow>;
  onRevoke(account: AccountRow): void;
  onRenewed(): void;
}

function Accounts({ accounts, certificates, onRevoke, onRenewed }: AccountsProps) {
  const me = useView((view) => view.me?.account);
  const [filter, setFilter] = useState(EVERYBODY);
  const chosen = useMemo(() => chosenAccounts(accounts, filter), [accounts, filter]);
  return (
    <>
      <search className="filters">
        <Field
          label="Find by name, handle or id"
          type="search"
          autoComplete="off"
          value={filter.text}
          onValue={(text) => setFilter({ ...filter, text })}
        />
        <SelectField
          label="Kind"
          value={filter.kind}
          onValue={(kind) => setFilter({ ...filter, kind: kind as Kind | "all" })}
        >
          <option value="all">All kinds</option>
          <option value="person">People</option>
          <option value="device">Devices</option>
          <option value="service">Services</option>
        </SelectField>
        <CheckField
          label="Only live accounts"
          checked={filter.onlyLive}
          onChecked={(onlyLive) => setFilter({ ...filter, onlyLive })}
        />
      </search>
      <p className="filters-found" role="status">
        {chosen.length === accounts.length
          ? `${accounts.length} accounts`
          : `${chosen.length} of ${accounts.length} accounts`}
      </p>
      <Table
        caption="Accounts"
        rows={chosen}
        keyOf={(row) => row.account}
        columns={columns(
          me,
          onRevoke,
          certificates.size > 0 ? [certificateColumn(certificates, onRenewed)] : [],
        )}
        empty={
          <EmptyState
            icon="search"
            title="Nobody is found"
            action={<Button onClick={() => setFilter(EVERYBODY)}>Show all accounts</Button>}
          >
            No account has all of these words and is of this kind.
          </EmptyState>
        }
      />
    </>
  );
}

function columns(
  me: string | undefined,
  onRevoke: (account: AccountRow) => void,
  more: readonly Column<AccountRow>[],
): readonly Column<AccountRow>[] {
  return [
    {
      name: "Name",
      head: true,
      // What it is at the moment has a column of its own.
      cell: (row) => <Who party={{ ...partyOfAccount(row), live: true }} online={row.online} />,
    },
    { name: "Kind", cell: (row) => KIND_NAMES[row.kind] },
    { name: "Role", cell: (row) => ROLE_NAMES[row.role] },
    { name: "State", cell: (row) => <State account={row} /> },
    { name: "Last seen", cell: (row) => <Seen account={row} /> },
    ...more,
    { name: "Account id", cell: (row) => <code className="account-id">{row.account}</code> },
    {
      name: "Actions",
      buttons: true,
      cell: (row) => <Ending account={row} me={me} onRevoke={onRevoke} />,
    },
  ];
}

function certificateColumn(
  certificates: ReadonlyMap<string, CertificateRow>,
  onRenewed: () => void,
): Column<AccountRow> {
  return {
    name: "Certificate",
    cell: (row) => {
      const certificate = certificates.get(row.account);
      return certificate && <Certificate account={row} certificate={certificate} onRenewed={onRenewed} />;
    },
  };
}

function State({ account }: { account: AccountRow }) {
  switch (stateOf(account)) {
    case "live":
      return "Live";
    case "no key":
      return <Badge>no key</Badge>;
    case "revoked":
      return <Badge tone="danger">revoked</Badge>;
  }
}

function Seen({ account }: { account: AccountRow }) {
  if (account.online) return "Online";
  if (account.lastSeen === null) return <span className="soft">Not seen yet</span>;
  return <RelativeTime at={account.lastSeen} ago />;
}

interface EndingProps {
  account: AccountRow;
  me: string | undefined;
  onRevoke(account: AccountRow): void;
}

/** The gateway's own account does not end, and nobody ends their own by mistake: another admin can. */
function Ending({ account, me, onRevoke }: EndingProps) {
  if (account.account === me) return <Badge>you</Badge>;
  if (!account.live || account.role === "gateway") return null;
  return (
    <Button label={`Revoke ${titleOf(account)}`} onClick={() => onRevoke(account)}>
      Revoke
    </Button>
  );
}
