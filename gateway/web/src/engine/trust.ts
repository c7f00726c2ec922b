/**
 * Trust: which checkpoints this browser believes. The gateway's signature is not enough; each one has to continue, or
 * be a prefix of, the last one that was believed. A gateway that shows two histories is refused from then on, and
 * the evidence is kept.
 */

import { type Checkpoint, seenOf, verifyCheckpoint } from "../proto/checkpoint";
import { type Bytes, unb64urlHash } from "../proto/encoding";
import { parseEntry, type Seen } from "../proto/entry";
import { TwoHistories, Unverified } from "../proto/errors";
import { accountId, type SigningKey } from "../proto/identity";
import { EMPTY_ROOT, verifyConsistency } from "../proto/merkle";
import { parseReceipt, type Receipt, verifyReceipt } from "../proto/receipt";
import type { Consistency, Delivered, Site } from "../proto/wire";
import { Problem, Untrusted } from "./errors";
import type { Store } from "./store";

/** Asks the gateway for the consistency proof between two sizes. */
export type Prove = (from: number, to: number) => Promise<Consistency>;

/**
 * With these the gateway says that it has no proof. Others speak of the caller (a revoked account gets 401) or of its
 * own trouble, and are no evidence.
 */
const DENIALS: ReadonlySet<number> = new Set([400, 404]);

/** Notes that are remembered: those of the newest blocks are met again and again. */
const MOST_NOTES = 512;

type Book = Pick<Store, "checkpoint" | "replaceCheckpoint" | "evidence" | "keepEvidence">;

/**
 * What is believed so far; `accept` is the only way it grows.
 *
 * The store has the last word: other tabs of this browser hold checkpoints against it, too.
 */
export class Trust {
  #held: Checkpoint;
  #note: string | undefined;
  /** Notes whose signature holds; only those in `#accepted` were also compared with what was held. */
  #signed = new Map<string, Checkpoint>();
  #accepted = new Set<string>();
  #running = new Map<string, Promise<Checkpoint>>();
  #caught: TwoHistories | null = null;

  private constructor(
    readonly origin: string,
    readonly key: SigningKey,
    private readonly book: Book,
    private readonly prove: Prove,
    private readonly now: () => number,
  ) {
    this.#held = { origin, size: 0, root: EMPTY_ROOT };
  }

  /** Raises `TwoHistories` if the gateway was caught before. */
  static async open(
    gateway: { origin: string; gatewayKey: SigningKey },
    book: Book,
    prove: Prove,
    now: () => number,
  ): Promise<Trust> {
    const trust = new Trust(gateway.origin, gateway.gatewayKey, book, prove, now);
    await trust.#recall();
    return trust;
  }

  get held(): Checkpoint {
    return this.#held;
  }

  /** What our entries say that we have seen. */
  get seen(): Seen {
    return seenOf(this.#held);
  }

  /** Raises `TwoHistories` if the gateway was caught, by whichever tab. */
  async check(): Promise<void> {
    const evidence = await this.book.evidence();
    if (!evidence) return;
    this.#caught = new TwoHistories(`this gateway is refused: ${evidence.reason}`);
    throw this.#caught;
  }

  /**
   * Returns the checkpoint of a signed note, once it is proven to be of the history that is held.
   *
   * Raises `Unverified` or `Malformed` for a note that is not the gateway's, `Unreachable` or `Problem` if it does not
   * answer for it now, `TwoHistories` if it contradicts itself.
   */
  accept(note: string): Promise<Checkpoint> {
    const running = this.#running.get(note);
    if (running) return running;
    const accepting = this.#accept(note).finally(() => this.#running.delete(note));
    this.#running.set(note, accepting);
    return accepting;
  }

  async #accept(note: string): Promise<Checkpoint> {
    const shown = await this.#verified(note);
    if (this.#caught) throw this.#caught;
    if (this.#accepted.has(note)) return shown;
    for (;;) {
      await this.#recall();
      // Others may go on meanwhile: what is compared is what is replaced.
      const held = this.#held;
      const heldNote = this.#note;
      await this.#compare(held, shown, note);
      if (shown.size <= held.size) break;
      // On disk before anything is shown on its word.
      if (await this.book.replaceCheckpoint(heldNote, note)) {
        this.#held = shown;
        this.#note = note;
        break;
      }
    }
    this.#accepted.add(note);
    return shown;
  }

  /** Asks for the gateway's newest checkpoint, and accepts it: it cannot be older than one shown before the question. */
  async acceptHead(ask: () => Promise<string>): Promise<Checkpoint> {
    await this.#recall();
    const before = this.#held;
    const note = await ask();
    const shown = await this.#verified(note);
    if (shown.size < before.size)
      throw await this.catch(
        note,
        `its history is ${shown.size} entries long, and was ${before.size} before`,
      );
    return await this.accept(note);
  }

  /** Returns the receipt that proves the entry committed, its checkpoint accepted. */
  async acceptReceipt(text: string, leaf: string): Promise<Receipt> {
    const receipt = parseReceipt(text);
    await this.accept(receipt.note);
    await verifyReceipt(receipt, leaf, this.origin, this.key, this.#signed);
    return receipt;
  }

  /**
   * Raises `Untrusted` unless the history held had this root at this size. Whoever said so did not sign it, so that it is
   * no evidence.
   */
  async contains(shown: { size: number; root: Bytes }): Promise<void> {
    const held = this.#held;
    const [older, newer] = held.size <= shown.size ? [held, shown] : [shown, held];
    try {
      await continues(older, newer, this.prove);
    } catch (error) {
      if (!isDisproof(error)) throw error;
      throw new Untrusted("it is not of the history that is held", { cause: error });
    }
  }

  /** Keeps the evidence (`shown` is what the gateway signed), and returns the error to raise. */
  async catch(shown: string, reason: string): Promise<TwoHistories> {
    await this.book.keepEvidence({ held: this.#note ?? "", shown, reason, at: this.now() });
    this.#caught = new TwoHistories(`this gateway shows another history than before: ${reason}`);
    return this.#caught;
  }

  /** Reads what this browser's tabs hold; raises `TwoHistories` if one of them caught the gateway. */
  async #recall(): Promise<void> {
    await this.check();
    const note = await this.book.checkpoint();
    if (note === undefined || note === this.#note) return;
    this.#held = await this.#verified(note);
    this.#note = note;
  }

  async #verified(note: string): Promise<Checkpoint> {
    const known = this.#signed.get(note);
    if (known) return known;
    const shown = await verifyCheckpoint(note, this.origin, this.key);
    if (this.#signed.size >= MOST_NOTES) {
      this.#signed.clear();
      this.#accepted.clear();
    }
    this.#signed.set(note, shown);
    return shown;
  }

  /** Returns if one of the held and the shown checkpoint continues the other. */
  async #compare(held: Checkpoint, shown: Checkpoint, note: string): Promise<void> {
    const [older, newer] = held.size <= shown.size ? [held, shown] : [shown, held];
    try {
      await continues(older, newer, this.prove);
    } catch (error) {
      if (!isDisproof(error)) throw error;
      const why = error instanceof Error ? error.message : String(error);
      throw await this.catch(note, `size ${shown.size} against the ${held.size} held: ${why}`);
    }
  }
}

/** Whether a consistency proof failed, rather than the way to it. What does not parse is no evidence. */
function isDisproof(error: unknown): boolean {
  return error instanceof Problem ? DENIALS.has(error.status) : error instanceof Unverified;
}

type Root = Pick<Checkpoint, "size" | "root">;

async function continues(older: Root, newer: Root, prove: Prove): Promise<void> {
  const needed = older.size !== 0 && older.size !== newer.size;
  const path = needed ? (await prove(older.size, newer.size)).path : [];
  const hashes = path.map((hash) => unb64urlHash(hash, "consistency path"));
  verifyConsistency(older.size, newer.size, hashes, older.root, newer.root);
}

/** A gateway that a newcomer may believe, and the first checkpoint that it holds. */
export interface FirstTrust {
  origin: string;
  gatewayKey: SigningKey;
  note: string;
}

/**
 * First trust in registering: the gateway's own entry in `site` is by the account that the join code names, and its key
 * signed the checkpoint. Raises `Unverified`.
 */
export async function firstTrust(site: Site, gateway: string): Promise<FirstTrust> {
  const { entry: leaf, receipt } = site.gateway;
  const signed = parseEntry(leaf);
  const said = signed.entry;
  if (said.type !== "account" || accountId(said.sign) !== gateway || said.chain !== site.origin)
    throw new Unverified("this is not the gateway that was asked for");
  await signed.verify(said.sign);
  const proof = parseReceipt(receipt);
  await verifyReceipt(proof, leaf, site.origin, said.sign);
  return { origin: site.origin, gatewayKey: said.sign, note: proof.note };
}

/**
 * First trust in restoring: the account's own profile names the chain, signed with the key that was just restored; and
 * what that entry had seen has to be continued by what is shown now.
 *
 * Raises `Unverified`; `Problem` or `Unreachable` if the gateway does not answer for it; `TwoHistories` if it
 * cannot.
 */
export async function restoredTrust(
  site: Site,
  profile: Delivered,
  key: SigningKey,
  prove: Prove,
): Promise<FirstTrust> {
  const signed = parseEntry(profile.entry);
  await signed.verify(key);
  const said = signed.entry;
  if (said.type !== "profile" || said.chain !== site.origin)
    throw new Unverified("the account's own profile is of another chain");
  const [, gateway = ""] = said.chain.split("/");
  const first = await firstTrust(site, gateway);
  const proof = parseReceipt(profile.receipt);
  const shown = await verifyReceipt(proof, profile.entry, first.origin, first.gatewayKey);
  const seen = { size: said.seen.size, root: unb64urlHash(said.seen.root, "seen.root") };
  try {
    await continues(seen, shown, prove);
  } catch (error) {
    if (!isDisproof(error)) throw error;
    throw new TwoHistories("this gateway does not continue the history that your profile had seen", {
      cause: error,
    });
  }
  return { ...first, note: proof.note };
}
