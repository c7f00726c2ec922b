/**
 * Sync: everything that the account may have comes here, once: a catch-up over the inbox, then events as they happen.
 *
 * Each entry is verified before it is kept: that it is on the one history that is believed, and that its author signed
 * it. The position, up to which everything is here, moves with what is kept.
 */

import type { AccountId, Lamp } from "../model";
import { readJson } from "../proto/encoding";
import { ProtoError, TwoHistories, Unverified } from "../proto/errors";
import {
  type Delivered,
  openDelivered,
  readDelivered,
  readEnd,
  readHalted,
  readHead,
  readPresenceOf,
} from "../proto/wire";
import type { Directory } from "./directory";
import { isFinal, Problem, Unreachable, Untrusted } from "./errors";
import type { Gateway } from "./gateway";
import { rowOf, type Taken } from "./lines";
import { Patience } from "./patience";
import type { Store } from "./store";
import { readEvents, type StreamEvent } from "./stream";
import type { Trust } from "./trust";

const PAGE = 200;

/** A stream that is alive breaks its silence after 15 s. */
const QUIET_MS = 20_000;
const UNAUTHENTICATED = 401;

export interface SyncParts {
  me: AccountId;
  store: Pick<Store, "take">;
  gateway: Pick<Gateway, "inbox" | "events" | "checkpoint">;
  trust: Trust;
  directory: Directory;
  now(): number;
  /** Entries that were verified and stored. */
  taken(entries: readonly Taken[]): void;
  /** An entry is on the chain, and not provably its author's. */
  unproven(index: number, why: string): void;
  present(account: AccountId, online: boolean): void;
  lamp(lamp: Lamp): void;
  /** The gateway commits nothing, for this reason; null: it does. */
  halted(reason: string | null): void;
  progress(progress: { done: number; total: number } | null): void;
  /** The stream has begun: what is told of only as it changes is to be asked for now. */
  connected(): void;
  /** Something is wrong that a person has to know. It is tried again. */
  doubtful(error: unknown): void;
  /** It cannot go on: the session is over, or there are two histories. */
  failed(error: unknown): void;
}

export class Sync {
  #patience = new Patience();
  #stopped = false;
  #connection = new AbortController();
  /** When the stream last said anything; null while there is none. */
  #heardAt: number | null = null;
  #position = -1;

  constructor(private readonly parts: SyncParts) {}

  /** Begins after `position`, and goes on until it is stopped, or cannot. */
  start(position: number): void {
    this.#position = position;
    void this.#run();
  }

  /** Do not wait any longer: the network is back, or a machine that slept. A stream that is quiet may be dead. */
  wake(): void {
    this.#patience.wake();
    if (this.#heardAt !== null && this.parts.now() - this.#heardAt > QUIET_MS) this.#connection.abort();
  }

  stop(): void {
    this.#stopped = true;
    this.#connection.abort();
    this.#patience.wake();
  }

  /**
   * Takes entries that are not of the inbox: an alert that came to concern us was not addressed to us. They may lie before
   * the position, and do not move it.
   */
  async takeAside(entries: readonly Delivered[]): Promise<void> {
    const taken = await this.#verified(entries);
    await this.parts.store.take(taken, -1);
    this.parts.taken(taken);
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.#connect();
      } catch (error) {
        if (this.#stopped) return;
        if (isFinal(error)) {
          this.parts.failed(error);
          return;
        }
        if (!(error instanceof Unreachable)) this.parts.doubtful(error);
      }
      this.#heardAt = null;
      this.parts.lamp("offline");
      this.parts.progress(null);
      if (!this.#stopped) await this.#patience.wait();
    }
  }

  async #connect(): Promise<void> {
    const { gateway, trust, now } = this.parts;
    this.#connection = new AbortController();
    const head = await trust.acceptHead(() => gateway.checkpoint());
    await this.#catchUp(head.size);
    const stream = await gateway.events(this.#position, this.#connection.signal);
    this.#heardAt = now();
    this.parts.lamp("live");
    // If it is halted, that is the first thing told.
    this.parts.halted(null);
    this.#patience.reset();
    this.parts.connected();
    for await (const events of readEvents(stream)) {
      this.#heardAt = now();
      await this.#hear(events);
    }
  }

  async #catchUp(size: number): Promise<void> {
    const start = this.#position + 1;
    const total = size - start;
    for (;;) {
      const { entries } = await this.parts.gateway.inbox(this.#position, PAGE);
      if (entries.length === 0) break;
      await this.#take(entries);
      // One page is here at once; it is not worth a word.
      if (entries.length === PAGE || this.#position + 1 - start > PAGE)
        this.parts.progress({ done: Math.min(this.#position + 1 - start, total), total });
    }
    this.parts.progress(null);
  }

  async #hear(events: readonly StreamEvent[]): Promise<void> {
    const entries = events.filter(({ name }) => name === "entry");
    await this.#take(entries.map(({ data }) => readDelivered(readJson(data, "event"), "event")));
    for (const { name, data } of events) {
      if (name === "head")
        await this.parts.trust.accept(readHead(readJson(data, "event"), "event").checkpoint);
      if (name === "presence") {
        const { id, online } = readPresenceOf(readJson(data, "event"), "event");
        this.parts.present(id, online);
      }
      if (name === "halted") this.parts.halted(readHalted(readJson(data, "event"), "event").reason);
      if (name === "end")
        throw new Problem(UNAUTHENTICATED, readEnd(readJson(data, "event"), "event").detail);
    }
  }

  /** Verifies entries and keeps them. Those before the position came already. */
  async #take(entries: readonly Delivered[]): Promise<void> {
    const fresh = entries.filter(({ index }) => index > this.#position);
    if (fresh.length === 0) return;
    const position = Math.max(...fresh.map(({ index }) => index));
    const taken = await this.#verified(fresh);
    await this.parts.store.take(taken, position);
    this.#position = position;
    this.parts.taken(taken);
  }

  async #verified(entries: readonly Delivered[]): Promise<Taken[]> {
    const verified = await Promise.all(entries.map((delivered) => this.#verify(delivered)));
    return verified.filter((each) => each !== null);
  }

  async #verify(delivered: Delivered): Promise<Taken | null> {
    const { trust, directory, me } = this.parts;
    const receipt = await trust.acceptReceipt(delivered.receipt, delivered.entry);
    if (receipt.index !== delivered.index)
      throw new Unverified(`entry ${delivered.index}: the receipt is for entry ${receipt.index}`);
    try {
      const { signed } = openDelivered(delivered);
      await signed.verify(await directory.signingKey(signed.entry.author, signed.kid));
      const { index, committed = null } = delivered;
      return { row: rowOf(signed.entry, { index, committed, body: delivered.body }, me), delivered };
    } catch (error) {
      if (error instanceof TwoHistories || !(error instanceof ProtoError || error instanceof Untrusted))
        throw error;
      // The gateway put it on the chain all the same: that is worth telling, and no reason to stop here.
      this.parts.unproven(delivered.index, error.message);
      return null;
    }
  }
}
