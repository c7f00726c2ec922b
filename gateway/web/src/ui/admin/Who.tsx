/**
 * Somebody in a list: the drawing of what it is, its name, and its handle or what else there is to say.
 *
 *   <Who party={parties(row.one)} />
 *   <Who party={group} aside="group of 4" />
 */
import { Avatar } from "../parts/Avatar";
import { Badge } from "../parts/Badge";
import type { Party } from "./parties";

interface WhoProps {
  party: Party;
  online?: boolean;
  aside?: string | null;
}

export function Who({ party, online = false, aside = party.handle }: WhoProps) {
  return (
    <span className="who">
      <Avatar title={party.title} kind={party.kind} online={online} small />
      <span className="who-words">
        <span className="who-title">{party.title}</span>
        {aside && <span className="who-aside"> {aside}</span>}
      </span>
      {!party.live && <Badge>{party.kind === "group" ? "ended" : "revoked"}</Badge>}
    </span>
  );
}
