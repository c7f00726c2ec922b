/**
 * Joining: from a join code to an account, with keys made in this browser.
 *
 * Both entries that it takes, the account and its first profile, are signed and stored before anything is sent:
 * a browser that is closed in the middle goes on when it is opened again, with the same bytes.
 */

import type { Body } from "../proto/body";
import { makeBody, refOf, writeCard } from "../proto/body";
import { seenOf, verifyCheckpoint } from "../proto/checkpoint";
import { unb64url, utf8 } from "../proto/encoding";
import { newEntryId, newStream, parseEntry, type Says, type Seen, writeEntry } from "../proto/entry";
import { Unverified } from "../proto/errors";
import { type JoinCode, matchDigits, namesRoot, parseJoinCode } from "../proto/joincode";
import { generateKeys, type Keys, signerOf } from "../proto/keyfile";
import { parseReceipt, verifyReceipt } from "../proto/receipt";
import { type Invited, makeParcel, type Parcel, type Receipted, type Site } from "../proto/wire";
import { gatewayNow } from "./clock";
import { checkNewPassword, newCredentials } from "./credentials";
import { ForPerson, forPerson, Problem, Unreachable } from "./errors";
import { forgetStore, openStore, type Store } from "./store";
import { makeToken } from "./token";
import { type FirstTrust, firstTrust } from "./trust";
import type { World } from "./world";

const PAUSE_MS = 1_500;

/** How often it is asked whether an admin has compared the digits. */
const ASK_AGAIN_MS = 2_000;

const NOT_FOUND = 404;

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
    throw new ForPerson("This is not a join code: it looks like HOST:PORT/PIN/SECRET.");
  }
}

/** Asks what a code is for, once the gateway is known to be the one that it names. */
export async function lookUp(world: World, code: JoinCode): Promise<{ invited: Invited; trust: FirstTrust }> {
  const trust = await trustOf(await world.gateway.site(), code.pin).catch((error: unknown) => {
    if (error instanceof Unverified)
      throw new ForPerson("This join code is for another gateway than the one that this page came from.");
    throw error;
  });
  try {
    return { invited: await world.gateway.invited(code.secret), trust };
  } catch (error) {
    if (error instanceof Problem && error.status === NOT_FOUND)
      throw new ForPerson("This join code is unknown, was used, or has expired.");
    throw error;
  }
}

/**
 * Whether it is the gateway that the code names. A pin of a root says what the browser, which has authenticated the
 * gateway by its certificate, cannot be asked: it is compared with what the gateway says. Raises `Unverified`.
 */
async function trustOf(site: Site, pin: string): Promise<FirstTrust> {
  if (!namesRoot(pin)) return await firstTrust(site, pin);
  if (site.pin !== pin) throw new Unverified("this is not the gateway that was asked for");
  const [, gateway = ""] = site.origin.split("/");
  return await firstTrust(site, gateway);
}

/**
 * Makes the account. Nothing is left behind in this browser if the gateway refuses it; as long as there is no answer, it
 * goes on trying, for there may be an account already.
 */
export async function join(world: World, wish: Wish): Promise<Joined> {
  checkNewPassword(wish.password);
  const name = wish.name.trim();
  if (name === "") throw new ForPerson("Type your name, as colleagues know you.");
  const code = readJoinCode(wish.code);
  wish.progress("Asking what the join code is for");
  const { invited, trust } = await lookUp(world, code);
  if (invited.kind !== "person")
    throw new ForPerson(`This join code is for a ${invited.kind}, not for a person.`);
  wish.progress("Making your keys: this can take some seconds");
  const { file, keys } = await generateKeys();
  wish.progress("Wrapping a backup of your keys");
  const made = newCredentials(file, wish.password).finally(() => file.fill(0));
  const { credentials, code: recovery, auth } = await made;
  const card = makeBody(writeCard({ handle: invited.handle, name, ...credentials }));
  const { account } = keys;
  await oneTab(world, account, async () => {
    world.visitors.beginJoining(account);
    await withStore(account, (store) => moveIn(world, store, { keys, trust, invited, code, card }));
    wish.progress("Registering with the gateway");
    await settle(world, account, () => wish.progress("The gateway does not answer. Still trying"));
  });
  return { account, handle: invited.handle, auth, recovery };
}

/** Goes on with every account whose page was closed while it was made. Says what a person has to know of it. */
export async function goOnJoining(world: World): Promise<string | null> {
  let told: string | null = null;
  for (const account of world.visitors.joining()) {
    try {
      const handle = await oneTab(world, account, async () =>
        // The tab that began it may have ended it meanwhile.
        world.visitors.joining().includes(account) ? await settle(world, account) : null,
      );
      if (handle) told = `You have joined as ${handle}. Log in with the password that you chose.`;
    } catch (error) {
      if (error instanceof Unreachable) throw error;
      told = error instanceof GaveUp ? error.message : `Joining did not work. ${forPerson(error).message}`;
    }
  }
  return told;
}

/** Somebody does not want to wait any longer for an admin who compares the digits. */
class GaveUp extends ForPerson {
  constructor() {
    super("You gave up joining. The join code may still be good: ask your administrator.");
  }
}

/** Does not go on with an account that waits for an admin; whoever waits for it is told. */
export function giveUpJoining(world: World): void {
  const { stage } = world.board.view();
  if (stage.name === "matching") world.visitors.endJoining(stage.account);
}

/** Another tab that is opened meanwhile waits, rather than do the same. */
function oneTab<T>(world: World, account: string, work: () => Promise<T>): Promise<T> {
  return world.turns.take(`blockpost-join-${account}`, work);
}

async function withStore<T>(account: string, work: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore(account);
  try {
    return await work(store);
  } finally {
    store.close();
  }
}

interface Newcomer {
  keys: Keys;
  trust: FirstTrust;
  invited: Invited;
  code: JoinCode;
  card: Body;
}

/** Everything that the account is, kept before anything is sent; the keys last, so that who has them has all of it. */
async function moveIn(world: World, store: Store, newcomer: Newcomer): Promise<void> {
  const { keys, trust, invited } = newcomer;
  await store.setMembership({
    account: keys.account,
    handle: invited.handle,
    role: invited.role,
    origin: trust.origin,
    gatewayKey: trust.gatewayKey,
    joined: false,
  });
  await store.replaceCheckpoint(undefined, trust.note);
  await queueBoth(world, store, newcomer);
  await store.setKeyring([keys]);
}

/**
 * Brings what `moveIn` kept to an end: an account, whose handle it returns, or nothing at all. With `waiting`, which is
 * told that there is no answer, it waits for one; else it raises `Unreachable`.
 */
async function settle(world: World, account: string, waiting?: () => void): Promise<string | null> {
  try {
    const handle = await withStore(account, (store) => finish(world, store, waiting));
    if (handle === null) await forget(world, account);
    world.visitors.endJoining(account);
    return handle;
  } catch (error) {
    // What the chain refused will never be an account.
    if (error instanceof GaveUp || (error instanceof Problem && error.rule !== null))
      await forget(world, account);
    throw error;
  }
}

/** Sends what waits, in order, until both entries are receipted. Null if it was never complete: nothing was sent then. */
async function finish(world: World, store: Store, waiting?: () => void): Promise<string | null> {
  const [membership, keyring] = [await store.membership(), await store.keyring()];
  if (!membership || !keyring) return null;
  const { account, handle, origin, gatewayKey } = membership;
  const answered = <T>(ask: () => Promise<T>) => (waiting ? patiently(ask, waiting) : ask());
  const now = await answered(() => gatewayNow(world));
  const gateway = world.gateway.as(() => makeToken(account, origin, keyring[0], now()));
  for (const { id, parcel } of await store.waiting()) {
    const { type } = parseEntry(parcel.entry).entry;
    const { receipt } =
      type === "account"
        ? await letIn(world, membership, parcel, answered)
        : await answered(() => gateway.submit(parcel));
    await verifyReceipt(parseReceipt(receipt), parcel.entry, origin, gatewayKey);
    await store.discard(id);
  }
  await store.setMembership({ ...membership, joined: true });
  world.visitors.remember({ account, handle });
  return handle;
}

/** Hands in the account. Where an admin has to compare six digits first, shows them, and asks again until it is done. */
async function letIn(
  world: World,
  { account, handle }: { account: string; handle: string },
  parcel: Parcel,
  answered: <T>(ask: () => Promise<T>) => Promise<T>,
): Promise<Receipted> {
  for (;;) {
    const answer = await answered(() => world.gateway.register(parcel));
    if ("receipt" in answer) return answer;
    const digits = matchDigits(unb64url(answer.nonce, "nonce"), utf8(parcel.entry));
    world.board.show({ stage: { name: "matching", account, handle, digits } });
    await pause(ASK_AGAIN_MS);
    if (!world.visitors.joining().includes(account)) throw new GaveUp();
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((wake) => setTimeout(wake, ms));
}

async function forget(world: World, account: string): Promise<void> {
  await forgetStore(account);
  world.visitors.forget(account);
}

/** The same again, as long as there is no answer. */
export async function patiently<T>(ask: () => Promise<T>, waiting: () => void): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
      waiting();
      await pause(PAUSE_MS);
    }
  }
}

async function queueBoth(
  world: World,
  store: Store,
  { keys, trust, invited, code, card }: Newcomer,
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
