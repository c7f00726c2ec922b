/** A recovery code as it is shown, once: in groups that an eye can follow, to be copied or printed. */
import "./recovery-code.css";
import { Button } from "../parts/Button";
import { CopyButton } from "../parts/CopyButton";
import { Toolbar } from "../parts/Page";

export function RecoveryCode({ code }: { code: string }) {
  return (
    <div className="recovery-code">
      {/* One text, so that it is read, selected and copied as a whole. */}
      <section className="recovery-code-text" aria-label="Recovery code">
        {code.split("-").map((group, position) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the groups of a code never change places
          <span key={position}>{position === 0 ? group : `-${group}`}</span>
        ))}
      </section>
      <Toolbar>
        <CopyButton text={code} label="Copy" />
        <Button icon="print" onClick={() => window.print()}>
          Print
        </Button>
      </Toolbar>
    </div>
  );
}
