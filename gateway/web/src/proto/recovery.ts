/**
 * The recovery code: 128 random bits for whoever forgot the password, shown once and kept on paper, as in
 * `device/recovery.py`. It does what the password does and needs no stretching: nobody guesses it.
 */

import { type Bytes, b64url, base32, hkdf256, unbase32 } from "./encoding";
import { Malformed } from "./errors";
import type { DerivedKeys } from "./password";
import { fresh, type Random } from "./random";

const CODE_BYTES = 16;
/** Letters that stand together as it is shown. */
const GROUP = /.{1,4}/g;
/** White space, hyphens and dashes: what people, and word processors, put between the groups. */
const BETWEEN = /[\p{White_Space}\p{Pd}]/gu;

/** Digits that base32 does not have, for the letters that they are taken for. */
const LOOKALIKES: Readonly<Record<string, string>> = { "0": "O", "1": "I", "8": "B" };

/** A new code as it is shown: `ABCD-EFGH-...`, the last group of two. */
export function newRecoveryCode(random: Random = fresh): string {
  const groups = base32(random(CODE_BYTES)).toUpperCase().match(GROUP) ?? [];
  return groups.join("-");
}

/** What was typed, in either case and with anything between the groups. `Malformed`, without repeating it. */
export function readRecoveryCode(typed: string): Bytes {
  const letters = typed.replace(BETWEEN, "").replace(/[018]/g, (digit) => LOOKALIKES[digit] ?? digit);
  if (!/^[A-Za-z2-7]{26}$/.test(letters)) {
    throw new Malformed("recovery code: want 26 letters and digits, as it was shown");
  }
  try {
    return unbase32(letters.toLowerCase());
  } catch {
    throw new Malformed("recovery code: its last letter is none that it can end with");
  }
}

/** The same two keys that a password becomes; the gateway keeps `verifierOf(auth)` of this one, too. */
export function deriveRecovery(code: Bytes): DerivedKeys {
  return {
    auth: b64url(hkdf256(code, "blockpost/recovery/auth")),
    wrap: hkdf256(code, "blockpost/recovery/wrap"),
  };
}
