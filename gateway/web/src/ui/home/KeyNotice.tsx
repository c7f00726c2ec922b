/** Said loudly: somebody's keys are others than before. It may be a new tablet, or somebody else. */
import { useState } from "react";
import type { FriendView } from "../../model";
import { useActions } from "../engine-context";
import { Banner } from "../parts/Banner";
import { Button } from "../parts/Button";
import { Confirm } from "../parts/Dialog";
import { useTask } from "../parts/task";

interface KeyNoticeProps {
  friend: FriendView;
  notice: { text: string; waiting: boolean };
  onCompare(): void;
}

export function KeyNotice({ friend, notice, onCompare }: KeyNoticeProps) {
  const actions = useActions();
  const task = useTask();
  const [accepting, setAccepting] = useState(false);
  return (
    <div className="key-notice">
      <Banner
        tone="danger"
        title={`The keys of ${friend.title} have changed`}
        actions={
          <>
            <Button look="primary" icon="shield" onClick={onCompare}>
              Compare the safety code
            </Button>
            {notice.waiting ? (
              <Button onClick={() => setAccepting(true)}>Accept the new keys</Button>
            ) : (
              <Button busy={task.busy} onClick={() => task.run(() => actions.dismissKeyNotice(friend.id))}>
                Understood
              </Button>
            )}
          </>
        }
      >
        <p>{notice.text}.</p>
        {notice.waiting && <p>You cannot write to {friend.title} until you accept them.</p>}
        {task.error && <p>{task.error}</p>}
      </Banner>
      {accepting && (
        <Confirm
          title={`Accept the new keys of ${friend.title}?`}
          action="Accept"
          danger
          onConfirm={() => actions.acceptKeys(friend.id)}
          onClose={() => setAccepting(false)}
        >
          <p>
            Accept them only if you compared the safety code, or know why they changed. If somebody else made
            these keys, they can read what you write to {friend.title} from now on.
          </p>
        </Confirm>
      )}
    </div>
  );
}
