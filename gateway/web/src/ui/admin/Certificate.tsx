/** A device's certificate: until when it is good, and a way back for one that was off for too long. */
import type { AccountRow, CertificateRow } from "../../model";
import { useActions } from "../engine-context";
import { Badge } from "../parts/Badge";
import { Button } from "../parts/Button";
import { ExactTime } from "../parts/RelativeTime";
import { useTask } from "../parts/task";
import { titleOf } from "./parties";

interface CertificateProps {
  account: AccountRow;
  certificate: CertificateRow;
  onRenewed(): void;
}

export function Certificate({ account, certificate, onRenewed }: CertificateProps) {
  const { admin } = useActions();
  const task = useTask();
  if (certificate.revoked) return <Badge>revoked</Badge>;
  if (!certificate.expired)
    return (
      <>
        until <ExactTime at={certificate.until} />
      </>
    );
  if (certificate.renewable !== null)
    return (
      <>
        <Badge>expired</Badge> may renew until <ExactTime at={certificate.renewable} />
      </>
    );
  const renew = async () => {
    if (await task.run(async () => void (await admin.renew(account.account)))) onRenewed();
  };
  return (
    <>
      <Badge tone="danger">expired</Badge> <ExactTime at={certificate.until} />{" "}
      {account.live && (
        <Button label={`Let ${titleOf(account)} renew its certificate`} busy={task.busy} onClick={renew}>
          Let it renew
        </Button>
      )}
      {task.error && <p className="field-error">{task.error}</p>}
    </>
  );
}
