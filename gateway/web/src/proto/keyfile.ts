/**
 * The private keys of an account: they sign and open, and never show themselves.
 *
 * They are made where they can be read once, written as the key file of `device/identity.py`, which goes into
 * the wrapped backup and nowhere else, and used from then on as keys that WebCrypto does not give out.
 */

import {
  type Bytes,
  canonical,
  fromUtf8,
  hex,
  readCanonical,
  unb64url,
  unb64urlHash,
  utf8,
} from "./encoding";
import { Malformed } from "./errors";
import {
  accountId,
  accountIdShape,
  readSealingKey,
  readSigningKey,
  type SealingKey,
  type SigningKey,
  sealingThumbprint,
  signingThumbprint,
  thumbprintShape,
  verifySignature,
} from "./identity";
import { list, literal, mapped, type Of, type Shape, strict, text } from "./shape";

const RSA = { name: "RSA-OAEP", hash: "SHA-256" };
const NEW_RSA_BITS = 3072;
const EXPONENT = 65_537n;

/** `private` signs, or opens, and cannot be read out. */
export interface KeyPair<Public> {
  public: Public;
  kid: string;
  private: CryptoKey;
}

/** `account` is the id of the account's *first* signing key, which after a rotation is not this one. */
export interface Keys {
  account: string;
  signing: KeyPair<SigningKey>;
  sealing: KeyPair<SealingKey>;
}

const signingShape = strict({
  alg: literal("Ed25519"),
  crv: literal("Ed25519"),
  d: mapped(text(), (d, what) => {
    unb64urlHash(d, what);
    return d;
  }),
  kid: thumbprintShape,
  kty: literal("OKP"),
  use: literal("sig"),
  x: text(),
});

/** Base64urlUInt: big-endian, no leading zero byte (RFC 7518 section 2). */
const numberShape: Shape<string> = mapped(text(), (encoded, what) => {
  const [first = 0] = unb64url(encoded, what);
  if (first === 0) throw new Malformed(`${what}: want a number without zeros before it`);
  return encoded;
});

const sealingShape = strict({
  alg: literal("RSA-OAEP-256"),
  d: numberShape,
  dp: numberShape,
  dq: numberShape,
  e: literal("AQAB"),
  kid: thumbprintShape,
  kty: literal("RSA"),
  n: numberShape,
  p: numberShape,
  q: numberShape,
  qi: numberShape,
  use: literal("enc"),
});

const fileShape = strict({
  account: accountIdShape,
  keys: mapped(
    list((jwk: unknown) => jwk, 2, 2),
    ([signing, sealing], what) => ({
      signing: signingShape(signing, `${what}[0]`),
      sealing: sealingShape(sealing, `${what}[1]`),
    }),
  ),
});

/**
 * New keys, of a new account. `file` is the canonical key file: the caller wraps it, and then overwrites it
 * (`fill(0)`). Takes from a tenth of a second to some seconds, by luck.
 */
export async function generateKeys(): Promise<{ file: Bytes; keys: Keys }> {
  const file = utf8(canonical(await newDocument()));
  return { file, keys: await readKeyFile(file) };
}

async function newDocument(): Promise<unknown> {
  const shape = { ...RSA, modulusLength: NEW_RSA_BITS, publicExponent: Uint8Array.of(1, 0, 1) };
  const pairs = await Promise.all([
    crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]),
    crypto.subtle.generateKey(shape, true, ["encrypt", "decrypt"]),
  ]);
  const [signing, sealing] = await Promise.all(
    pairs.map((pair) => crypto.subtle.exportKey("jwk", pair.privateKey)),
  );
  const { crv, x, d: seed } = signing ?? {};
  const { e, n, d, p, q, dp, dq, qi } = sealing ?? {};
  const sign = readSigningKey({ crv, kty: "OKP", x }, "new signing key");
  const seal = readSealingKey({ e, kty: "RSA", n }, "new sealing key");
  return {
    account: accountId(sign),
    keys: [
      { ...sign, alg: "Ed25519", d: seed, kid: signingThumbprint(sign), use: "sig" },
      { ...seal, alg: "RSA-OAEP-256", d, dp, dq, kid: sealingThumbprint(seal), p, q, qi, use: "enc" },
    ],
  };
}

/**
 * The keys of a key file, as keys that cannot be read out. `Malformed` for anything that `generateKeys`, or a
 * device, would not have written. The caller overwrites `file` afterwards; the texts that it was parsed into
 * are the engine's, and go when it collects them.
 */
export async function readKeyFile(file: Bytes): Promise<Keys> {
  const { account, keys } = fileShape(readCanonical(fromUtf8(file), "key file"), "key file");
  return { account, signing: await signingPair(keys.signing), sealing: await sealingPair(keys.sealing) };
}

/** Signs a message: 64 bytes of RFC 8032. */
export function signerOf(keys: Keys): (message: Bytes) => Promise<Bytes> {
  return async (message) =>
    new Uint8Array(await crypto.subtle.sign("Ed25519", keys.signing.private, message));
}

async function signingPair(jwk: Of<typeof signingShape>): Promise<KeyPair<SigningKey>> {
  const { crv, kty, x, d } = jwk;
  const key = readSigningKey({ crv, kty, x }, "signing key");
  checkKid(jwk.kid, signingThumbprint(key));
  const secret = await imported({ crv, kty, x, d }, { name: "Ed25519" }, "sign");
  // WebCrypto leaves open whether an engine compares the halves. Nothing else is ever signed of no bytes.
  const nothing = new Uint8Array();
  const signature = new Uint8Array(await crypto.subtle.sign("Ed25519", secret, nothing));
  await verifySignature(key, signature, nothing).catch(() => {
    throw new Malformed("signing key: its members are not of one key");
  });
  return { public: key, kid: jwk.kid, private: secret };
}

async function sealingPair(jwk: Of<typeof sealingShape>): Promise<KeyPair<SealingKey>> {
  const { e, kty, n, d, p, q, dp, dq, qi } = jwk;
  const key = readSealingKey({ e, kty, n }, "sealing key");
  checkKid(jwk.kid, sealingThumbprint(key));
  checkNumbers(jwk);
  const secret = await imported({ e, kty, n, d, p, q, dp, dq, qi }, RSA, "decrypt");
  return { public: key, kid: jwk.kid, private: secret };
}

function checkKid(said: string, kid: string): void {
  if (said !== kid) throw new Malformed(`key file: want the thumbprint ${kid} as kid, got ${said}`);
}

/** RFC 8017 section 3.2: an engine may use any of the numbers, so that all of them have to be of one key. */
function checkNumbers(jwk: Of<typeof sealingShape>): void {
  const [n, d, p, q] = [numberOf(jwk.n), numberOf(jwk.d), numberOf(jwk.p), numberOf(jwk.q)];
  const [dp, dq, qi] = [numberOf(jwk.dp), numberOf(jwk.dq), numberOf(jwk.qi)];
  const holds =
    p > 1n &&
    q > 1n &&
    p * q === n &&
    dp === d % (p - 1n) &&
    dq === d % (q - 1n) &&
    (EXPONENT * dp) % (p - 1n) === 1n &&
    (EXPONENT * dq) % (q - 1n) === 1n &&
    qi < p &&
    (qi * q) % p === 1n;
  if (!holds) throw new Malformed("sealing key: its members are not of one key");
}

function numberOf(encoded: string): bigint {
  return BigInt(`0x${hex(unb64url(encoded))}`);
}

async function imported(
  jwk: JsonWebKey,
  algorithm: { name: string },
  usage: "sign" | "decrypt",
): Promise<CryptoKey> {
  try {
    return await crypto.subtle.importKey("jwk", jwk, algorithm, false, [usage]);
  } catch {
    // Without its cause, which may say what is in the key.
    throw new Malformed(`key file: its ${algorithm.name} key is none, or of two`);
  }
}
