/** The screens on which nothing can be done but to read what is the matter. */
import type { Evidence } from "../../model";
import { useView } from "../engine-context";
import { Banner } from "../parts/Banner";
import { Button } from "../parts/Button";
import { CopyButton } from "../parts/CopyButton";
import { Code, Facts } from "../parts/Page";
import { ExactTime, exactText } from "../parts/RelativeTime";
import { Spinner } from "../parts/Spinner";
import { Door } from "./Door";

export function Starting() {
  const stuck = useView((view) => view.troubles.length > 0);
  const away = useView((view) => view.lamp === "offline");
  return (
    <Door title={stuck ? "Blockpost could not start" : "Blockpost is starting"}>
      {stuck ? (
        <Button look="primary" icon="refresh" wide onClick={() => window.location.reload()}>
          Load the page again
        </Button>
      ) : (
        <p className="door-starting soft" role="status">
          <Spinner />{" "}
          {away
            ? "The gateway does not answer. This page goes on trying: leave it open."
            : "Looking for your keys on this browser."}
        </p>
      )}
    </Door>
  );
}

export function Insecure() {
  const { host, hostname, port } = window.location;
  return (
    <Door title="This address is not secure">
      <p>
        Blockpost keeps your messages secret in this browser. A browser allows that only on a secure address,
        and this one ({hostname}) is not: it begins with <code>http</code>.
      </p>
      <h2>What to do</h2>
      <ol>
        <li>
          Open the address that begins with <code>https</code>. Often it is{" "}
          <a href={`https://${host}/`}>https://{host}/</a>
        </li>
        <li>
          If you sit at the gateway itself, open{" "}
          <a href={`http://localhost${port && `:${port}`}/`}>http://localhost{port && `:${port}`}/</a>
        </li>
        <li>If neither opens, ask your admin for the secure address of this gateway.</li>
      </ol>
      <p className="soft">Do not type your password on this page.</p>
    </Door>
  );
}

export function Unsupported({ missing }: { missing: string }) {
  return (
    <Door title="This browser is too old">
      <p>It cannot do what Blockpost needs to keep messages secret. What it lacks: {missing}.</p>
      <h2>What to do</h2>
      <p>Update this browser, or use one of these, or a newer one:</p>
      <ul>
        <li>Chrome or Edge 137</li>
        <li>Firefox 129</li>
        <li>Safari 17</li>
      </ul>
      <p className="soft">On a tablet that belongs to the house, ask your admin to update it.</p>
    </Door>
  );
}

export function TwoHistories({ evidence }: { evidence: Evidence }) {
  return (
    <Door title="Stopped: the gateway showed two histories" wide>
      <Banner tone="danger" title="Do not trust what this gateway says now.">
        It signed two records of what happened that cannot both be true. Messages may have been removed,
        changed or hidden. This page stopped, and does not send, show or sound anything.
      </Banner>
      <h2>What to do</h2>
      <ol>
        <li>
          Use another way to reach people now: the telephone, or the alarm at the bedside. Alerts do not come
          here.
        </li>
        <li>Tell your admin at once, and let them see this page. Leave it open.</li>
        <li>Copy the evidence below and keep it. It is signed by the gateway, so it can be proved later.</li>
      </ol>
      <div>
        <CopyButton look="primary" label="Copy the evidence" text={evidenceText(evidence)} />
      </div>
      <h2>Evidence</h2>
      <Facts
        facts={[
          ["Seen", <ExactTime key="at" at={evidence.at} full />],
          ["What was wrong", evidence.reason],
          ["Held by this browser", <Code key="held">{evidence.held}</Code>],
          ["Shown by the gateway", <Code key="shown">{evidence.shown}</Code>],
        ]}
      />
    </Door>
  );
}

function evidenceText({ at, reason, held, shown }: Evidence): string {
  const when = `${exactText(at)} (${new Date(at).toISOString()})`;
  return `Seen: ${when}\nWhat was wrong: ${reason}\n\nHeld by this browser:\n${held}\nShown by the gateway:\n${shown}\n`;
}
