/** Drills: when each group was last tried out, and how fast somebody took it. Pure. */

import type { AccountId, DrillView, EntryId, PartyId } from "../model";
import { DRILL } from "../proto/content";
import { type TitleOf, timeOf } from "./episodes";
import type { MessageRow, StatusRow } from "./lines";

/** Somebody has to try at least once in so long whether alerts are answered. */
const EVERY_MS = 7 * 24 * 60 * 60 * 1000;

interface Drill {
  message: MessageRow;
  /** The first one who took it. */
  taken: { index: number; account: AccountId; at: number } | null;
  resolved: boolean;
}

export class Drills {
  #byId = new Map<EntryId, Drill>();
  /** The newest of each group. */
  #last = new Map<PartyId, Drill>();

  message(message: MessageRow): void {
    if (message.cty !== DRILL || message.alert?.state !== "start") return;
    const drill: Drill = { message, taken: null, resolved: false };
    this.#byId.set(message.id, drill);
    const last = this.#last.get(message.to);
    if (!last || last.message.index < message.index) this.#last.set(message.to, drill);
  }

  status(status: StatusRow): void {
    const drill = this.#byId.get(status.about);
    if (!drill) return;
    if (status.state === "resolved") drill.resolved = true;
    const isFirst = status.index < (drill.taken?.index ?? Number.POSITIVE_INFINITY);
    if (status.state === "taken" && isFirst)
      drill.taken = { index: status.index, account: status.author, at: timeOf(status) };
  }

  last(group: PartyId, titleOf: TitleOf): DrillView | null {
    const drill = this.#last.get(group);
    if (!drill) return null;
    const { message, taken, resolved } = drill;
    const at = timeOf(message);
    return {
      id: message.id,
      at,
      title: titleOf(message.author),
      taken: taken && { title: titleOf(taken.account), after: Math.max(0, taken.at - at) },
      resolved,
    };
  }
}

export function isDue(last: DrillView | null, now: number): boolean {
  return last === null || now - last.at > EVERY_MS;
}
