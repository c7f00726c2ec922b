/**
 * The opener: what a message says, on demand. Opened text is in memory only, and the oldest is forgotten.
 *
 * What was not sealed for us may have been handed on to us: it is opened in its place, if it is proven to be what its
 * author said. There is one error for every failure to open.
 */

import type { AccountId, EntryId, Opened } from "../model";
import { readContent } from "../proto/content";
import { type Entry, parseEntry } from "../proto/entry";
import { ProtoError, Unverified } from "../proto/errors";
import { FORWARD, readForward } from "../proto/forward";
import { type OpenedBody, type Opening, openSealed, type Unsealed, unseal } from "../proto/sealing";
import { ForPerson } from "./errors";
import type { Keyring } from "./store";

/** A message that was verified, and its body; none if it was erased. */
export interface Sealed {
  entry: string;
  body?: string;
}

type MessageEntry = Entry & { type: "message" };

/** Where messages lie. */
export interface Shelves {
  /** The message, wherever it lies. */
  find(id: EntryId): Promise<Sealed | undefined>;
  /** The messages that hand it on. */
  forwardsOf(id: EntryId): readonly EntryId[];
  titleOf(account: AccountId): string;
}

const MOST_KEPT = 2_000;
const MOST_AT_ONCE = 8;

const SEALED = { kind: "sealed", reason: "This message cannot be opened with your keys." } as const;
const ERASED: Opened = { kind: "erased" };

export class Opener {
  readonly #keys: ReadonlyMap<string, CryptoKey>;
  #promises = new Map<EntryId, Promise<Opened>>();
  #opened = new Map<EntryId, Opened>();
  #running = 0;
  #queue: (() => void)[] = [];

  constructor(
    keyring: Keyring,
    private readonly shelves: Shelves,
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
    const message = await this.#message(id);
    if (!message) return SEALED;
    const { entry, kid, body } = message;
    if (body === undefined) return ERASED;
    const own = await orNull(openSealed(body, this.#opening(entry, kid)));
    if (own) return readContent(own.cty, own.content, entry.at);
    for (const forward of this.shelves.forwardsOf(id)) {
      const found = await orNull(this.#handedOn(forward, entry));
      if (found) return { ...readContent(found.cty, found.content, entry.at), forwardedBy: found.by };
    }
    return SEALED;
  }

  /** All that it takes to hand a message on; raises `ForPerson` if it does not open with our own keys. */
  async unseal(id: EntryId): Promise<Unsealed> {
    const message = await this.#message(id);
    const opened =
      message?.body && (await orNull(unseal(message.body, this.#opening(message.entry, message.kid))));
    if (!opened) throw new ForPerson(SEALED.reason);
    return opened;
  }

  async #handedOn(id: EntryId, about: MessageEntry): Promise<OpenedBody & { by: string }> {
    const message = await this.#message(id);
    if (message?.body === undefined) throw new Unverified("forward: it is not here");
    const said = await openSealed(message.body, this.#opening(message.entry, message.kid));
    if (said.cty !== FORWARD) throw new Unverified("forward: it is something else");
    const proven = readForward(said.content, about.id, about.commitment);
    return { ...proven, by: this.shelves.titleOf(message.entry.author) };
  }

  async #message(
    id: EntryId,
  ): Promise<{ entry: MessageEntry; kid: string; body: string | undefined } | null> {
    const sealed = await this.shelves.find(id);
    if (!sealed) return null;
    const { kid, entry } = parseEntry(sealed.entry);
    return entry.type === "message" ? { entry, kid, body: sealed.body } : null;
  }

  #opening({ author, id, commitment }: MessageEntry, kid: string): Opening {
    return { keys: this.#keys, signer: kid, author, mid: id, commitment };
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

/** What does not hold is not there. */
async function orNull<T>(opening: Promise<T>): Promise<T | null> {
  try {
    return await opening;
  } catch (error) {
    if (error instanceof ProtoError) return null;
    throw error;
  }
}
