/** The two keys that a person's password becomes, as in `device/password.py`. */

import { type Bytes, b64url, hkdf256, sha256, unb64urlHash, utf8 } from "./encoding";
import { Malformed } from "./errors";

/** Of PBKDF2: what one guess costs. It takes 0.1 to 0.3 s in Chromium, and up to a second on a busy machine. */
const ROUNDS = 600_000;

/** `auth` goes to the gateway at login; `wrap` never leaves, and opens the backup of the private keys. */
export interface DerivedKeys {
  auth: string;
  wrap: Bytes;
}

/**
 * Stretches a password (PBKDF2-HMAC-SHA256) and splits it (HKDF-SHA256). It is brought to Unicode form NFKC
 * first, because keyboards differ in how they spell one character; nothing is trimmed or folded. `Malformed`
 * for an empty password, or one with half a surrogate pair.
 */
export async function derivePassword(password: string, salt: Bytes): Promise<DerivedKeys> {
  if (password === "") throw new Malformed("the password is empty");
  const secret = await crypto.subtle.importKey("raw", utf8(password.normalize("NFKC")), "PBKDF2", false, [
    "deriveBits",
  ]);
  const stretch = { name: "PBKDF2", hash: "SHA-256", iterations: ROUNDS, salt };
  const master = new Uint8Array(await crypto.subtle.deriveBits(stretch, secret, 256));
  return { auth: b64url(hkdf256(master, "blockpost/auth")), wrap: hkdf256(master, "blockpost/wrap") };
}

/** What the gateway keeps of `auth`: it can check with it, and not log in. */
export function verifierOf(auth: string): string {
  return b64url(sha256(unb64urlHash(auth, "auth")));
}
