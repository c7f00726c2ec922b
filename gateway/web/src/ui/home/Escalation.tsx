/** How far an alert that nobody takes has come: whom it reached, who is next and when, and who comes after them. */
import type { Escalation as Course } from "../../model";
import { Icon } from "../parts/Icon";
import { ExactTime, TimeLeft } from "../parts/RelativeTime";
import { later } from "./course";

export function Escalation({ course }: { course: Course }) {
  const { steps, next, lap } = course;
  const then = later(course);
  return (
    <ol className="escalation" aria-label="Escalation">
      {lap > 1 && (
        <li className="escalation-lap">
          <Icon name="refresh" />
          <span>Round {lap}: nobody has answered so far</span>
        </li>
      )}
      {steps.map(
        ({ party, title, at }) =>
          at !== null && (
            <li key={`${party} ${at}`}>
              <Icon name="check" />
              <span>
                Reached {title} at <ExactTime at={at} />
              </span>
            </li>
          ),
      )}
      {next && (
        <li className="escalation-next">
          <Icon name="clock" />
          {next.title === null ? (
            <span>
              Nobody else to call. Starts over, or counts as unanswered, <TimeLeft at={next.due} />
            </span>
          ) : (
            <span>
              Next: {next.title} <TimeLeft at={next.due} />
            </span>
          )}
        </li>
      )}
      {then !== null && <li className="soft">{then}</li>}
    </ol>
  );
}
