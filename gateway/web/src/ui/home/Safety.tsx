/** The safety code of a contact: twelve words and a QR code, to be compared where nobody is in between. */
import "./safety.css";
import { useEffect, useState } from "react";
import type { FriendView, SafetyCode } from "../../model";
import { useActions } from "../engine-context";
import { Badge } from "../parts/Badge";
import { Banner } from "../parts/Banner";
import { Button } from "../parts/Button";
import { CopyButton } from "../parts/CopyButton";
import { Dialog } from "../parts/Dialog";
import { Qr } from "../parts/Qr";
import { Spinner } from "../parts/Spinner";
import { useTask, words } from "../parts/task";

export default function Safety({ friend, onClose }: { friend: FriendView; onClose(): void }) {
  const actions = useActions();
  const task = useTask();
  const [code, setCode] = useState<SafetyCode | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  useEffect(() => {
    let wanted = true;
    actions.safetyCode(friend.id).then(
      (made) => wanted && setCode(made),
      (error: unknown) => wanted && setFailure(words(error)),
    );
    return () => {
      wanted = false;
    };
  }, [actions, friend.id]);

  const same = async () => {
    const done = await task.run(async () => {
      if (friend.keyNotice?.waiting) await actions.acceptKeys(friend.id);
      await actions.setVerified(friend.id, true);
    });
    if (done) onClose();
  };
  return (
    <Dialog
      title={`Safety code with ${friend.title}`}
      wide
      onClose={onClose}
      actions={
        friend.verified ? (
          <>
            <Button busy={task.busy} onClick={() => task.run(() => actions.setVerified(friend.id, false))}>
              No longer verified
            </Button>
            <Button look="primary" onClick={onClose}>
              Done
            </Button>
          </>
        ) : (
          <>
            <Button onClick={onClose}>Not now</Button>
            <Button look="primary" icon="check" busy={task.busy} disabled={code === null} onClick={same}>
              We compared them and they are the same
            </Button>
          </>
        )
      }
    >
      <p>
        Meet {friend.title}, or call, and compare these words with theirs: both pages show the same ones if
        nobody is in between. If a single word differs, write nothing private, and tell your administrator.
      </p>
      {friend.verified && (
        <p>
          <Badge tone="good">Verified</Badge>
        </p>
      )}
      {(failure ?? task.error) && <Banner tone="danger">{failure ?? task.error}</Banner>}
      {code ? (
        <div className="safety">
          <div className="safety-text">
            <ol className="safety-words" aria-label="Safety words">
              {code.words.map((word, position) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: a word may come twice, and its place is what it is
                <li key={position}>{word}</li>
              ))}
            </ol>
            <CopyButton text={code.words.join(" ")} label="Copy the words" look="quiet" />
          </div>
          <Qr text={code.qr} label={`Safety code with ${friend.title}, as a QR code`} />
        </div>
      ) : (
        failure === null && <Spinner />
      )}
    </Dialog>
  );
}
