/** A person's private keys, wrapped for storage where others can see them, as in `device/backup.py`. */

import { compactDecrypt } from "jose/jwe/compact/decrypt";
import { CompactEncrypt } from "jose/jwe/compact/encrypt";
import { type Bytes, b64url, canonical, unb64url, utf8 } from "./encoding";
import { CannotOpen, Malformed } from "./errors";

/** Written in the order of canonical JSON, which is the order that jose keeps. */
const HEADER = { alg: "dir", enc: "A256GCM", typ: "blockpost-backup" };
const PROTECTED = b64url(utf8(canonical(HEADER)));
const PINNED = { keyManagementAlgorithms: ["dir"], contentEncryptionAlgorithms: ["A256GCM"] };
const KEY_BYTES = 32;

/** Encrypts `secret` under a 32-byte key, such as `derivePassword` makes. What it returns is a compact JWE. */
export async function wrapBackup(secret: Bytes, wrap: Bytes): Promise<string> {
  if (wrap.length !== KEY_BYTES) {
    throw new Malformed(`backup: want a key of ${KEY_BYTES} bytes, got ${wrap.length}`);
  }
  return await new CompactEncrypt(secret).setProtectedHeader(HEADER).encrypt(wrap);
}

/**
 * The secret, or `CannotOpen`: for a wrong password as for anything else. Whoever asked overwrites it once
 * it has been read (`fill(0)`).
 */
export async function unwrapBackup(text: string, wrap: Bytes): Promise<Bytes> {
  try {
    checkForm(text);
    return new Uint8Array((await compactDecrypt(text, wrap, PINNED)).plaintext);
  } catch {
    throw new CannotOpen();
  }
}

/** jose would take other spellings, and other members of the header, such as `zip`. */
function checkForm(text: string): void {
  const [header, ...rest] = text.split(".");
  if (header !== PROTECTED) throw new Malformed("backup: not one of ours");
  for (const part of rest) unb64url(part, "backup");
}
