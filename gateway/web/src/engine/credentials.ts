/**
 * Credentials: what a person keeps in their profile to come in again from another browser.
 *
 * Two secrets do the same: the password, and the recovery code. Each opens a backup of the key file, and each has a
 * verifier by which the gateway knows it. Nothing says which backup is whose: it is the one that opens.
 */

import { FEWEST_CHARACTERS } from "../model";
import { unwrapBackup, wrapBackup } from "../proto/backup";
import type { Card, Login } from "../proto/body";
import { type Bytes, b64url, unb64url } from "../proto/encoding";
import { CannotOpen } from "../proto/errors";
import { type DerivedKeys, derivePassword, verifierOf } from "../proto/password";
import { fresh } from "../proto/random";
import { deriveRecovery, newRecoveryCode, readRecoveryCode } from "../proto/recovery";
import { ForPerson } from "./errors";

const SALT_BYTES = 16;

export const WRONG_PASSWORD = "This is not your password.";

/** The person's part of a card. */
export type Credentials = Required<Pick<Card, "login" | "backups">>;

/** Refuses a new password that is too short, before anything is made of it. */
export function checkNewPassword(password: string): void {
  const { length } = [...password];
  if (length < FEWEST_CHARACTERS)
    throw new ForPerson(
      `The password needs at least ${FEWEST_CHARACTERS} characters; this one has ${length}.`,
    );
}

/** What a new person starts with; `code` is shown once, `auth` logs in. */
export async function newCredentials(
  file: Bytes,
  password: string,
): Promise<{ credentials: Credentials; code: string; auth: string }> {
  const { login, backup, auth } = await passwordFor(file, password);
  const { verifier, backup: second, code } = await recoveryFor(file);
  return { credentials: { login: { ...login, recovery: verifier }, backups: [backup, second] }, code, auth };
}

/** The keys of a password, once it is known to be the card's. Asks nobody. */
export async function checkPassword(card: Card, password: string): Promise<DerivedKeys> {
  if (!card.login || password === "") throw new ForPerson(WRONG_PASSWORD);
  const keys = await derivePassword(password, unb64url(card.login.salt, "salt"));
  if (verifierOf(keys.auth) !== card.login.verifier) throw new ForPerson(WRONG_PASSWORD);
  return keys;
}

/** The keys of a recovery code as it was typed. */
export function recoveryKeys(typed: string): DerivedKeys {
  try {
    return deriveRecovery(readRecoveryCode(typed));
  } catch {
    throw new ForPerson("This is not a recovery code: it has 26 letters and digits, in groups of four.");
  }
}

/** A backup that opened: the key file in it, and the backups that are another secret's. */
interface Found {
  file: Bytes;
  backup: string;
  others: string[];
}

/** The key file of a card, with a key that opens one of its backups; `CannotOpen` if it opens none. */
export async function openBackup(card: Card, wrap: Bytes): Promise<Bytes> {
  return (await find(card, wrap)).file;
}

/** The same card under another password; its recovery code stays good. `keys` are of the old one, or of the code. */
export async function withPassword(
  card: Card,
  keys: DerivedKeys,
  wanted: string,
): Promise<{ card: Card; auth: string }> {
  const { file, backup: known, others } = await find(card, keys.wrap);
  const recovery = card.login?.recovery;
  const byRecovery = verifierOf(keys.auth) === recovery;
  const { login, backup, auth } = await passwordFor(file, wanted).finally(() => file.fill(0));
  const said: Login = recovery === undefined ? login : { ...login, recovery };
  return { card: { ...card, login: said, backups: [backup, ...(byRecovery ? [known] : others)] }, auth };
}

/** The same card with another recovery code; the one before is good for nothing then. `keys` are the password's. */
export async function withRecovery(card: Card, keys: DerivedKeys): Promise<{ card: Card; code: string }> {
  const { login } = card;
  if (!login) throw new ForPerson(WRONG_PASSWORD);
  const { file, backup: known } = await find(card, keys.wrap);
  const { verifier, backup, code } = await recoveryFor(file).finally(() => file.fill(0));
  return { card: { ...card, login: { ...login, recovery: verifier }, backups: [known, backup] }, code };
}

async function find(card: Card, wrap: Bytes): Promise<Found> {
  const backups = card.backups ?? [];
  for (const backup of backups) {
    try {
      const file = await unwrapBackup(backup, wrap);
      return { file, backup, others: backups.filter((other) => other !== backup) };
    } catch (error) {
      if (!(error instanceof CannotOpen)) throw error;
    }
  }
  throw new CannotOpen();
}

async function passwordFor(file: Bytes, password: string) {
  const salt = fresh(SALT_BYTES);
  const { auth, wrap } = await derivePassword(password, salt);
  const login: Login = { salt: b64url(salt), verifier: verifierOf(auth) };
  return { login, backup: await wrapBackup(file, wrap), auth };
}

async function recoveryFor(file: Bytes) {
  const code = newRecoveryCode();
  const { auth, wrap } = deriveRecovery(readRecoveryCode(code));
  return { verifier: verifierOf(auth), backup: await wrapBackup(file, wrap), code };
}
