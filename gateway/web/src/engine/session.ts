/**
 * A session: everything that exists once somebody is in, with their keys, on this browser.
 *
 * How `account.ts` comes here. It is logged in (`POST /login`, or `GET /check` at start), has `me`, and a store that
 * has a keyring, a membership and, from the first trust, a checkpoint:
 *
 *     const store = await openStore(me.account);
 *     if (!(await store.keyring())) ... stage `restore`, or register; then, to fill the store:
 *       await store.setKeyring([keys, ...older]);
 *       await store.setMembership({ account, handle, role, origin, gatewayKey, joined });   // from trust.ts:
 *         // registering: `await firstTrust(site, code.gateway)`; restoring: `await restoredTrust(...)`
 *       await store.replaceCheckpoint(undefined, note);
 *     const session = await openSession(world, store, me);   // raises `TwoHistories` if the gateway was caught
 *     session.start();                                        // reads, listens, sends; shows its parts on the board
 *     board.show({ stage: { name: "home" } });
 *
 * `session.say(...)` writes an entry of the account (a profile, an admin's command) and waits for its receipt.
 * `session.ended` is told when the gateway says that the session is over, or that it contradicted itself: then
 * `account.ts` calls `stop()` and shows the stage. `stop()` ends everything, and closes the store.
 */

import type { Actions, Me } from "../model";
import type { Body } from "../proto/body";
import type { Says } from "../proto/entry";
import type { Directory } from "./directory";
import type { Keyring, Membership, Store } from "./store";
import type { Trust } from "./trust";

/** The actions that a session carries out; those of coming in are `account.ts`'s, `admin` is `admin.ts`'s. */
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
  /**
   * Writes an entry (with its clear body, if it has one), and returns its index once its receipt is verified.
   *
   * Raises `Problem` with the chain's rule if it is refused. If there is no answer in time, it raises `Unreachable`,
   * and the entry goes out later.
   */
  say(says: Says, body?: Body): Promise<number>;
  start(): void;
  stop(): Promise<void>;
}

/** Why a session is over. */
export type Ending = { because: "logged-out"; detail: string } | { because: "two-histories" };
