/**
 * The opener: what a message says, on demand. Opened text is in memory only, and the oldest is forgotten.
 *
 * There is one error for every failure to open.
 */

import type { EntryId, Opened } from "../model";
import { readContent } from "../proto/content";
import { parseEntry } from "../proto/entry";
import { ProtoError } from "../proto/errors";
import { openSealed } from "../proto/sealing";
import type { Keyring } from "./store";

/** A message that was verified, and its body; none if it was erased. */
export interface Sealed {
  entry: string;
  body?: string;
}

const MOST_KEPT = 2_000;
const MOST_AT_ONCE = 8;

const SEALED: Opened = { kind: "sealed", reason: "This message cannot be opened with your keys." };
const ERASED: Opened = { kind: "erased" };

export class Opener {
  readonly #keys: ReadonlyMap<string, CryptoKey>;
  #promises = new Map<EntryId, Promise<Opened>>();
  #opened = new Map<EntryId, Opened>();
  #running = 0;
  #queue: (() => void)[] = [];

  /** `find` gives the message, wherever it lies. */
  constructor(
    keyring: Keyring,
    private readonly find: (id: EntryId) => Promise<Sealed | undefined>,
  ) {
    this.#keys = new Map(keyring.map(({ sealing }) => [sealing.kid, sealing.private]));
  }

  /** The same promise for the same message. */
  open(id: EntryId): Promise<Opened> {
    const known = this.#promises.get(id);
    if (known) {
      // Who is asked for again is the last to be forgotten.
      this.#promises.delete(id);
      this.#promises.set(id, known);
      return known;
    }
    const opening = this.#inTurn(() => this.#open(id));
    this.#promises.set(id, opening);
    opening.then(
      (opened) => {
        // It may have been forgotten meanwhile.
        if (this.#promises.get(id) === opening) this.#opened.set(id, opened);
      },
      () => this.forget(id),
    );
    const [oldest] = this.#promises.keys();
    if (this.#promises.size > MOST_KEPT && oldest !== undefined) this.forget(oldest);
    return opening;
  }

  opened(id: EntryId): Opened | undefined {
    return this.#opened.get(id);
  }

  /** It was erased, or is to be opened anew. */
  forget(id: EntryId): void {
    this.#promises.delete(id);
    this.#opened.delete(id);
  }

  async #open(id: EntryId): Promise<Opened> {
    const sealed = await this.find(id);
    if (!sealed) return SEALED;
    if (sealed.body === undefined) return ERASED;
    const { kid, entry } = parseEntry(sealed.entry);
    if (entry.type !== "message") return SEALED;
    try {
      const { content, cty } = await openSealed(sealed.body, {
        keys: this.#keys,
        signer: kid,
        author: entry.author,
        mid: entry.id,
        commitment: entry.commitment,
      });
      return readContent(cty, content, entry.at);
    } catch (error) {
      if (error instanceof ProtoError) return SEALED;
      throw error;
    }
  }

  /** Each takes a private-key operation: more at once would only keep the page from drawing. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= MOST_AT_ONCE) await new Promise<void>((next) => this.#queue.push(next));
    else this.#running += 1;
    try {
      return await work();
    } finally {
      const next = this.#queue.shift();
      if (next) next();
      else this.#running -= 1;
    }
  }
}
