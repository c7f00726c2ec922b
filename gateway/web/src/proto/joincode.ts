/**
 * The join string, as in `chain/joincode.py`: where the gateway is, which one it is, and a secret that lets
 * one new account in. The account id is a hash of the gateway's key, so a newcomer checks that it speaks to
 * the right gateway before it sends the secret.
 */

import { b64url, base32, sha256, utf8 } from "./encoding";
import { Malformed } from "./errors";
import { fresh, type Random } from "./random";

const SECRET_BYTES = 10;
const HIGHEST_PORT = 2 ** 16 - 1;
const FORM =
  /^(?<host>[A-Za-z0-9.-]+|\[[0-9a-fA-F:.]+\]):(?<port>[1-9][0-9]{0,4})\/(?<gateway>[a-z2-7]{26})\/(?<secret>[a-z2-7]{16})$/;

/** `secret` is 80 random bits in base32: nobody else's business until it has been used. */
export interface JoinCode {
  host: string;
  port: number;
  gateway: string;
  secret: string;
}

/** Space around it does not matter. `Malformed`, without repeating the secret. */
export function parseJoinCode(text: string): JoinCode {
  const { host, port, gateway, secret } = FORM.exec(text.trim())?.groups ?? {};
  if (!host || !gateway || !secret || !(Number(port) <= HIGHEST_PORT)) {
    throw new Malformed("join code: want HOST:PORT/GATEWAY/SECRET, as the admin was shown it");
  }
  return { host, port: Number(port), gateway, secret };
}

export function formatJoinCode(code: JoinCode): string {
  return `${code.host}:${code.port}/${code.gateway}/${code.secret}`;
}

export function newJoinSecret(random: Random = fresh): string {
  return base32(random(SECRET_BYTES));
}

/** What an invite says of its secret. */
export function codeHash(secret: string): string {
  return b64url(sha256(utf8(`blockpost/join/v1\n${secret}`)));
}
