/**
 * A session: everything that exists once somebody is in, with their keys, on this browser.
 *
 * How `door.ts` comes here. It is logged in (`POST /login`, or `GET /check` at start), has `me`, and a store that
 * has a keyring, a membership and, from the first trust, a checkpoint:
 *
 *     const store = await openStore(me.account);
 *     if (!(await store.keyring())) ... stage `restore`, or register; then, to fill the store:
 *       await store.setKeyring([keys, ...older]);
 *       await store.setMembership({ account, handle, role, origin, gatewayKey, joined });   // from trust.ts:
 *         // registering: `await firstTrust(site, code.gateway)`; restoring: `await restoredTrust(...)`
 *       await store.replaceCheckpoint(undefined, note);
 *     // Raises `TwoHistories` if the gateway was caught; `ended` is told once when it is over by itself.
 *     const session = await openSession(world, store, me, ended);
 *     session.start();                    // reads, listens, sends; shows its parts on the board
 *
 * `session.say(...)` writes an entry of the account (a profile, an admin's command) and waits for its receipt. `stop()`
 * ends everything, and closes the store.
 */

import type { Actions, EntryId, Me, PartyId, Unsent, View } from "../model";
import type { Body } from "../proto/body";
import type { Says } from "../proto/entry";
import { TwoHistories } from "../proto/errors";
import { deeds } from "./deeds";
import { Directory } from "./directory";
import { Duty } from "./duty";
import { forPerson, hasEnded, Problem, Unreachable } from "./errors";
import { Friends } from "./friends";
import { Ledger } from "./ledger";
import type { Row, Taken } from "./lines";
import { Opener, type Sealed } from "./opener";
import { Outbox } from "./outbox";
import { Resealing } from "./resealing";
import type { Keyring, Membership, Store } from "./store";
import { Sync } from "./sync";
import { type News, Tabs } from "./tabs";
import { Trust } from "./trust";
import { answeredIn, pendingOf, unsentOf } from "./unsent";
import { aroundOf, Outlooks, Vigil } from "./vigil";
import type { World } from "./world";

const MINUTE_MS = 60_000;
const CHECK_MS = 5 * MINUTE_MS;

/** The actions that a session carries out; those of coming in are `door.ts`'s, `admin` is `admin.ts`'s. */
export type SessionActions = Pick<
  Actions,
  | "conversation"
  | "open"
  | "opened"
  | "send"
  | "retry"
  | "discard"
  | "markRead"
  | "proof"
  | "take"
  | "release"
  | "resolve"
  | "snooze"
  | "drill"
  | "takeShift"
  | "limits"
  | "setLimits"
  | "alarmLoad"
  | "contracts"
  | "befriend"
  | "accept"
  | "unfriend"
  | "safetyCode"
  | "setVerified"
  | "acceptKeys"
  | "dismissKeyNotice"
>;

export interface Session {
  readonly me: Me;
  readonly store: Store;
  readonly keyring: Keyring;
  readonly membership: Membership;
  readonly trust: Trust;
  readonly directory: Directory;
  readonly actions: SessionActions;
  /** What an account or a group is called. */
  titleOf(party: PartyId): string;
  /**
   * Writes an entry (with its clear body, if it has one), and returns its index once its receipt is verified.
   *
   * Raises `Problem` with the chain's rule if it is refused. If there is no answer in time, it raises `ForPerson`, and the
   * entry goes out later.
   */
  say(says: Says, body?: Body): Promise<number>;
  start(): void;
  /** The network is back, or the page is looked at again: do not wait any longer. */
  wake(): void;
  stop(): Promise<void>;
}

/** Why a session is over. */
export type Ending = { because: "logged-out"; detail: string } | { because: "two-histories" };

/** The session of an account that has its keys in `store`. Raises `TwoHistories` if the gateway was caught before. */
export async function openSession(
  world: World,
  store: Store,
  me: Me,
  ended: (ending: Ending) => void,
): Promise<Session> {
  const [keyring, membership] = await Promise.all([store.keyring(), store.membership()]);
  if (!keyring || !membership) throw new Error(`store of ${me.account}: want keys and a membership`);
  const { gateway, now } = world;
  const prove = (from: number, to: number) => gateway.consistency(from, to);
  const trust = await Trust.open(membership, store, prove, now);
  const directory = await Directory.open(me.account, keyring, store, gateway, trust);
  const [rows, position] = await Promise.all([store.lines(), store.position()]);
  const session = new OpenSession(world, { store, me, keyring, membership, trust, directory }, ended);
  session.load(rows, position);
  return session;
}

interface Belongings {
  store: Store;
  me: Me;
  keyring: Keyring;
  membership: Membership;
  trust: Trust;
  directory: Directory;
}

class OpenSession implements Session {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly membership: Membership;
  readonly trust: Trust;
  readonly directory: Directory;
  readonly actions: SessionActions;
  #me: Me;
  #titles = new Map<PartyId, string>();
  #duty: Duty;
  #ledger: Ledger;
  #friends: Friends;
  #outbox: Outbox;
  #opener: Opener;
  #sync: Sync;
  #vigil: Vigil;
  #tabs: Tabs;
  #position = -1;
  #unsent: readonly Unsent[] = [];
  #timers: ReturnType<typeof setInterval>[] = [];
  #over = false;
  #drawn = true;
  #nudged = false;

  constructor(
    private readonly world: World,
    own: Belongings,
    private readonly ended: (ending: Ending) => void,
  ) {
    const { store, me, keyring, membership, trust, directory } = own;
    const { gateway, turns, now } = world;
    this.store = store;
    this.keyring = keyring;
    this.membership = membership;
    this.trust = trust;
    this.directory = directory;
    this.#me = me;
    this.#duty = new Duty(me.account);
    const titleOf = (party: PartyId) => this.titleOf(party);
    const outlooks = new Outlooks();
    const around = aroundOf(me.account, titleOf, this.#duty, () => this.#friends, outlooks);
    this.#ledger = new Ledger(me.account, around);
    this.#friends = new Friends(me, gateway, directory, now, () => this.#renamed());
    this.#tabs = new Tabs(me.account, (news) => this.#heard(news));
    const find = (id: EntryId) => this.#sealed(id);
    const forwardsOf = (id: EntryId) => this.#ledger.forwardsOf(id).map((forward) => forward.id);
    this.#opener = new Opener(keyring, { find, forwardsOf, titleOf });
    const failed = (error: unknown) => this.#failed(error);
    const doubtful = (error: unknown) => this.#complain(forPerson(error).message);
    this.#outbox = new Outbox({
      ...{ membership, keyring, store, gateway, trust, turns, now, failed, doubtful },
      committed: (entry) => this.#taken([entry]),
      changed: () => this.#tabs.tell("outbox"),
      looked: () => this.#waitingChanged(),
    });
    this.#sync = new Sync({
      ...{ me: me.account, store, gateway, trust, directory, now, failed, doubtful },
      taken: (entries) => this.#taken(entries),
      unproven: (index, why) =>
        this.#complain(
          `Entry ${index} of the chain is not proven to be from its author, and is not shown: ${why}.`,
        ),
      present: (account, online) => this.#friends.present(account, online),
      lamp: (lamp) => this.#show({ lamp }),
      halted: (halted) => this.#show({ halted }),
      progress: (catchingUp) => this.#show({ catchingUp }),
      connected: () => this.#connected(),
    });
    const shared = {
      ...{ me: me.account, keyring, gateway, directory, now },
      ...{ duty: this.#duty, ledger: this.#ledger, friends: this.#friends },
      ...{ opener: this.#opener, outbox: this.#outbox, sync: this.#sync },
      changed: () => this.#draw(true),
    };
    const background = (work: Promise<unknown>) => this.#background(work);
    const resealing = new Resealing({
      ...{ ...shared, find, turns },
      failed: (error) => background(Promise.reject(error)),
    });
    const complain = (text: string) => this.#complain(text);
    this.#vigil = new Vigil({ ...shared, resealing, background, complain }, outlooks);
    this.actions = deeds({ ...shared, store, trust, titleOf });
    directory.subscribe((byUs) => {
      this.#renamed();
      if (byUs) this.#tabs.tell("pins");
    });
  }

  get me(): Me {
    return this.#me;
  }

  /** What this browser has already. */
  load(rows: readonly Row[], position: number): void {
    for (const row of rows) this.#ledger.apply(row);
    this.#position = position;
  }

  start(): void {
    this.#draw(true);
    this.#background(this.#outbox.refresh());
    this.#sync.start(this.#position);
    this.#vigil.start();
    this.#timers = [
      // What was over for long enough leaves the list.
      setInterval(() => this.#draw(false), MINUTE_MS),
      setInterval(() => this.#background(this.#check()), CHECK_MS),
    ];
  }

  wake(): void {
    this.#sync.wake();
    this.#outbox.wake();
  }

  async stop(): Promise<void> {
    this.#over = true;
    for (const timer of this.#timers) clearInterval(timer);
    this.#sync.stop();
    this.#outbox.stop();
    this.#vigil.stop();
    this.#tabs.close();
    this.store.close();
  }

  say(says: Says, body?: Body): Promise<number> {
    return this.#outbox.say(says, body);
  }

  titleOf(party: PartyId): string {
    const title = this.#titles.get(party) ?? this.#friends.title(party);
    this.#titles.set(party, title);
    return title;
  }

  // What comes

  #taken(entries: readonly Taken[]): void {
    if (this.#over) return;
    const fresh = entries.filter(({ row }) => this.#ledger.apply(row));
    for (const { row } of fresh) this.#follow(row);
    if (fresh.length > 0) this.#draw(true);
  }

  /** What an entry changes beyond the lines that are made of it. */
  #follow(row: Row): void {
    this.#vigil.follow(row);
    if (row.type === "redact") this.#opener.forget(row.about);
    if (row.type === "tick")
      for (const { did, about } of row.did) if (did === "erased") this.#opener.forget(about);
    if (row.type !== "other") return;
    if (row.says === "key" && row.account) this.#background(this.directory.ask(row.account));
    this.#background(this.#friends.refresh());
  }

  #connected(): void {
    this.#background(this.#friends.refresh());
    this.#vigil.connected();
    this.#outbox.wake();
  }

  /** An open stream does not keep the session from ending; this does. */
  async #check(): Promise<void> {
    const { expires } = await this.world.gateway.check();
    this.#me = { ...this.#me, expires };
    this.#show({ me: this.#me });
  }

  // What waits

  #waitingChanged(): void {
    const { waiting } = this.#outbox;
    this.#unsent = unsentOf(waiting, (party) => this.titleOf(party));
    this.#ledger.setPending(pendingOf(waiting));
    this.#ledger.readAhead(answeredIn(waiting));
    this.#draw(true);
  }

  /** A message's body: of the chain, or of what waits. */
  async #sealed(id: EntryId): Promise<Sealed | undefined> {
    const waiting = this.#outbox.waiting.find((each) => each.id === id);
    if (waiting) return waiting.parcel;
    const row = this.#ledger.message(id) ?? (await this.store.lineOf(id));
    return row && (await this.store.delivered(row.index));
  }

  // Other tabs

  #heard(news: News): void {
    if (news === "outbox") this.#background(this.#shared());
    if (news === "pins") this.#background(this.directory.recall());
    if (news === "evidence") this.#background(this.trust.check());
  }

  /** Another tab sent something: it is on the chain before the gateway tells us. */
  async #shared(): Promise<void> {
    for (const { id } of this.#outbox.waiting) {
      const row = await this.store.lineOf(id);
      if (row) this.#ledger.apply(row);
    }
    await this.#outbox.refresh();
  }

  // What is shown

  /** Somebody may be called something else now. */
  #renamed(): void {
    const before = this.#titles;
    this.#titles = new Map();
    if ([...before].some(([party, title]) => this.titleOf(party) !== title)) {
      this.#ledger.retitle();
      this.#waitingChanged();
    }
    this.#draw(false);
  }

  /** Draws once for all that changes in this turn; `nudge` tells that a conversation may have. */
  #draw(nudge: boolean): void {
    this.#nudged ||= nudge;
    if (!this.#drawn || this.#over) return;
    this.#drawn = false;
    queueMicrotask(() => {
      this.#drawn = true;
      const now = this.world.now();
      this.#vigil.wait();
      this.#show({
        alerts: this.#ledger.alerts(now),
        duty: this.#duty.view((party) => this.titleOf(party), this.#ledger.drills, now),
        friends: this.#friends.list((party) => this.#ledger.summary(party)),
        unsent: this.#unsent,
      });
      if (this.#nudged && !this.#over) this.world.board.nudge();
      this.#nudged = false;
    });
  }

  #show(parts: Partial<View>): void {
    if (!this.#over) this.world.board.show(parts);
  }

  #complain(text: string): void {
    if (!this.#over) this.world.board.complain(text);
  }

  // What goes wrong

  /** Nobody waits for it: what passes is tried again at the next occasion. */
  #background(work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      const passes = error instanceof Unreachable || (error instanceof Problem && !hasEnded(error));
      if (!passes) this.#failed(error);
    });
  }

  #failed(error: unknown): void {
    if (this.#over) return;
    if (error instanceof TwoHistories) {
      this.#tabs.tell("evidence");
      this.#end({ because: "two-histories" });
    } else if (error instanceof Problem && hasEnded(error)) {
      this.#show({ lamp: "ended" });
      this.#end({ because: "logged-out", detail: error.detail });
    } else {
      this.#complain(forPerson(error).message);
    }
  }

  #end(ending: Ending): void {
    this.#over = true;
    this.#vigil.stop();
    this.#sync.stop();
    this.#outbox.stop();
    this.ended(ending);
  }
}
