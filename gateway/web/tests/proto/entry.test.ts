import { expect, test } from "vitest";
import { b64url, canonical, unb64url } from "../../src/proto/encoding";
import {
  bodyOf,
  type Draft,
  MAX_LEAF_BYTES,
  newEntryId,
  newStream,
  parseEntry,
  type Says,
  writeEntry,
} from "../../src/proto/entry";
import { Malformed, ProtoError, Unverified } from "../../src/proto/errors";
import type { SigningKey } from "../../src/proto/identity";
import * as jws from "../../src/proto/jws";
import { signerOf } from "../../src/proto/keyfile";
import { Dice } from "./dice";
import { outcomeOf } from "./outcome";
import { person, vectors } from "./people";

interface Case {
  name: string;
  leaf: string;
  key: string;
  kid?: string;
  says?: Record<string, unknown>;
  refused?: "reading" | "verifying";
}

const cases = vectors<Case[]>("entries");
const holding = cases.filter((each) => !each.refused);
const keyOf = (x: string): SigningKey => ({ crv: "Ed25519", kty: "OKP", x });

test.each(holding)("reads and verifies: $name", async ({ leaf, key, kid, says }) => {
  const signed = parseEntry(leaf);
  await signed.verify(keyOf(key));

  expect({ ...signed, verify: undefined }).toEqual({ leaf, kid, entry: says, verify: undefined });
});

test.each(cases.filter((each) => each.refused === "reading"))("does not read: $name", ({ leaf }) => {
  expect(() => parseEntry(leaf)).toThrow(Malformed);
});

test.each(cases.filter((each) => each.refused === "verifying"))(
  "does not verify: $name",
  async ({ leaf, key }) => {
    await expect(parseEntry(leaf).verify(keyOf(key))).rejects.toThrow(ProtoError);
  },
);

test("an entry knows the body it binds", () => {
  expect(holding.map(({ leaf }) => bodyOf(parseEntry(leaf).entry))).toEqual(
    holding.map(({ says }) => says?.body),
  );
});

test("whatever comes is an entry or is malformed", () => {
  const dice = new Dice("entries");
  const leaf = holding[0]?.leaf ?? "";
  const [header = "", payload = "", signature = ""] = leaf.split(".");
  const texts = Array.from({ length: 500 }, () => [
    dice.damageText(leaf),
    // Where base64url alone finds nothing.
    `${header}.${b64url(dice.damage(unb64url(payload)))}.${signature}`,
  ]).flat();

  const outcomes = new Set(texts.map((text) => outcomeOf(() => parseEntry(text).leaf)));

  // Another letter in the signature is still an entry, with its own text; the rest is none.
  expect([...outcomes].filter((each) => !texts.includes(each))).toEqual(["Malformed"]);
  expect(outcomes.size).toBeGreaterThan(1);
});

// Writing

const alice = await person("alice");
const bob = await person("bob");
const sign = signerOf(alice);

const NOTHING: Says = { type: "shift", party: `g-${"a".repeat(26)}`, begins: 0, ends: 1 };

function draft(says: Says): Draft {
  return {
    says,
    origin: "ward7.example/abc123",
    author: alice.account,
    stream: newStream(),
    seq: 1,
    at: 1_763_000_000_000,
    clock: "synced",
    seen: { root: "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU", size: 0 },
    id: newEntryId(1_763_000_000_000),
  };
}

test("what was written reads back, and verifies", async () => {
  const what = draft({ type: "status", about: newEntryId(0), state: "taken" });
  const leaf = await writeEntry(what, alice.signing.kid, sign);
  const signed = parseEntry(leaf);
  await signed.verify(alice.signing.public);

  const { says, origin, ...stands } = what;
  expect(signed.entry).toEqual({ ...says, ...stands, v: 1, chain: origin });
  expect(signed.kid).toBe(alice.signing.kid);
});

test("an entry that says otherwise than its key's name does not verify", async () => {
  const leaf = await writeEntry(draft(NOTHING), bob.signing.kid, sign);

  await expect(parseEntry(leaf).verify(alice.signing.public)).rejects.toThrow(Unverified);
  await expect(parseEntry(leaf).verify(bob.signing.public)).rejects.toThrow(Unverified);
});

test.each<[string, Says]>([
  ["a group of nobody known", { type: "group", group: "g-", members: [] }],
  [
    "members that are not sorted",
    { type: "group", group: `g-${"a".repeat(26)}`, members: ["b", "a"].map((c) => c.repeat(26)) },
  ],
  ["a fraction", { ...NOTHING, begins: 0.5 }],
])("what nobody could read is not written: %s", async (_, says) => {
  await expect(writeEntry(draft(says), alice.signing.kid, sign)).rejects.toThrow(Malformed);
});

test("an overlong leaf is refused before it is read", () => {
  expect(() => parseEntry(".".repeat(MAX_LEAF_BYTES + 1))).toThrow("at most 65535 bytes");
});

test("one kind of statement does not pass for another", async () => {
  const token = await jws.sign("blockpost-token+jwt", alice.signing.kid, "{}", sign);

  expect(jws.parse(token, "blockpost-token+jwt").payload).toBe("{}");
  expect(() => jws.parse(token, "blockpost-refusal")).toThrow("want typ blockpost-refusal");
});

// Ids

test("the published example of a UUIDv7 is what its time and noise make", () => {
  // RFC 9562 appendix A.6: rand_a 0xcc3, rand_b 0x18c4dc0c0c07398f, from 80 bits of noise.
  const noise = (0xcc3n << 68n) | 0x18c4dc0c0c07398fn;
  const random = () =>
    Uint8Array.from(noise.toString(16).padStart(20, "0").match(/../g) ?? [], (two) =>
      Number.parseInt(two, 16),
    );

  expect(newEntryId(0x017f22e279b0, random)).toBe("017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
});

test("ids of later times sort later, and no two are alike", () => {
  const ids = Array.from({ length: 100 }, (_, i) => newEntryId(i * 1000));

  expect(ids.toSorted()).toEqual(ids);
  expect(new Set([...ids, newEntryId(0), newEntryId(0)]).size).toBe(102);
});

test("a stream is 16 bytes", () => {
  expect(unb64url(newStream())).toHaveLength(16);
});

test.each(holding)("spells it as Python does: $name", ({ leaf, says }) => {
  expect(jws.parse(leaf, "blockpost-entry").payload).toBe(canonical(says));
});
