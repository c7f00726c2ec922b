/** What this person sent and nobody has yet: it waits, or it was refused. */
import "./unsent.css";
import type { Unsent } from "../../model";
import { useView } from "../engine-context";
import { Badge } from "../parts/Badge";
import { Icon } from "../parts/Icon";
import { hashOf } from "../route";
import { UnsentActions } from "./UnsentActions";

export function UnsentArea() {
  const unsent = useView((view) => view.unsent);
  if (unsent.length === 0) return null;
  return (
    <section className="unsent" aria-labelledby="unsent-title">
      <h2 id="unsent-title" className="home-heading">
        Not sent yet <Badge>{unsent.length}</Badge>
      </h2>
      <ul>
        {unsent.map((each) => (
          <UnsentLine key={each.id} unsent={each} />
        ))}
      </ul>
    </section>
  );
}

function UnsentLine({ unsent: { id, what, conversation, state, reason } }: { unsent: Unsent }) {
  const refused = state === "refused";
  return (
    <li className="unsent-line">
      <Icon name={refused ? "alert" : "clock"} />
      <span className="unsent-words">
        {conversation ? <a href={hashOf({ name: "with", party: conversation })}>{what}</a> : what}
        <span className={refused ? "unsent-reason" : "soft"}>
          {refused ? `Refused${reason ? `: ${reason}` : ""}` : "Waits for the gateway"}
        </span>
        {refused && <UnsentActions id={id} what={what} />}
      </span>
    </li>
  );
}
