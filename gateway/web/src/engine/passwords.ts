/**
 * Passwords: another password, or another recovery code, for who is in.
 *
 * Both are a new profile. A new password ends the sessions that were begun with the old one as soon as the gateway has
 * it, the one that it was written in too: who changes it logs in again at once.
 */

import { type Card, makeBody, readCard, refOf, writeCard } from "../proto/body";
import type { DerivedKeys } from "../proto/password";
import { type Me, openDelivered } from "../proto/wire";
import { checkNewPassword, checkPassword, withPassword, withRecovery } from "./credentials";
import { ForPerson, hasEnded, Unreachable, Untrusted } from "./errors";
import { askProfile } from "./restoring";
import type { Session } from "./session";
import type { World } from "./world";

/** How often, and how many ms apart, it is tried to log in with the new password. */
const TRIES = 3;
const PAUSE_MS = 1_000;

/** The password is another one, and nobody is logged in with it. */
export class PasswordChanged extends ForPerson {
  constructor() {
    super(
      "Your password HAS been changed, but the gateway did not answer when this page logged in again. Log in with the new password.",
    );
  }
}

const NOT_KNOWN =
  "The gateway does not answer. Your new password holds as soon as the gateway has it, and it may have it already: try the new one first when you log in, and then the old one.";

/** The keys of a password that is the one in force. */
export async function keysOf(world: World, session: Session, password: string): Promise<DerivedKeys> {
  return await checkPassword(await ownCard(world, session), password);
}

/**
 * Sets another password, and logs in with it. `keys` are those of the old one, or of the recovery code; `isOver` says
 * whether the gateway ended the session because of it.
 *
 * Raises `PasswordChanged` if it is set and there is no answer to logging in.
 */
export async function setPassword(
  world: World,
  session: Session,
  keys: DerivedKeys,
  wanted: string,
  isOver: () => boolean,
): Promise<Me> {
  checkNewPassword(wanted);
  const { card, auth } = await withPassword(await ownCard(world, session), keys, wanted);
  const said = await saidUnlessRefused(session, card);
  try {
    return await loggedIn(world, session.me.handle, auth);
  } catch (error) {
    if (!(error instanceof Unreachable || hasEnded(error))) throw error;
    throw said || isOver() ? new PasswordChanged() : new ForPerson(NOT_KNOWN);
  }
}

/** Makes another recovery code; the one before is good for nothing then. */
export async function renewRecovery(world: World, session: Session, password: string): Promise<string> {
  const card = await ownCard(world, session);
  const renewed = await withRecovery(card, await checkPassword(card, password));
  await publish(session, renewed.card);
  return renewed.code;
}

/** The own card, proven to be one that this account signed: it is signed again, with what is not changed in it. */
async function ownCard(world: World, { me, keyring }: Session): Promise<Card> {
  const { signed, body } = openDelivered(await askProfile(world));
  const keys = keyring.find(({ signing }) => signing.kid === signed.kid);
  if (!keys || signed.entry.type !== "profile" || signed.entry.author !== me.account)
    throw new Untrusted("it is not a profile of this account");
  await signed.verify(keys.signing.public);
  if (!body) throw new ForPerson("Your profile has been erased from the gateway.");
  return readCard(body.content);
}

/**
 * Whether it is known to be on the chain. Mostly it is not: with the old password the session ends, before its receipt is
 * proven. What became of it is found out by logging in.
 */
async function saidUnlessRefused(session: Session, card: Card): Promise<boolean> {
  try {
    await publish(session, card);
    return true;
  } catch (error) {
    if (error instanceof Unreachable || error instanceof ForPerson) return false;
    throw error;
  }
}

async function publish(session: Session, card: Card): Promise<void> {
  const body = makeBody(writeCard(card));
  await session.say({ type: "profile", body: refOf(body) }, body);
}

async function loggedIn(world: World, handle: string, auth: string): Promise<Me> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await world.gateway.login(handle, auth);
    } catch (error) {
      if (!(error instanceof Unreachable) || tries === TRIES) throw error;
      await new Promise((wake) => setTimeout(wake, PAUSE_MS));
    }
  }
}
