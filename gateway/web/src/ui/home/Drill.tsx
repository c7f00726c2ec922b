/** Raises an alert to see whether, and how fast, somebody answers; and says before what that sets off. */
import type { DutyGroup } from "../../model";
import { useActions } from "../engine-context";
import { announce } from "../parts/Announcer";
import { Confirm } from "../parts/Dialog";

export default function Drill({ group, onClose }: { group: DutyGroup; onClose(): void }) {
  const actions = useActions();
  const hold = async () => {
    await actions.drill(group.id);
    announce(`The drill in ${group.title} has begun`);
  };
  return (
    <Confirm
      title={`Hold a drill in ${group.title}?`}
      action="Start the drill"
      onConfirm={hold}
      onClose={onClose}
    >
      <p>
        <strong>It sounds everywhere:</strong> at everybody who is on duty, like an alert of medium priority.
        It is marked as a drill.
      </p>
      <p>If nobody takes it, it goes on to further people, as any alert does.</p>
      <p>
        Whoever takes it ends the sound. Then resolve it: the drill is over, and the time that it took is kept
        here.
      </p>
    </Confirm>
  );
}
