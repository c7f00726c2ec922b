/**
 * The join string, as in `chain/joincode.py`: where the gateway is, which one it is, and a secret that lets one new account
 * in. The pin is a hash: in a LAN, of the public key of the root certificate; on loopback, of the gateway's own key (its
 * account id). By it a newcomer knows the right gateway before it sends the secret.
 */

import { type Bytes, b64url, base32, concat, sha256, utf8 } from "./encoding";
import { Malformed } from "./errors";
import { fresh, type Random } from "./random";

const SECRET_BYTES = 10;
const HIGHEST_PORT = 2 ** 16 - 1;
const DIGITS = 6;
const ROOT_PIN = 52;
const FORM =
  /^(?<host>[A-Za-z0-9.-]+|\[[0-9a-fA-F:.]+\]):(?<port>[1-9][0-9]{0,4})\/(?<pin>[a-z2-7]{26}|[a-z2-7]{52})\/(?<secret>[a-z2-7]{16})$/;

/** `secret` is 80 random bits in base32: nobody else's business until it has been used. */
export interface JoinCode {
  host: string;
  port: number;
  pin: string;
  secret: string;
}

/** Space around it does not matter. `Malformed`, without repeating the secret. */
export function parseJoinCode(text: string): JoinCode {
  const { host, port, pin, secret } = FORM.exec(text.trim())?.groups ?? {};
  if (!host || !pin || !secret || !(Number(port) <= HIGHEST_PORT)) {
    throw new Malformed("join code: want HOST:PORT/PIN/SECRET, as the admin was shown it");
  }
  return { host, port: Number(port), pin, secret };
}

export function formatJoinCode(code: JoinCode): string {
  return `${code.host}:${code.port}/${code.pin}/${code.secret}`;
}

/** Whether a pin is of a root certificate, rather than of the gateway's own key. */
export function namesRoot(pin: string): boolean {
  return pin.length === ROOT_PIN;
}

export function newJoinSecret(random: Random = fresh): string {
  return base32(random(SECRET_BYTES));
}

/** What an invite says of its secret. */
export function codeHash(secret: string): string {
  return b64url(sha256(utf8(`blockpost/join/v1\n${secret}`)));
}

/**
 * The six digits that a newcomer and an admin compare, to know that it is this one's keys that are let in. `nonce` is
 * what the gateway chose after it got the account's entry, whose exact bytes are `leaf`.
 */
export function matchDigits(nonce: Bytes, leaf: Bytes): string {
  const hashed = sha256(concat(utf8("blockpost/match/v1\n"), nonce, sha256(leaf)));
  // The first 8 bytes as one number, of which the last digits are kept: it is too large for a number of JavaScript's.
  const value = hashed.subarray(0, 8).reduce((rest, byte) => (rest * 256 + byte) % 10 ** DIGITS, 0);
  return String(value).padStart(DIGITS, "0");
}
