/** Tabs: the pages of one account in one browser tell each other what changed in the store that they share. */

import type { AccountId } from "../model";

export type News =
  /** An entry was queued, receipted, refused or given up. */
  | "outbox"
  /** Somebody's keys were pinned. */
  | "pins"
  /** The gateway contradicted itself. */
  | "evidence";

const NEWS: ReadonlySet<unknown> = new Set<News>(["outbox", "pins", "evidence"]);

export class Tabs {
  readonly #channel: BroadcastChannel;

  constructor(account: AccountId, heard: (news: News) => void) {
    this.#channel = new BroadcastChannel(`blockpost-${account}`);
    this.#channel.onmessage = ({ data }) => {
      if (NEWS.has(data)) heard(data as News);
    };
  }

  tell(news: News): void {
    this.#channel.postMessage(news);
  }

  close(): void {
    this.#channel.close();
  }
}
