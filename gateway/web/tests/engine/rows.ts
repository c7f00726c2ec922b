/** Rows for tests, by the story that they tell. */

import type { AlertHeader, MessageRow, Row, StatusRow } from "../../src/engine/lines";
import type { Priority } from "../../src/model";

export const ME = "me";
export const DEVICE = "fridge";
export const LEE = "lee";
export const WARD = "g-ward";

/** A chain that is told entry by entry. */
export class Story {
  readonly rows: Row[] = [];

  message(author: string, conversation: string, more: Partial<MessageRow> = {}): MessageRow {
    const index = this.rows.length;
    const row: MessageRow = {
      ...{ type: "message", index, id: `m${index}`, author, conversation, re: null, alert: null },
      ...{ at: 1_000 + index, committed: 2_000 + index },
      ...more,
    };
    this.rows.push(row);
    return row;
  }

  alert(
    priority: Priority,
    state: AlertHeader["state"],
    more: { author?: string; episode?: string } = {},
  ): MessageRow {
    const { author = DEVICE, episode = "e" } = more;
    return this.message(author, WARD, { alert: { episode, priority, state, kind: "physiological" } });
  }

  status(author: string, state: StatusRow["state"], about: MessageRow): StatusRow {
    const index = this.rows.length;
    const row: StatusRow = {
      ...{ type: "status", index, id: `s${index}`, author, state, about: about.id },
      ...{ at: 1_000 + index, committed: 2_000 + index },
    };
    this.rows.push(row);
    return row;
  }
}
