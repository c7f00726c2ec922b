/** A recovery code as it is shown, once: in groups that an eye can follow, to be copied, or printed alone on a sheet. */
import "./recovery-code.css";
import { useView } from "../engine-context";
import { Button } from "../parts/Button";
import { CopyButton } from "../parts/CopyButton";
import { Toolbar } from "../parts/Page";

export function RecoveryCode({ code }: { code: string }) {
  const site = useView((view) => view.site);
  const handle = useView((view) => view.me?.handle);
  return (
    <div className="recovery-code">
      <div className="recovery-code-sheet">
        <p className="recovery-code-print">
          Blockpost recovery code{handle && ` of ${handle}`}
          {site && `, ${site}`}. Who has it can read the messages.
        </p>
        <section className="recovery-code-text" aria-label="Recovery code">
          {code.split("-").map((group, position, all) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the groups of a code never change places
            <span key={position}>{position === all.length - 1 ? group : `${group}-`}</span>
          ))}
        </section>
      </div>
      <Toolbar>
        <CopyButton text={code} label="Copy" />
        <Button icon="print" onClick={() => window.print()}>
          Print
        </Button>
      </Toolbar>
    </div>
  );
}
