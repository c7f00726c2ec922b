/**
 * Somebody in a list: the drawing of what it is, its name, and its handle.
 *
 *   <Who party={parties(row.one)} />
 */
import { Avatar } from "../parts/Avatar";
import { Badge } from "../parts/Badge";
import type { Party } from "./parties";

export function Who({ party, online = false }: { party: Party; online?: boolean }) {
  return (
    <span className="who">
      <Avatar title={party.title} kind={party.kind} online={online} small />
      <span className="who-words">
        <span className="who-title">{party.title}</span>
        {party.handle && <span className="who-handle">{party.handle}</span>}
      </span>
      {!party.live && <Badge>{party.kind === "group" ? "ended" : "revoked"}</Badge>}
    </span>
  );
}
