/**
 * The outbox: entries of ours that were signed and are not receipted yet, stored before anything is sent.
 *
 * They are sent one at a time and in order. Only a verified receipt releases an entry; a refused one is set apart, with
 * its reason, and later ones go on. Tabs of one browser share a stream: they take turns to sign, and to send.
 */

import type { EntryId } from "../model";
import type { Body } from "../proto/body";
import { type Entry, newEntryId, newStream, parseEntry, type Says, writeEntry } from "../proto/entry";
import type { TwoHistories } from "../proto/errors";
import { signerOf } from "../proto/keyfile";
import { makeParcel, type Parcel, type Receipted } from "../proto/wire";
import { ForPerson, hasEnded, isFinal, Problem, Unreachable } from "./errors";
import type { Gateway } from "./gateway";
import { rowOf, type Taken } from "./lines";
import type { Turns } from "./locks";
import { Patience } from "./patience";
import type { Keyring, Lane, Membership, Store, Waiting } from "./store";
import type { Trust } from "./trust";

const SERVER_ERROR = 500;

/** How long somebody waits for what becomes of an entry, before they are told that it goes out later. */
const ANSWER_MS = 15_000;

type Shelf = Pick<
  Store,
  "lane" | "queue" | "requeue" | "again" | "waiting" | "release" | "reject" | "discard" | "lineOf"
>;

export interface OutboxParts {
  membership: Membership;
  keyring: Keyring;
  store: Shelf;
  gateway: Pick<Gateway, "submit">;
  trust: Trust;
  turns: Turns;
  now(): number;
  /** It is on the chain, and stored. */
  committed(entry: Taken): void;
  /** This tab changed what waits. */
  changed(): void;
  /** What waits was looked at anew. */
  looked(): void;
  /** Sending cannot go on: the session is over, or there are two histories. */
  failed(error: unknown): void;
  /** Something is wrong that a person has to know. It is tried again. */
  doubtful(error: unknown): void;
}

interface Asker {
  resolve(index: number): void;
  reject(error: Error): void;
}

export class Outbox {
  #waiting: readonly Waiting[] = [];
  #askers = new Map<EntryId, Asker>();
  #patience = new Patience();
  #sending: Promise<void> | null = null;
  /** Something came to be sent while the last of what there was went out. */
  #more = false;
  #stopped = false;

  constructor(private readonly parts: OutboxParts) {}

  /** Everything without a receipt, in order, as of the last look. */
  get waiting(): readonly Waiting[] {
    return this.#waiting;
  }

  /** Signs an entry of the account and stores it; it goes out as soon as it can. */
  async queue(says: Says, body?: Body, id: EntryId = newEntryId(this.parts.now())): Promise<EntryId> {
    await this.#signed(async (lane) => {
      const parcel = makeParcel(await this.#write(says, id, this.parts.now(), lane), body);
      await this.parts.store.queue(lane, id, parcel);
    });
    await this.#changed();
    return id;
  }

  /** Queues an entry, and returns its index once its receipt is verified. */
  async say(says: Says, body?: Body, id: EntryId = newEntryId(this.parts.now())): Promise<number> {
    const outcome = new Promise<number>((resolve, reject) => this.#askers.set(id, { resolve, reject }));
    // It may be told before it is waited for.
    outcome.catch(() => undefined);
    const late = setTimeout(() => {
      const why = "There is no answer from the gateway. It is kept, and goes out when the gateway is back.";
      this.#askers.get(id)?.reject(new ForPerson(why));
    }, ANSWER_MS);
    try {
      await this.queue(says, body, id);
      return await outcome;
    } finally {
      clearTimeout(late);
      this.#askers.delete(id);
    }
  }

  /** Signs what was refused again, in its present place, and sends it. */
  async retry(id: EntryId): Promise<void> {
    const refused = this.#waiting.find((each) => each.id === id && each.refused);
    if (!refused) return;
    await this.#signed(async (lane) =>
      this.parts.store.again(lane, id, await this.#rewrite(refused.parcel, lane)),
    );
    await this.#changed();
  }

  /** Gives it up. If it is on its way, it may be committed all the same. */
  async discard(id: EntryId): Promise<void> {
    await this.parts.store.discard(id);
    this.#askers.get(id)?.reject(new ForPerson("It was given up."));
    await this.#changed();
  }

  /** Reads what is there, as other tabs may have left it, and goes on with sending. */
  async refresh(): Promise<void> {
    this.#waiting = await this.parts.store.waiting();
    await this.#answer();
    this.parts.looked();
    this.wake();
  }

  /** The gateway is there: do not wait any longer. */
  wake(): void {
    this.#patience.wake();
    this.#more = this.#waiting.some(isPending);
    if (this.#stopped || this.#sending || !this.#more) return;
    this.#more = false;
    this.#sending = this.#send().finally(() => {
      this.#sending = null;
      if (this.#more) this.wake();
    });
  }

  /** What is under way is left alone: it is receipted again when it is sent again. */
  stop(): void {
    this.#stopped = true;
    this.#patience.wake();
    for (const asker of this.#askers.values()) asker.reject(new Unreachable("the session is over"));
  }

  // Signing

  /** Gives the lane's next number to `work`, which keeps it together with what it signed. */
  #signed(work: (lane: Lane) => Promise<void>): Promise<void> {
    const { turns, membership, store } = this.parts;
    return turns.take(`blockpost-sign-${membership.account}`, async () => {
      const { stream, seq } = (await store.lane()) ?? { stream: newStream(), seq: 0 };
      await work({ stream, seq: seq + 1 });
    });
  }

  #write(says: Says, id: EntryId, at: number, { stream, seq }: Lane): Promise<string> {
    const { membership, keyring, trust } = this.parts;
    const [keys] = keyring;
    const draft = {
      says,
      origin: membership.origin,
      author: membership.account,
      stream,
      seq,
      at,
      // A browser does not say whether its clock is synchronised.
      clock: "free" as const,
      seen: trust.seen,
      id,
    };
    return writeEntry(draft, keys.signing.kid, signerOf(keys));
  }

  async #rewrite(parcel: Parcel, lane: Lane): Promise<Parcel> {
    const { entry } = parseEntry(parcel.entry);
    return { ...parcel, entry: await this.#write(saysOf(entry), entry.id, entry.at, lane) };
  }

  /** This browser's numbers are behind what the chain has: begin another stream, with all that waits. */
  async #renew(): Promise<void> {
    const { turns, membership, store } = this.parts;
    await turns.take(`blockpost-sign-${membership.account}`, async () => {
      const lane: Lane = { stream: newStream(), seq: 0 };
      const entries: Waiting[] = [];
      for (const waiting of (await store.waiting()).filter(isPending)) {
        lane.seq += 1;
        entries.push({ ...waiting, parcel: await this.#rewrite(waiting.parcel, lane) });
      }
      await store.requeue(lane, entries);
    });
  }

  // Sending

  async #send(): Promise<void> {
    const name = `blockpost-send-${this.parts.membership.account}`;
    while (!this.#stopped) {
      try {
        await this.parts.turns.take(name, () => this.#drain());
        return;
      } catch (error) {
        if (this.#stopped) return;
        if (isFinal(error)) {
          this.#more = false;
          this.parts.failed(error);
          return;
        }
        if (!(error instanceof Unreachable)) this.parts.doubtful(error);
      }
      await this.#patience.wait();
    }
  }

  async #drain(): Promise<void> {
    while (!this.#stopped) {
      const next = (await this.parts.store.waiting()).find(isPending);
      if (!next) return;
      await this.#post(next);
      this.#patience.reset();
      await this.#changed();
    }
  }

  async #post(waiting: Waiting): Promise<void> {
    const { gateway, store } = this.parts;
    let answer: Receipted;
    try {
      answer = await gateway.submit(waiting.parcel);
    } catch (error) {
      if (!(error instanceof Problem) || hasEnded(error) || error.status >= SERVER_ERROR) throw error;
      if (error.rule === "history") throw await this.#disowned(error);
      if (error.rule === "sequence") return await this.#renew();
      await store.reject(waiting.id, error.rule ?? "malformed", error.detail);
      return;
    }
    const taken = await this.#receipted(waiting, answer);
    await store.release(waiting.id, taken);
    this.parts.committed(taken);
  }

  #disowned(error: Problem): Promise<TwoHistories> {
    return this.parts.trust.catch(error.refusal ?? "", `it disowns its own history: ${error.detail}`);
  }

  async #receipted({ parcel }: Waiting, { receipt }: Receipted): Promise<Taken> {
    const { trust, membership, now } = this.parts;
    const { index } = await trust.acceptReceipt(receipt, parcel.entry);
    const { after: _, ...sent } = parcel;
    const { entry } = parseEntry(parcel.entry);
    const row = rowOf(entry, { index, committed: now(), body: sent.body }, membership.account);
    return { row, delivered: { ...sent, index, receipt } };
  }

  // Telling

  async #changed(): Promise<void> {
    await this.refresh();
    this.parts.changed();
  }

  /** Tells who waits for what became of an entry, whichever tab sent it; who is told at once needs no line of it. */
  async #answer(): Promise<void> {
    for (const [id, asker] of this.#askers) {
      const there = this.#waiting.find((each) => each.id === id);
      if (there?.refused) {
        const { rule, reason } = there.refused;
        await this.parts.store.discard(id);
        this.#waiting = this.#waiting.filter((each) => each.id !== id);
        asker.reject(new Problem(0, reason, rule));
      } else if (!there) {
        const line = await this.parts.store.lineOf(id);
        if (line) asker.resolve(line.index);
      }
    }
  }
}

function isPending({ refused }: Waiting): boolean {
  return refused === null;
}

const COMMON = new Set(["v", "chain", "id", "author", "stream", "seq", "at", "clock", "seen"]);

/** What an entry says beyond what every entry says. */
function saysOf(entry: Entry): Says {
  const own = Object.entries(entry).filter(([name]) => !COMMON.has(name));
  // Each member was read by the shape of the entry's type.
  return Object.fromEntries(own) as unknown as Says;
}
