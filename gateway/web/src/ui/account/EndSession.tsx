/** Asks whether to end a session, of one's own or, as an admin, of somebody else. */
import type { SessionLine } from "../../model";
import { Confirm } from "../parts/Dialog";

interface EndSessionProps {
  session: SessionLine;
  /** Whose it is, where that is not oneself. */
  of?: string;
  onEnd(): Promise<void>;
  onClose(): void;
}

export function EndSession({ session, of, onEnd, onClose }: EndSessionProps) {
  const whose = of === undefined ? "the session" : `${of}'s session`;
  return (
    <Confirm
      title={`End ${whose} on ${session.agent}?`}
      action="End session"
      danger
      onConfirm={onEnd}
      onClose={onClose}
    >
      <p>Whoever uses that browser has to log in again. Alerts no longer sound there until then.</p>
    </Confirm>
  );
}
