/**
 * Restoring: a browser that is new to its person gets their keys from the backup in their profile.
 *
 * The keyring is written last: a store that has one has everything else that a session needs. A browser that is closed
 * before that restores again, over what is there.
 */

import { type Card, readCard } from "../proto/body";
import type { Bytes } from "../proto/encoding";
import { CannotOpen } from "../proto/errors";
import { type Keys, readKeyFile } from "../proto/keyfile";
import { type Delivered, type Me, readDelivered } from "../proto/wire";
import { openBackup } from "./credentials";
import { ForPerson, Problem } from "./errors";
import type { Store } from "./store";
import { restoredTrust } from "./trust";
import type { World } from "./world";

const NOT_FOUND = 404;

/** Fills the store from a backup; says whether `wrap` opened one. Raises what first trust raises. */
export async function restoreKeys(world: World, me: Me, wrap: Bytes, store: Store): Promise<boolean> {
  const { gateway } = world;
  const profile = await askProfile(world);
  const keys = await keysIn(cardOf(profile), wrap);
  if (!keys) return false;
  if (keys.account !== me.account) throw new ForPerson("The backup is of another account's keys.");
  const prove = (from: number, to: number) => gateway.consistency(from, to);
  const trust = await restoredTrust(await gateway.site(), profile, keys.signing.public, prove);
  await store.setMembership({
    account: me.account,
    handle: me.handle ?? me.account,
    role: me.role,
    origin: trust.origin,
    gatewayKey: trust.gatewayKey,
    joined: true,
  });
  // One that is held already stays: what this browser has seen, it has seen.
  await store.replaceCheckpoint(undefined, trust.note);
  await store.setKeyring([keys]);
  return true;
}

/** The own profile, as the gateway has it now. */
export async function askProfile(world: World): Promise<Delivered> {
  try {
    return await world.gateway.ask("GET", "/v1/profile", readDelivered);
  } catch (error) {
    if (error instanceof Problem && error.status === NOT_FOUND)
      throw new ForPerson("The gateway has no profile of this account. Ask your admin.");
    throw error;
  }
}

export function cardOf(profile: Delivered): Card {
  if (profile.body === undefined) throw new ForPerson("Your profile has been erased from the gateway.");
  return readCard(profile.body);
}

async function keysIn(card: Card, wrap: Bytes): Promise<Keys | null> {
  let file: Bytes;
  try {
    file = await openBackup(card, wrap);
  } catch (error) {
    if (error instanceof CannotOpen) return null;
    throw error;
  }
  return await readKeyFile(file).finally(() => file.fill(0));
}
