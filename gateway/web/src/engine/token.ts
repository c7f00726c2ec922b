/**
 * Tokens: how an account proves itself by its key, where there is no session yet.
 *
 * Only registering needs it: the profile that a password is checked against is itself an entry of the account.
 */

import { canonical } from "../proto/encoding";
import { sign } from "../proto/jws";
import { type Keys, signerOf } from "../proto/keyfile";

const LIFETIME_SECONDS = 120;

/** A token for the REST interface of the chain `origin`; `now` is in ms. */
export function makeToken(account: string, origin: string, keys: Keys, now: number): Promise<string> {
  const issued = Math.floor(now / 1000);
  const claims = {
    iss: account,
    sub: account,
    aud: `${origin}/rest`,
    iat: issued,
    exp: issued + LIFETIME_SECONDS,
  };
  return sign("blockpost-token+jwt", keys.signing.kid, canonical(claims), signerOf(keys));
}
