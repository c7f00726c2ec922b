/** Browsers for tests: each has a store and locks of its own, shared by its tabs. */

import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";
import { Board } from "../../src/engine/board";
import { Gateway } from "../../src/engine/gateway";
import type { Turns } from "../../src/engine/locks";
import { type Ending, openSession, type Session } from "../../src/engine/session";
import { openStore } from "../../src/engine/store";
import { Visitors } from "../../src/engine/visitors";
import type { World } from "../../src/engine/world";
import { makeBody, refOf } from "../../src/proto/body";
import { writeText } from "../../src/proto/content";
import { type Alert, newEntryId } from "../../src/proto/entry";
import type { Keys } from "../../src/proto/keyfile";
import { seal } from "../../src/proto/sealing";
import type { Town } from "./town";

/** Another browser on another machine: nothing of the one before is there. */
export function newBrowser(): void {
  globalThis.indexedDB = new IDBFactory();
}

export class FairTurns implements Turns {
  #last = new Map<string, Promise<unknown>>();

  take<T>(name: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.#last.get(name) ?? Promise.resolve()).then(work, work);
    this.#last.set(
      name,
      turn.catch(() => undefined),
    );
    return turn;
  }
}

export interface Tab {
  world: World;
  session: Session;
  ended: Ending[];
}

/** Makes the keys, the membership and the first trust of a browser, as `door.ts` does. */
export async function moveIn(town: Town, keys: Keys): Promise<void> {
  const store = await openStore(keys.account);
  await store.setKeyring([keys]);
  await store.setMembership({
    account: keys.account,
    handle: "me",
    role: "member",
    origin: town.origin,
    gatewayKey: town.key,
    joined: true,
  });
  await store.replaceCheckpoint(undefined, await town.checkpoint());
  store.close();
}

/** One more tab of the present browser. */
export async function openTab(town: Town, keys: Keys, turns: Turns = new FairTurns()): Promise<Tab> {
  const shelf = new Map<string, string>();
  const world: World = {
    gateway: new Gateway(town.browser(keys.account)),
    board: new Board(),
    turns,
    visitors: new Visitors({
      getItem: (name) => shelf.get(name) ?? null,
      setItem: (name, value) => void shelf.set(name, value),
      removeItem: (name) => void shelf.delete(name),
    }),
    now: () => town.clock,
  };
  const me = { account: keys.account, handle: "me", name: "Me", role: "member" as const, expires: 0 };
  const ended: Ending[] = [];
  const store = await openStore(keys.account);
  const session = await openSession(world, store, me, (ending) => ended.push(ending));
  return { world, session, ended };
}

/** A message by somebody who is not at a page that is tested. */
export async function write(
  town: Town,
  from: Keys,
  to: Keys | string,
  text: string,
  alert?: Alert,
): Promise<string> {
  const { cty, content } = writeText(text);
  const mid = newEntryId(town.clock);
  const readers = typeof to === "string" ? (town.groups.get(to) ?? []) : [to.account];
  const recipients = [...readers, from.account].flatMap(
    (account) => town.accounts.get(account)?.keys?.sealing.public ?? [],
  );
  const sealed = await seal(content, { cty, iss: from.account, skid: from.signing.kid, mid, recipients });
  const body = makeBody(sealed.body);
  const says = {
    type: "message" as const,
    to: typeof to === "string" ? to : to.account,
    commitment: sealed.commitment,
    body: refOf(body),
    ...(alert ? { alert } : {}),
  };
  await town.say(from, says, body, { id: mid });
  return mid;
}
