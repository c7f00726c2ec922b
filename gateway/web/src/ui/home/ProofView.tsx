/** What this page itself checked about a message: first in words, then to the byte, for who wants to check again. */
import "./proof.css";
import { type ReactNode, useEffect, useRef, useState } from "react";
import type { EntryId, Proof } from "../../model";
import { useActions } from "../engine-context";
import { Badge } from "../parts/Badge";
import { Banner } from "../parts/Banner";
import { Button } from "../parts/Button";
import { CopyButton } from "../parts/CopyButton";
import { Icon } from "../parts/Icon";
import { Code, Facts, Section } from "../parts/Page";
import { ExactTime } from "../parts/RelativeTime";
import { Spinner } from "../parts/Spinner";
import { saveFile } from "../parts/saving";
import { words } from "../parts/task";
import { go } from "../route";
import { commandOf, proofText } from "./proof-text";

export default function ProofView({ id }: { id: EntryId }) {
  const actions = useActions();
  const [found, setFound] = useState<{ id: EntryId; proof: Proof | null; failure: string | null } | null>(
    null,
  );
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);
  useEffect(() => {
    let wanted = true;
    actions.proof(id).then(
      (proof) => wanted && setFound({ id, proof, failure: null }),
      (error: unknown) => wanted && setFound({ id, proof: null, failure: words(error) }),
    );
    return () => {
      wanted = false;
    };
  }, [actions, id]);

  const current = found?.id === id ? found : null;
  return (
    <section className="proof" aria-labelledby="proof-title">
      <div className="proof-head">
        <Button look="quiet" icon="back" label="Back" onClick={goBack} />
        <h2 id="proof-title" ref={heading} tabIndex={-1}>
          Proof
        </h2>
        {current?.proof && (
          <Button icon="download" className="proof-save" onClick={() => save(current.proof)}>
            Save for an auditor
          </Button>
        )}
      </div>
      {current === null && <Spinner />}
      {current?.failure && (
        <Banner tone="danger" title="There is no proof of this message">
          {current.failure}
        </Banner>
      )}
      {current?.proof && <Checked proof={current.proof} />}
    </section>
  );
}

/** Where the person came from; home, if the page was opened here. */
function goBack(): void {
  if (window.history.length > 1) window.history.back();
  else go({ name: "home" });
}

function save(proof: Proof | null): void {
  if (proof) saveText(`proof-${proof.index}.txt`, proofText(proof));
}

function saveText(name: string, text: string): void {
  saveFile(name, new Blob([text], { type: "text/plain" }));
}

const BY: Record<Proof["keys"][number]["by"], string> = {
  join: "when the account was made",
  rotation: "changed by its owner",
  reset: "set anew by an administrator",
};

function Checked({ proof }: { proof: Proof }) {
  return (
    <>
      <Section title="This page checked">
        <ul className="proof-checks">
          {proof.checks.map((check) => (
            <li key={check}>
              <Icon name="check" />
              <span>{check}</span>
            </li>
          ))}
        </ul>
      </Section>
      <Section title="Who signed it">
        <Facts
          facts={[
            ["Signer", proof.signer.title],
            ["Account", <Copyable key="account" text={proof.signer.account} what="account" />],
            [
              "Signing key",
              <div key="key" className="proof-key">
                <Copyable text={proof.signer.kid} what="signing key" />
                {proof.signer.current ? <Badge tone="good">in use</Badge> : <Badge>replaced since</Badge>}
              </div>,
            ],
          ]}
        />
        <h3>Keys of {proof.signer.title}, the oldest first</h3>
        <ol className="proof-keys">
          {proof.keys.map((key) => (
            <li key={key.kid}>
              <Code>{key.kid}</Code>
              <span className="soft">
                Entry {key.index}, {BY[key.by]}
                {key.at !== null && (
                  <>
                    , <ExactTime at={key.at} full />
                  </>
                )}
                {key.kid === proof.signer.kid && <strong> (signed this)</strong>}
              </span>
            </li>
          ))}
        </ol>
      </Section>
      <Section title="Where it stands in the chain">
        <Facts facts={chainFacts(proof)} />
      </Section>
      <Section
        title="What the gateway signed"
        actions={<CopyButton text={proof.checkpoint} label="Copy checkpoint" />}
      >
        <Code>{proof.checkpoint}</Code>
      </Section>
      <Section title="Check it without this page">
        <p>Save both files. Then anybody can check them, with no access to the gateway:</p>
        <div className="proof-files">
          <Button icon="download" onClick={() => saveText(`${proof.index}.tlog-proof`, proof.receipt)}>
            Save the receipt
          </Button>
          <Button icon="download" onClick={() => saveText(`${proof.index}.entry`, proof.entry)}>
            Save the entry
          </Button>
        </div>
        <Copyable text={commandOf(proof)} what="command" />
      </Section>
    </>
  );
}

function chainFacts(proof: Proof): readonly (readonly [string, ReactNode])[] {
  return [
    ["Entry", String(proof.index)],
    ["Entry id", <Copyable key="id" text={proof.id} what="entry id" />],
    ["Leaf hash", <Copyable key="leaf" text={proof.leafHash} what="leaf hash" />],
    ...(proof.block
      ? ([
          ["Block", String(proof.block.height)],
          ["Block hash", <Copyable key="block" text={proof.block.hash} what="block hash" />],
          ["Block time", <ExactTime key="time" at={proof.block.timestamp} full />],
        ] as const)
      : []),
    ["Tree size", `${proof.treeSize} entries`],
    ["Path", proof.pathLength === 1 ? "1 hash" : `${proof.pathLength} hashes`],
    ["Root", <Copyable key="root" text={proof.rootHash} what="root" />],
    ["Chain", <Copyable key="origin" text={proof.origin} what="chain" />],
    ...(proof.commitment
      ? ([["Commitment", <Copyable key="commitment" text={proof.commitment} what="commitment" />]] as const)
      : []),
  ];
}

function Copyable({ text, what }: { text: string; what: string }) {
  return (
    <div className="proof-copyable">
      <Code>{text}</Code>
      <CopyButton text={text} look="quiet" label={`Copy ${what}`} />
    </div>
  );
}
