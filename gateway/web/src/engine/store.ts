/**
 * The store: what this browser keeps of one account, in an IndexedDB of its own.
 *
 * Bodies of messages lie in it as they came, sealed. What a call promises to keep is on disk when it returns
 * (`strict`); each call is one transaction, so another tab sees all of it or nothing.
 */

import {
  type DBSchema,
  deleteDB,
  type IDBPDatabase,
  type IDBPTransaction,
  openDB,
  type StoreNames,
} from "idb";
import type { AccountId, EntryId, Evidence, Kind, PartyId, Role } from "../model";
import type { SealingKey, SigningKey } from "../proto/identity";
import type { Keys } from "../proto/keyfile";
import type { ProvenKeys } from "../proto/party";
import type { Delivered, Parcel } from "../proto/wire";
import type { Row, Taken } from "./lines";

/** The account's keys, the current ones first; older ones still open what was sealed for them. */
export type Keyring = readonly [Keys, ...Keys[]];

/** Where the account belongs, and whom it believes. */
export interface Membership {
  account: AccountId;
  handle: string;
  role: Role;
  origin: string;
  gatewayKey: SigningKey;
  /** False until the account's own entry and profile are receipted. */
  joined: boolean;
}

/** The keys that are used for an account, and what a person has to be told of them. */
export interface Pin {
  account: AccountId;
  sign: SigningKey;
  seal: SealingKey | null;
  /** A person compared the safety code of these keys. */
  verified: boolean;
  /** A change that was taken, because the old key signed for it. */
  notice: string | null;
  /** Why newer keys were not taken. */
  waiting: string | null;
}

/** What the chain proved of an account, and what the gateway says that it is called. */
export interface PartyRow {
  account: AccountId;
  kind: Kind;
  live: boolean;
  handle: string | null;
  name: string | null;
  keys: ProvenKeys;
}

/** Whom a name led to when the gateway was asked last. */
export interface Route {
  to: PartyId;
  accounts: AccountId[];
}

/** The stream in which this browser's entries are numbered, and the last number given out. */
export interface Lane {
  stream: string;
  seq: number;
}

/** An entry of ours without a receipt; `refused` is why it never will have one. */
export interface Waiting {
  /** Its place in the order in which they are sent. */
  place: number;
  id: EntryId;
  parcel: Parcel;
  refused: { rule: string; reason: string } | null;
}

interface Singles {
  keyring: Keyring;
  membership: Membership;
  checkpoint: string;
  evidence: Evidence;
  lane: Lane;
  position: number;
  profile: Delivered;
}

interface Schema extends DBSchema {
  single: { key: string; value: Singles[keyof Singles] };
  pin: { key: string; value: Pin };
  party: { key: string; value: PartyRow };
  route: { key: string; value: Route };
  line: { key: number; value: Row; indexes: { id: string } };
  sealed: { key: number; value: Delivered };
  outbox: { key: number; value: Omit<Waiting, "place"> & { place?: number }; indexes: { id: string } };
}

type Change = IDBPTransaction<Schema, StoreNames<Schema>[], "readwrite">;

const VERSION = 2;
const PROMISE = { durability: "strict" } as const;

const nameOf = (account: AccountId) => `blockpost-${account}`;

function upgrade(
  db: IDBPDatabase<Schema>,
  before: number,
  _: number | null,
  change: IDBPTransaction<Schema, StoreNames<Schema>[], "versionchange">,
): void {
  if (before === 1) {
    // A row says more than it did then: everything is read anew.
    void change.objectStore("line").clear();
    void change.objectStore("sealed").clear();
    void change.objectStore("single").delete("position");
    return;
  }
  db.createObjectStore("single");
  db.createObjectStore("pin", { keyPath: "account" });
  db.createObjectStore("party", { keyPath: "account" });
  db.createObjectStore("route", { keyPath: "to" });
  db.createObjectStore("line", { keyPath: "index" }).createIndex("id", "id", { unique: true });
  db.createObjectStore("sealed", { keyPath: "index" });
  db.createObjectStore("outbox", { keyPath: "place", autoIncrement: true }).createIndex("id", "id", {
    unique: true,
  });
}

/** Opens the store of an account, and makes it if there is none. */
export async function openStore(account: AccountId): Promise<Store> {
  const db: IDBPDatabase<Schema> = await openDB<Schema>(nameOf(account), VERSION, {
    upgrade,
    // Another tab forgets the account: this one must not keep it from doing so.
    blocking: () => db.close(),
  });
  return new Store(db);
}

/** Removes everything of an account from this browser. */
export async function forgetStore(account: AccountId): Promise<void> {
  await deleteDB(nameOf(account));
}

export class Store {
  constructor(private readonly db: IDBPDatabase<Schema>) {}

  close(): void {
    this.db.close();
  }

  // Who we are, and whom we believe

  keyring(): Promise<Keyring | undefined> {
    return this.#single("keyring");
  }

  setKeyring(keyring: Keyring): Promise<void> {
    return this.#setSingle("keyring", keyring);
  }

  membership(): Promise<Membership | undefined> {
    return this.#single("membership");
  }

  setMembership(membership: Membership): Promise<void> {
    return this.#setSingle("membership", membership);
  }

  /** The last checkpoint that was verified, as signed. */
  checkpoint(): Promise<string | undefined> {
    return this.#single("checkpoint");
  }

  /** Replaces the checkpoint if it is still `old`; says whether it was. */
  replaceCheckpoint(old: string | undefined, note: string): Promise<boolean> {
    return this.#change(["single"], async (change) => {
      const single = change.objectStore("single");
      const same = (await single.get("checkpoint")) === old;
      if (same) await single.put(note, "checkpoint");
      return same;
    });
  }

  evidence(): Promise<Evidence | undefined> {
    return this.#single("evidence");
  }

  /** Keeps the evidence; the first that was found stays. */
  keepEvidence(evidence: Evidence): Promise<void> {
    return this.#change(["single"], async (change) => {
      const single = change.objectStore("single");
      if ((await single.get("evidence")) === undefined) await single.put(evidence, "evidence");
    });
  }

  // Others

  pins(): Promise<Pin[]> {
    return this.db.getAll("pin");
  }

  setPin(pin: Pin): Promise<void> {
    return this.#change(["pin"], async (change) => {
      await change.objectStore("pin").put(pin);
    });
  }

  parties(): Promise<PartyRow[]> {
    return this.db.getAll("party");
  }

  async setParty(party: PartyRow): Promise<void> {
    await this.db.put("party", party);
  }

  route(to: PartyId): Promise<Route | undefined> {
    return this.db.get("route", to);
  }

  async setRoute(route: Route): Promise<void> {
    await this.db.put("route", route);
  }

  // Entries

  lines(): Promise<Row[]> {
    return this.db.getAll("line");
  }

  lineOf(id: EntryId): Promise<Row | undefined> {
    return this.db.getFromIndex("line", "id", id);
  }

  delivered(index: number): Promise<Delivered | undefined> {
    return this.db.get("sealed", index);
  }

  /** Up to this index, everything that the account may have is here; -1 at first. */
  async position(): Promise<number> {
    return (await this.#single("position")) ?? -1;
  }

  /** The account's own newest profile, with its body. */
  profile(): Promise<Delivered | undefined> {
    return this.#single("profile");
  }

  /** Keeps verified entries, and that everything up to `position` is here. Twice is harmless. */
  take(entries: readonly Taken[], position: number): Promise<void> {
    return this.#change(["line", "sealed", "single"], async (change) => {
      const single = change.objectStore("single");
      await Promise.all(entries.map((entry) => put(change, entry)));
      const before = ((await single.get("position")) as number | undefined) ?? -1;
      if (position > before) await single.put(position, "position");
    });
  }

  // What waits to be sent

  lane(): Promise<Lane | undefined> {
    return this.#single("lane");
  }

  /** Gives out the lane's next number together with what was signed with it. */
  queue(lane: Lane, id: EntryId, parcel: Parcel): Promise<void> {
    return this.#change(["single", "outbox"], async (change) => {
      await change.objectStore("single").put(lane, "lane");
      await change.objectStore("outbox").add({ id, parcel, refused: null });
    });
  }

  /** The same entries, signed again in another stream: each keeps its place. */
  requeue(lane: Lane, entries: readonly Waiting[]): Promise<void> {
    return this.#change(["single", "outbox"], async (change) => {
      await change.objectStore("single").put(lane, "lane");
      for (const entry of entries) await change.objectStore("outbox").put(entry);
    });
  }

  /** What was refused, signed again: it goes to the end. */
  again(lane: Lane, id: EntryId, parcel: Parcel): Promise<void> {
    return this.#change(["single", "outbox"], async (change) => {
      const outbox = change.objectStore("outbox");
      const place = await outbox.index("id").getKey(id);
      if (place === undefined) return;
      await outbox.delete(place);
      await outbox.add({ id, parcel, refused: null });
      await change.objectStore("single").put(lane, "lane");
    });
  }

  /** Everything of ours without a receipt, in order. */
  async waiting(): Promise<Waiting[]> {
    return (await this.db.getAll("outbox")) as Waiting[];
  }

  /** It is receipted: forget the parcel, and have the entry instead. Twice is harmless. */
  release(id: EntryId, entry: Taken): Promise<void> {
    return this.#change(["outbox", "line", "sealed", "single"], async (change) => {
      await remove(change, id);
      await put(change, entry);
    });
  }

  /** It is refused for good: set it apart. */
  reject(id: EntryId, rule: string, reason: string): Promise<void> {
    return this.#change(["outbox"], async (change) => {
      const outbox = change.objectStore("outbox");
      const found = await outbox.index("id").get(id);
      if (found) await outbox.put({ ...found, refused: { rule, reason } });
    });
  }

  discard(id: EntryId): Promise<void> {
    return this.#change(["outbox"], (change) => remove(change, id));
  }

  async #single<Name extends keyof Singles>(name: Name): Promise<Singles[Name] | undefined> {
    return (await this.db.get("single", name)) as Singles[Name] | undefined;
  }

  #setSingle<Name extends keyof Singles>(name: Name, value: Singles[Name]): Promise<void> {
    return this.#change(["single"], async (change) => {
      await change.objectStore("single").put(value, name);
    });
  }

  async #change<T>(stores: StoreNames<Schema>[], work: (change: Change) => Promise<T>): Promise<T> {
    const change = this.db.transaction(stores, "readwrite", PROMISE);
    // A request that fails ends the transaction, too: both say so.
    const [result] = await Promise.all([work(change), change.done]);
    return result;
  }
}

async function remove(change: Change, id: EntryId): Promise<void> {
  const outbox = change.objectStore("outbox");
  const place = await outbox.index("id").getKey(id);
  if (place !== undefined) await outbox.delete(place);
}

/** Asks for everything before it waits for anything: a page of a history is hundreds of entries. */
async function put(change: Change, { row, delivered }: Taken): Promise<void> {
  // Only a message's body is looked at again; those of other entries are superseded, and then erased everywhere.
  const kept = row.type === "message" ? delivered : withoutBody(delivered);
  await Promise.all([change.objectStore("line").put(row), change.objectStore("sealed").put(kept)]);
  if (row.type === "redact") await erase(change, row.about);
  if (row.type === "tick")
    for (const { did, about } of row.did) if (did === "erased") await erase(change, about);
  if (row.type === "other" && row.says === "profile") await keepProfile(change, delivered);
}

async function erase(change: Change, id: EntryId): Promise<void> {
  const index = await change.objectStore("line").index("id").getKey(id);
  const found = index === undefined ? undefined : await change.objectStore("sealed").get(index);
  if (found) await change.objectStore("sealed").put(withoutBody(found));
}

async function keepProfile(change: Change, profile: Delivered): Promise<void> {
  const single = change.objectStore("single");
  const held = (await single.get("profile")) as Delivered | undefined;
  if (profile.body !== undefined && profile.index >= (held?.index ?? 0)) await single.put(profile, "profile");
}

function withoutBody({ salt: _salt, body: _body, ...rest }: Delivered): Delivered {
  return rest;
}
