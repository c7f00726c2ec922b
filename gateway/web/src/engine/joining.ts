/**
 * Joining: from a join code to an account, with keys made in this browser.
 *
 * Both entries that it takes, the account and its first profile, are signed and stored before anything is sent:
 * a browser that is closed in the middle goes on when it is opened again, with the same bytes.
 */

import type { Body } from "../proto/body";
import { makeBody, refOf, writeCard } from "../proto/body";
import { seenOf, verifyCheckpoint } from "../proto/checkpoint";
import { newEntryId, newStream, parseEntry, type Says, type Seen, writeEntry } from "../proto/entry";
import { type JoinCode, parseJoinCode } from "../proto/joincode";
import { generateKeys, type Keys, signerOf } from "../proto/keyfile";
import { parseReceipt, verifyReceipt } from "../proto/receipt";
import { type Invited, makeParcel, type Parcel } from "../proto/wire";
import { newCredentials } from "./credentials";
import { ForPerson, Problem, Unreachable } from "./errors";
import { forgetStore, openStore, type Store } from "./store";
import { makeToken } from "./token";
import { type FirstTrust, firstTrust } from "./trust";
import type { World } from "./world";

/** How often, and how many ms apart, an entry is handed in again while there is no answer. */
const TRIES = 20;
const PAUSE_MS = 1_500;

export interface Wish {
  code: string;
  name: string;
  password: string;
  progress(step: string): void;
}

/** Somebody who joined: `auth` logs in, `recovery` is shown once. */
export interface Joined {
  account: string;
  handle: string;
  auth: string;
  recovery: string;
}

export function readJoinCode(text: string): JoinCode {
  try {
    return parseJoinCode(text);
  } catch {
    throw new ForPerson("This is not a join code: it looks like HOST:PORT/GATEWAY/SECRET.");
  }
}

/** Asks what a code is for, once the gateway is known to be the one that it names. */
export async function lookUp(world: World, code: JoinCode): Promise<{ invited: Invited; trust: FirstTrust }> {
  const trust = await firstTrust(await world.gateway.site(), code.gateway).catch((error: unknown) => {
    if (error instanceof Error && error.name === "Unverified")
      throw new ForPerson("This join code is for another gateway than the one that this page came from.");
    throw error;
  });
  return { invited: await world.gateway.invited(code.secret), trust };
}

/** Makes the account. If the gateway refuses it, nothing is left behind in this browser. */
export async function join(world: World, wish: Wish): Promise<Joined> {
  const code = readJoinCode(wish.code);
  wish.progress("Asking what the join code is for");
  const { invited, trust } = await lookUp(world, code);
  if (invited.kind !== "person")
    throw new ForPerson(`This join code is for a ${invited.kind}, not for a person.`);
  wish.progress("Making your keys: this can take some seconds");
  const { file, keys } = await generateKeys();
  wish.progress("Wrapping a backup of your keys");
  const { credentials, code: recovery, auth } = await newCredentials(file, wish.password);
  file.fill(0);
  const card = makeBody(writeCard({ handle: invited.handle, name: wish.name, ...credentials }));
  const store = await openStore(keys.account);
  try {
    await store.setKeyring([keys]);
    await store.setMembership({
      account: keys.account,
      handle: invited.handle,
      role: invited.role,
      origin: trust.origin,
      gatewayKey: trust.gatewayKey,
      joined: false,
    });
    await store.replaceCheckpoint(undefined, trust.note);
    await queueBoth(world, store, keys, trust, invited, code, card);
    world.visitors.remember({ account: keys.account, handle: invited.handle });
    world.visitors.rememberKeys(keys.account);
    wish.progress("Registering with the gateway");
    await finish(world, store);
  } catch (error) {
    store.close();
    // What the gateway refused will never be an account; without an answer it may be one already.
    if (error instanceof Problem) await forget(world, keys.account);
    throw error;
  }
  store.close();
  return { account: keys.account, handle: invited.handle, auth, recovery };
}

/** Sends what joining left in the outbox, in order, until both entries are receipted. */
export async function finish(world: World, store: Store): Promise<void> {
  const [membership, keyring] = [await store.membership(), await store.keyring()];
  if (!membership || !keyring) throw new ForPerson("There is no account in this browser to go on with.");
  const { account, origin, gatewayKey } = membership;
  const gateway = world.gateway.as(() => makeToken(account, origin, keyring[0], world.now()));
  for (const { id, parcel } of await store.waiting()) {
    const { type } = parseEntry(parcel.entry).entry;
    const send = () => (type === "account" ? world.gateway.register(parcel) : gateway.submit(parcel));
    const { receipt } = await patiently(send);
    await verifyReceipt(parseReceipt(receipt), parcel.entry, origin, gatewayKey);
    await store.discard(id);
  }
  await store.setMembership({ ...membership, joined: true });
}

async function forget(world: World, account: string): Promise<void> {
  await forgetStore(account);
  world.visitors.forget(account);
}

/** The same bytes again, as long as there is no answer. */
async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof Unreachable) || tries === TRIES) throw error;
      await new Promise((wake) => setTimeout(wake, PAUSE_MS));
    }
  }
}

async function queueBoth(
  world: World,
  store: Store,
  keys: Keys,
  trust: FirstTrust,
  invited: Invited,
  code: JoinCode,
  card: Body,
): Promise<void> {
  const stream = newStream();
  const seen = seenOf(await verifyCheckpoint(trust.note, trust.origin, trust.gatewayKey));
  const says: [Says, Body?][] = [
    [
      {
        type: "account",
        kind: invited.kind,
        role: invited.role,
        sign: keys.signing.public,
        seal: keys.sealing.public,
        invite: invited.id,
        code: code.secret,
      },
    ],
    [{ type: "profile", body: refOf(card) }, card],
  ];
  for (const [number, [said, body]] of says.entries()) {
    const { id, parcel } = await signed(
      world,
      keys,
      { says: said, origin: trust.origin, stream, seq: number + 1, seen },
      body,
    );
    await store.queue({ stream, seq: number + 1 }, id, parcel);
  }
}

async function signed(
  world: World,
  keys: Keys,
  draft: { says: Says; origin: string; stream: string; seq: number; seen: Seen },
  body?: Body,
): Promise<{ id: string; parcel: Parcel }> {
  const at = world.now();
  const id = newEntryId(at);
  const leaf = await writeEntry(
    { ...draft, author: keys.account, at, clock: "free", id },
    keys.signing.kid,
    signerOf(keys),
  );
  return { id, parcel: makeParcel(leaf, body) };
}
