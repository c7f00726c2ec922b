/** Rows for tests, by the story that they tell. */

import type { Around } from "../../src/engine/episodes";
import type { AlertHeader, MessageRow, Row, StatusRow, TickRow } from "../../src/engine/lines";
import type { Priority } from "../../src/model";
import type { Deed } from "../../src/proto/entry";

export const ME = "me";
export const DEVICE = "fridge";
export const LEE = "lee";
export const WARD = "g-ward";

/** Everybody is on duty, and the gateway says nothing of escalations. */
export function around(titleOf: Around["titleOf"] = (party) => party, more: Partial<Around> = {}): Around {
  return { titleOf, isOn: () => true, outlook: () => undefined, ...more };
}

/** A chain that is told entry by entry. */
export class Story {
  readonly rows: Row[] = [];

  message(author: string, conversation: string, more: Partial<MessageRow> = {}): MessageRow {
    const index = this.rows.length;
    const row: MessageRow = {
      ...{ type: "message", index, id: `m${index}`, author, conversation, to: conversation },
      ...{ re: null, alert: null, cty: "text/plain" },
      ...{ at: 1_000 + index, committed: 2_000 + index },
      ...more,
    };
    this.rows.push(row);
    return row;
  }

  alert(
    priority: Priority,
    state: AlertHeader["state"],
    more: { author?: string; episode?: string; cty?: string } = {},
  ): MessageRow {
    const { author = DEVICE, episode = "e", cty = "text/plain" } = more;
    const alert = { episode, priority, state, kind: "physiological" } as const;
    return this.message(author, WARD, { alert, cty });
  }

  tick(...did: readonly Omit<Deed, "contract">[]): TickRow {
    const index = this.rows.length;
    const row: TickRow = {
      ...{ type: "tick", index, id: `t${index}`, author: "gateway" },
      ...{ at: 1_000 + index, committed: 2_000 + index },
      did: did.map((deed) => ({ contract: "escalate", ...deed })),
    };
    this.rows.push(row);
    return row;
  }

  status(
    author: string,
    state: StatusRow["state"],
    about: MessageRow,
    more: Partial<StatusRow> = {},
  ): StatusRow {
    const index = this.rows.length;
    const row: StatusRow = {
      ...{ type: "status", index, id: `s${index}`, author, state, about: about.id },
      ...{ until: null, reason: null },
      ...{ at: 1_000 + index, committed: 2_000 + index },
      ...more,
    };
    this.rows.push(row);
    return row;
  }
}
