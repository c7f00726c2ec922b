/** Somebody joins whom an admin lets in by six digits: they tell them, and wait. */
import "./matching.css";
import { useActions } from "../engine-context";
import { Button } from "../parts/Button";
import { spelled } from "../parts/digits";
import { Progress } from "../parts/Spinner";
import { useTask } from "../parts/task";
import { Door } from "./Door";

export function Matching({ handle, digits }: { handle: string; digits: string }) {
  const actions = useActions();
  const task = useTask();
  return (
    <Door title="Tell the administrator these digits">
      <p role="status" className="matching-digits">
        <span aria-hidden="true">{spelled(digits)}</span>
        <span className="visually-hidden">{[...digits].join(" ")}</span>
      </p>
      <p>
        Say them in person or on the phone, or show this screen. They show that nobody else joins as{" "}
        <strong>{handle}</strong> in your place.
      </p>
      <Progress label="Waiting for the administrator: it goes on by itself" />
      <p className="soft">Leave this page open. If it is closed, open it again in this browser.</p>
      <div className="door-ways">
        <Button
          look="quiet"
          icon="back"
          wide
          busy={task.busy}
          onClick={() => task.run(actions.giveUpJoining)}
        >
          Do not join
        </Button>
      </div>
    </Door>
  );
}
