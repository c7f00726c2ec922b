/**
 * The safety code: what two people compare, in words or by QR code, to know that each holds the other's true
 * key. It is the same on both sides, and another one as soon as either key is.
 */

import { type Bytes, base32, sha256, utf8 } from "./encoding";

const DIGEST_BYTES = 16;

/** An account and the thumbprint of the signing key that is in force for it. */
export interface SafetyParty {
  account: string;
  kid: string;
}

/** 16 bytes: SHA-256 of both sides, whichever is named first, cut to what people will compare. */
export function safetyDigest(one: SafetyParty, other: SafetyParty): Bytes {
  const lines = [one, other].map(({ account, kid }) => `${account} ${kid}\n`).sort();
  return sha256(utf8(`blockpost/safety/v1\n${lines.join("")}`)).slice(0, DIGEST_BYTES);
}

/** Twelve words of the English list of BIP39, the last of which has a checksum in it. */
export async function safetyWords(digest: Bytes): Promise<readonly string[]> {
  const [{ entropyToMnemonic }, { wordlist }] = await Promise.all([
    import("@scure/bip39"),
    import("@scure/bip39/wordlists/english.js"),
  ]);
  return entropyToMnemonic(digest, wordlist).split(" ");
}

/** What the QR code says. */
export function safetyQr(digest: Bytes): string {
  return `blockpost-safety:${base32(digest)}`;
}
