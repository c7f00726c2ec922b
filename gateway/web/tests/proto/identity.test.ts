import { expect, test } from "vitest";
import { b64url, unb64url, utf8 } from "../../src/proto/encoding";
import { Malformed, ProtoError, Unverified } from "../../src/proto/errors";
import {
  accountId,
  importSealing,
  readSealingKey,
  readSigningKey,
  sealingThumbprint,
  signingThumbprint,
  verifySignature,
} from "../../src/proto/identity";
import { signerOf } from "../../src/proto/keyfile";
import { Dice } from "./dice";
import { type Name, PUBLISHED, person, vectors } from "./people";

const alice = await person("alice");
const bob = await person("bob");
const SAID = utf8("Bed 4");
const SIGNATURE = await signerOf(alice)(SAID);

test.each(vectors<{ name: Name; account: string; signing: string; sealing: string }[]>("thumbprints"))(
  "id and thumbprints are those that Python made: $name",
  async ({ name, account, signing, sealing }) => {
    const keys = await person(name);

    expect(accountId(keys.signing.public)).toBe(account);
    expect(signingThumbprint(keys.signing.public)).toBe(signing);
    expect(sealingThumbprint(keys.sealing.public)).toBe(sealing);
  },
);

test("a thumbprint is of the members that RFC 7638 hashes, and of no others", () => {
  const spoken = { ...alice.signing.public, kid: "a name", use: "sig" };

  expect(signingThumbprint(spoken)).toBe(alice.signing.kid);
  expect(() => readSigningKey(spoken, "key")).toThrow('key: unknown member "kid"');
});

test("a public key reads back", () => {
  expect(readSigningKey({ ...alice.signing.public }, "key")).toEqual(alice.signing.public);
  expect(readSealingKey({ ...alice.sealing.public }, "key")).toEqual(alice.sealing.public);
});

const { n } = alice.sealing.public;
const modulus = unb64url(n);

function bits(count: number): string {
  const bytes = new Uint8Array(Math.ceil(count / 8)).fill(0xff);
  bytes[0] = 0xff >> (-count & 7);
  return b64url(bytes);
}

test.each<[string, string]>([
  ["a weak one", PUBLISHED.weak.n ?? ""],
  ["2047 bits", bits(2047)],
  ["8193 bits", bits(8193)],
  ["an even one", b64url(Uint8Array.from([...modulus.subarray(0, -1), 2]))],
  ["a leading zero", b64url(Uint8Array.from([0, ...modulus]))],
  ["nothing", ""],
  ["padding", `${n}=`],
])("a sealing key has 2048 to 8192 bits, in its shortest form: %s", (_, wrong) => {
  expect(() => readSealingKey({ e: "AQAB", kty: "RSA", n: wrong }, "key")).toThrow(Malformed);
});

test.each([2048, 3071, 8192])("a sealing key may have %i bits", (count) => {
  expect(readSealingKey({ e: "AQAB", kty: "RSA", n: bits(count) }, "key").n).toBe(bits(count));
});

test("what is sealed for the public key, the private one opens", async () => {
  const sealed = await crypto.subtle.encrypt("RSA-OAEP", await importSealing(bob.sealing.public), SAID);

  expect(new Uint8Array(await crypto.subtle.decrypt("RSA-OAEP", bob.sealing.private, sealed))).toEqual(SAID);
});

test("a signature holds for its key and its message", async () => {
  await expect(verifySignature(alice.signing.public, SIGNATURE, SAID)).resolves.toBeUndefined();
  await expect(verifySignature(alice.signing.public, SIGNATURE, utf8("Bed 5"))).rejects.toThrow(Unverified);
  await expect(verifySignature(bob.signing.public, SIGNATURE, SAID)).rejects.toThrow(Unverified);
  await expect(verifySignature(alice.signing.public, SIGNATURE.slice(1), SAID)).rejects.toThrow(Unverified);
});

test("no signature with a flipped bit holds", async () => {
  for (let bit = 0; bit < SIGNATURE.length * 8; bit += 5) {
    const flipped = SIGNATURE.slice();
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    await expect(verifySignature(alice.signing.public, flipped, SAID)).rejects.toThrow(Unverified);
  }
});

test("any 32 bytes are a key of somebody else, or of nobody", async () => {
  const dice = new Dice("keys");
  for (let i = 0; i < 60; i++) {
    const key = { crv: "Ed25519", kty: "OKP", x: b64url(dice.bytes(32)) } as const;
    await expect(verifySignature(key, SIGNATURE, SAID)).rejects.toThrow(ProtoError);
  }
});

// The key is the neutral point, under which this holds for every message; entries.json has the others.
test.each([`01${"00".repeat(31)}`, `01${"00".repeat(30)}80`, `ee${"ff".repeat(30)}7f`])(
  "a key of small order is refused, although its signature would hold: %s",
  async (hex) => {
    const x = b64url(Buffer.from(hex, "hex"));
    const signature = Uint8Array.from({ length: 64 }, (_, i) => (i === 0 ? 1 : 0));

    await expect(verifySignature({ crv: "Ed25519", kty: "OKP", x }, signature, SAID)).rejects.toThrow(
      "small order",
    );
  },
);

test("a key of another length is malformed", async () => {
  const x = b64url(new Uint8Array(31));

  await expect(verifySignature({ crv: "Ed25519", kty: "OKP", x }, SIGNATURE, SAID)).rejects.toThrow(
    Malformed,
  );
});
