/**
 * Public identities: the two keys of an account, their thumbprints, and the account id made of them.
 *
 * Keys travel as JWKs (RFC 7517) with exactly the members that RFC 7638 hashes, so the canonical JSON of a key
 * *is* the input of its thumbprint.
 */

import { type Bytes, b64url, base32, canonical, hex, sha256, unb64url, unb64urlHash, utf8 } from "./encoding";
import { Malformed, Unverified } from "./errors";
import { memo } from "./memo";
import { literal, mapped, type Shape, strict, text } from "./shape";

/** Lower-case base32 of the first 16 bytes of the account's first signing-key thumbprint. */
export const accountIdShape = text({ pattern: /^[a-z2-7]{26}$/ });
export const groupIdShape = text({ pattern: /^g-[a-z2-7]{26}$/ });
/** An account or a group. */
export const partyIdShape = text({ pattern: /^(g-)?[a-z2-7]{26}$/ });
/** base64url of the SHA-256 of a JWK (RFC 7638). */
export const thumbprintShape = text({ pattern: /^[A-Za-z0-9_-]{43}$/ });

/** An Ed25519 public key: `x` is its 32 bytes in base64url (RFC 8037). */
export interface SigningKey {
  crv: "Ed25519";
  kty: "OKP";
  x: string;
}

/** An RSA public key of 2048 bits or more; 3072 is what we make. */
export interface SealingKey {
  e: "AQAB";
  kty: "RSA";
  n: string;
}

const LEAST_BITS = 2048;
const MOST_BITS = 8192;

export const readSigningKey: Shape<SigningKey> = strict({
  crv: literal("Ed25519"),
  kty: literal("OKP"),
  x: mapped(thumbprintShape, (x, what) => {
    unb64urlHash(x, what);
    return x;
  }),
});

export const readSealingKey: Shape<SealingKey> = strict({
  e: literal("AQAB"),
  kty: literal("RSA"),
  n: mapped(text(), (n, what) => {
    const modulus = unb64url(n, what);
    const [first = 0] = modulus;
    const bits = modulus.length * 8 - (Math.clz32(first) - 24);
    const isOdd = ((modulus.at(-1) ?? 0) & 1) === 1;
    if (first === 0 || !isOdd || bits < LEAST_BITS || bits > MOST_BITS) {
      throw new Malformed(`${what}: want an RSA modulus of ${LEAST_BITS} to ${MOST_BITS} bits, got ${bits}`);
    }
    return n;
  }),
});

export function signingThumbprint(key: SigningKey): string {
  return thumbprintOf(key.x);
}

const thumbprintOf = memo((x) => b64url(digestOf({ crv: "Ed25519", kty: "OKP", x })));

export function sealingThumbprint(key: SealingKey): string {
  return b64url(digestOf({ e: "AQAB", kty: "RSA", n: key.n }));
}

/** The id is bound to the first key for ever: it stays when the keys change. */
export function accountId(firstKey: SigningKey): string {
  return base32(digestOf({ crv: "Ed25519", kty: "OKP", x: firstKey.x }).subarray(0, 16));
}

function digestOf(jwk: SigningKey | SealingKey): Bytes {
  return sha256(utf8(canonical(jwk)));
}

/** The RSA key, to encrypt with (RSA-OAEP-256). */
export async function importSealing(key: SealingKey): Promise<CryptoKey> {
  const jwk = { e: key.e, kty: key.kty, n: key.n };
  const imported = crypto.subtle.importKey("jwk", jwk, { name: "RSA-OAEP", hash: "SHA-256" }, false, [
    "encrypt",
  ]);
  return await orMalformed(imported, "sealing key: not an RSA public key");
}

/** Returns if `signature` holds; raises `Unverified`, or `Malformed` for a key that is nobody's. */
export async function verifySignature(key: SigningKey, signature: Bytes, message: Bytes): Promise<void> {
  const verifier = await verifierOf(key.x);
  if (!(await crypto.subtle.verify("Ed25519", verifier, signature, message))) {
    throw new Unverified("the Ed25519 signature does not hold");
  }
}

const verifierOf = memo(importSigning);

async function importSigning(x: string): Promise<CryptoKey> {
  const raw = unb64urlHash(x, "signing key");
  if (SMALL_ORDER.has(ordinateOf(raw))) {
    throw new Malformed("signing key: an Ed25519 key of small order, which is nobody's");
  }
  const imported = crypto.subtle.importKey("raw", raw, "Ed25519", false, ["verify"]);
  return await orMalformed(imported, "signing key: not an Ed25519 public key");
}

async function orMalformed<T>(imported: Promise<T>, message: string): Promise<T> {
  try {
    return await imported;
  } catch (error) {
    // Anything else (no Ed25519 in this browser, say) is no fault of the key.
    if (error instanceof DOMException && error.name === "DataError")
      throw new Malformed(message, { cause: error });
    throw error;
  }
}

/** The 32 bytes without the sign of x, in hex. */
function ordinateOf(raw: Bytes): string {
  const y = raw.slice();
  y[31] = (y[31] ?? 0) & 0x7f;
  return hex(y);
}

/** The y of the points of order 1, 2, 4 and 8, in every spelling: with such a key anybody's signature may hold. */
const SMALL_ORDER: ReadonlySet<string> = new Set([
  `00${"00".repeat(31)}`,
  `01${"00".repeat(31)}`,
  `ec${"ff".repeat(30)}7f`,
  `ed${"ff".repeat(30)}7f`,
  `ee${"ff".repeat(30)}7f`,
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
]);
