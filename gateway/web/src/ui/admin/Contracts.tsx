/** The contracts in force: rules that the gateway keeps to, and cannot leave out. Read here, written by hand. */
import { useCallback } from "react";
import type { ContractView } from "../../model";
import { useActions } from "../engine-context";
import { seconds } from "../home/limits";
import { Badge } from "../parts/Badge";
import { EmptyState } from "../parts/EmptyState";
import { Loaded } from "../parts/Loaded";
import { useLoad } from "../parts/load";
import { Code, Facts, Page, Section } from "../parts/Page";
import { ExactTime } from "../parts/RelativeTime";
import { type Parties, partiesOf } from "./parties";
import { Refresh } from "./Refresh";
import { timetable } from "./timetable";

const KINDS: Readonly<Record<string, string>> = {
  access: "who may write",
  rate: "how much",
  quorum: "several admins",
  escalate: "escalation",
  retain: "erasing",
};

export default function Contracts() {
  const actions = useActions();
  const load = useLoad(
    useCallback(async () => {
      const { admin } = actions;
      const [contracts, accounts, groups] = await Promise.all([
        actions.contracts(),
        admin.accounts(),
        admin.groups(),
      ]);
      // An escalation may name groups that this admin is not in.
      return { contracts, parties: partiesOf(accounts, groups) };
    }, [actions]),
  );
  return (
    <Page
      title="Contracts"
      intro="Rules that stand in the chain: each block names those in force, and whoever checks it sees that they were kept. They are installed on the command line."
      actions={<Refresh load={load} />}
    >
      <Loaded load={load} what="contracts">
        {({ contracts, parties }) =>
          contracts.length === 0 ? (
            <EmptyState icon="file" title="No contracts in force">
              Alerts go to whom they are sent to, and to nobody else.
            </EmptyState>
          ) : (
            contracts.map((each) => <Contract key={each.id} contract={each} parties={parties} />)
          )
        }
      </Loaded>
    </Page>
  );
}

function Contract({ contract, parties }: { contract: ContractView; parties: Parties }) {
  const { id, kind, words, steps, installed, hash } = contract;
  return (
    <Section title={id} actions={<Badge>{KINDS[kind] ?? kind}</Badge>}>
      <ul className="list contract-words" aria-label={`What ${id} does`}>
        {words.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
      {steps.length > 0 && (
        <ol className="list contract-steps" aria-label={`Steps of ${id}`}>
          {timetable(steps).map(({ party, at }) => (
            <li key={`${at} ${party}`}>
              <span className="contract-after">{at === 0 ? "at once" : `after ${seconds(at)}`}</span>
              <strong>{parties(party).title}</strong>
            </li>
          ))}
        </ol>
      )}
      <Facts
        facts={[
          ["In force since", <ExactTime key="at" at={installed} full />],
          ["Hash", <Code key="hash">{hash}</Code>],
        ]}
      />
    </Section>
  );
}
