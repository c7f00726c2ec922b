import { beforeAll, describe, expect, test, vi } from "vitest";
import { type Bytes, b64url, canonical, fromUtf8, hex, unb64url, utf8 } from "../../src/proto/encoding";
import { Malformed } from "../../src/proto/errors";
import {
  accountId,
  type SealingKey,
  type SigningKey,
  sealingThumbprint,
  signingThumbprint,
  verifySignature,
} from "../../src/proto/identity";
import { generateKeys, type Keys, readKeyFile, signerOf } from "../../src/proto/keyfile";
import { NAMES, type Name, PUBLISHED, person, vectors } from "./people";

interface Rfc {
  ed25519: { source: string; d: string; x: string; signed: string; signature: string }[];
  rsa_private_keys: { source: string; jwk: Record<string, string> & { n: string } }[];
}

const RFC = vectors<Rfc>("rfc");
const ALICE = PUBLISHED.accounts.alice;
const BOB = PUBLISHED.accounts.bob;

type Jwk = Record<string, unknown>;

function keyFile(signing: Jwk, sealing: Jwk, more: Jwk = {}): Bytes {
  return utf8(canonical({ account: ALICE.account, keys: [signing, sealing], ...more }));
}

function withoutMember(jwk: Jwk, name: string): Jwk {
  return { ...jwk, [name]: undefined };
}

function numberOf(encoded: string | undefined): bigint {
  return BigInt(`0x${hex(unb64url(encoded ?? ""))}`);
}

function encoded(number: bigint): string {
  const digits = number.toString(16);
  const pairs = (digits.length % 2 ? `0${digits}` : digits).match(/../g) ?? [];
  return b64url(Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16)));
}

async function messageOf(file: Bytes): Promise<string> {
  return readKeyFile(file).then(
    () => "it was read",
    (error: unknown) => {
      expect(error).toBeInstanceOf(Malformed);
      return String(error);
    },
  );
}

describe("the test accounts' key files, which Python wrote", () => {
  test.each(NAMES)("their public halves have the known thumbprints: %s", async (name) => {
    const known = vectors<{ name: Name; account: string; signing: string; sealing: string }[]>("thumbprints");
    const { account, signing, sealing } = await person(name);

    expect(known).toContainEqual({ name, account, signing: signing.kid, sealing: sealing.kid });
    expect(signingThumbprint(signing.public)).toBe(signing.kid);
    expect(sealingThumbprint(sealing.public)).toBe(sealing.kid);
  });

  test("the private halves do one thing each, and cannot be read out", async () => {
    const { signing, sealing } = await person("alice");

    expect(signing.private).toMatchObject({ type: "private", extractable: false, usages: ["sign"] });
    expect(sealing.private).toMatchObject({ type: "private", extractable: false, usages: ["decrypt"] });
  });
});

describe("what the RFCs print", () => {
  test.each(RFC.ed25519)("a signing key makes the published signature: $source", async (published) => {
    const key: SigningKey = { crv: "Ed25519", kty: "OKP", x: published.x };
    const jwk = { ...key, alg: "Ed25519", d: published.d, kid: signingThumbprint(key), use: "sig" };

    const sign = signerOf(await readKeyFile(keyFile(jwk, ALICE.keys[1])));

    expect(b64url(await sign(utf8(published.signed)))).toBe(published.signature);
  });

  test.each(RFC.rsa_private_keys)("a sealing key's published numbers are taken: $source", async ({ jwk }) => {
    const key: SealingKey = { e: "AQAB", kty: "RSA", n: jwk.n };
    const kid = sealingThumbprint(key);

    const keys = await readKeyFile(
      keyFile(ALICE.keys[0], { ...jwk, ...key, alg: "RSA-OAEP-256", kid, use: "enc" }),
    );

    expect(keys.sealing).toMatchObject({ public: key, kid });
  });
});

describe("new keys", () => {
  let made: { file: Bytes; keys: Keys };

  beforeAll(async () => {
    made = await generateKeys();
  });

  test("begin a new account", () => {
    expect(made.keys.account).toBe(accountId(made.keys.signing.public));
  });

  test("have the sizes that we make", () => {
    expect(unb64url(made.keys.sealing.public.n)).toHaveLength(3072 / 8);
    expect(made.keys.sealing.private.algorithm).toMatchObject({
      publicExponent: Uint8Array.of(1, 0, 1),
      hash: { name: "SHA-256" },
    });
  });

  test("cannot be read out", async () => {
    for (const { private: key } of [made.keys.signing, made.keys.sealing]) {
      await expect(crypto.subtle.exportKey("jwk", key)).rejects.toThrow("not extractable");
    }
  });

  test("come back out of their file", async () => {
    const again = await readKeyFile(made.file);

    expect(again).toMatchObject({
      account: made.keys.account,
      signing: { public: made.keys.signing.public, kid: made.keys.signing.kid },
      sealing: { public: made.keys.sealing.public, kid: made.keys.sealing.kid },
    });
    const message = utf8("hello");
    await expect(
      verifySignature(made.keys.signing.public, await signerOf(again)(message), message),
    ).resolves.toBeUndefined();
  });

  test("are written as Python writes them", () => {
    const { account, keys } = JSON.parse(fromUtf8(made.file));

    expect(account).toBe(made.keys.account);
    expect(keys.map(Object.keys)).toEqual(ALICE.keys.map(Object.keys));
  });

  test("are other ones each time", async () => {
    expect((await generateKeys()).keys.account).not.toBe(made.keys.account);
  });
});

test("the account is the file's, since the keys may be later ones", async () => {
  const keys = await readKeyFile(keyFile(BOB.keys[0], BOB.keys[1]));

  expect(keys.account).toBe(ALICE.account);
});

describe("what is no key file", () => {
  const [signing, sealing] = ALICE.keys;
  const good = fromUtf8(keyFile(signing, sealing));

  test("the file that the bad ones are made from is read", async () => {
    expect(await messageOf(utf8(good))).toBe("it was read");
  });

  test.each(["alg", "crv", "d", "kid", "kty", "use", "x"])("signing key without %s", async (name) => {
    expect(await messageOf(keyFile(withoutMember(signing, name), sealing))).toMatch(`.${name}: is missing`);
  });

  test.each(Object.keys(sealing))("sealing key without %s", async (name) => {
    expect(await messageOf(keyFile(signing, withoutMember(sealing, name)))).toMatch(`.${name}: is missing`);
  });

  test.each(["d", "dp", "dq", "p", "q", "qi"])("sealing key with another %s", async (name) => {
    const bad = { ...sealing, [name]: encoded(numberOf(sealing[name]) - 2n) };

    expect(await messageOf(keyFile(signing, bad))).toMatch("sealing key: its members are not of one key");
  });

  const [d, p, q] = [numberOf(sealing.d), numberOf(sealing.p), numberOf(sealing.q)];
  const { n, kid } = sealing;

  test.each<[string, Jwk]>([
    ["those of another key", { ...BOB.keys[1], n, kid }],
    ["a d that is right for q alone", { ...sealing, d: encoded(d + q - 1n) }],
    ["a d that is right for p alone", { ...sealing, d: encoded(d + p - 1n) }],
    [
      "a d that is right for q alone, and dp as well",
      { ...sealing, d: encoded(d + q - 1n), dp: encoded((d + q - 1n) % (p - 1n)) },
    ],
    [
      "a d that is right for p alone, and dq as well",
      { ...sealing, d: encoded(d + p - 1n), dq: encoded((d + p - 1n) % (q - 1n)) },
    ],
    ["a p of one", { ...sealing, p: encoded(1n), q: n }],
    ["a q of one", { ...sealing, p: n, q: encoded(1n) }],
    ["a qi that is too large", { ...sealing, qi: encoded(numberOf(sealing.qi) + p) }],
  ])("sealing key with numbers that do not go together: %s", async (_, bad) => {
    expect(await messageOf(keyFile(signing, bad))).toMatch("sealing key: its members are not of one key");
  });

  test.each<[string, Bytes, string | RegExp]>([
    ["another's seed", keyFile({ ...signing, d: BOB.keys[0].d }, sealing), /not of one key|none, or of two/],
    ["another's public half", keyFile({ ...signing, x: BOB.keys[0].x }, sealing), "want the thumbprint"],
    ["another's sealing kid", keyFile(signing, { ...sealing, kid: BOB.keys[1].kid }), "want the thumbprint"],
    ["another's modulus", keyFile(signing, { ...sealing, n: BOB.keys[1].n }), "want the thumbprint"],
    ["a key of 1024 bits", keyFile(signing, PUBLISHED.weak), "2048 to 8192 bits"],
    ["p and q the wrong way round", keyFile(signing, { ...sealing, p: sealing.q, q: sealing.p }), "one key"],
    [
      "a zero before a number",
      keyFile(signing, { ...sealing, d: b64url(Uint8Array.of(0, ...unb64url(sealing.d ?? ""))) }),
      "d: want a number without zeros before it",
    ],
    ["a seed of 31 bytes", keyFile({ ...signing, d: b64url(new Uint8Array(31)) }, sealing), "31"],
    ["another algorithm", keyFile(signing, { ...sealing, alg: "RSA-OAEP" }), "want RSA-OAEP-256"],
    ["another exponent", keyFile(signing, { ...sealing, e: "Aw" }), "want AQAB"],
    ["a member more", keyFile({ ...signing, ext: true }, sealing), "unknown member"],
    ["the keys in another order", keyFile(sealing, signing), "unknown member"],
    ["a third key", keyFile(signing, sealing, { keys: [signing, sealing, signing] }), "want 2 to 2"],
    ["no account", keyFile(signing, sealing, { account: undefined }), "account: is missing"],
    ["an account that is none", keyFile(signing, sealing, { account: "alice" }), "account: want text"],
    ["not canonical", utf8(good.replace(":", ": ")), "not in canonical form"],
    ["a byte order mark", utf8(`\ufeff${good}`), "not JSON"],
    ["cut", utf8(good.slice(0, -1)), "not JSON"],
    ["not UTF-8", Uint8Array.of(0xff), "not UTF-8"],
    ["empty", new Uint8Array(), "not JSON"],
  ])("%s", async (_, file, message) => {
    expect(await messageOf(file)).toMatch(message);
  });

  test("another's seed, where the engine does not compare the halves", async () => {
    const bob = await person("bob");
    const careless = vi.spyOn(crypto.subtle, "importKey").mockResolvedValueOnce(bob.signing.private);

    expect(await messageOf(keyFile(signing, sealing))).toMatch("signing key: its members are not of one key");
    careless.mockRestore();
  });

  test("an error does not repeat what is in the file", async () => {
    const secrets = [signing.d, sealing.d, sealing.p, sealing.q];
    const message = await messageOf(keyFile({ ...signing, d: `${signing.d}A` }, sealing));

    for (const secret of secrets) expect(message).not.toContain(secret?.slice(0, 8));
  });
});
