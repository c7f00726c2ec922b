import { expect, test } from "vitest";
import { b64url, unbase32 } from "../../src/proto/encoding";
import { type SafetyParty, safetyDigest, safetyQr, safetyWords } from "../../src/proto/safety";
import { vectors } from "./people";

const CASES = vectors<{ name: string; one: SafetyParty; other: SafetyParty; digest: string }[]>("safety");

test.each(CASES)("the code is the known one, on both sides: $name", ({ one, other, digest }) => {
  expect(b64url(safetyDigest(one, other))).toBe(digest);
  expect(b64url(safetyDigest(other, one))).toBe(digest);
});

test("another key, or another person, is another code", () => {
  const pairs = CASES.map(({ one, other }) => [one, other].map(({ account, kid }) => account + kid).sort());

  expect(new Set(CASES.map(({ digest }) => digest)).size).toBe(new Set(pairs.map(String)).size);
});

/** From the test vectors of BIP39. */
const PUBLISHED: [number, string][] = [
  [0x00, `${"abandon ".repeat(11)}about`],
  [0x7f, "legal winner thank year wave sausage worth useful legal winner thank yellow"],
  [0x80, "letter advice cage absurd amount doctor acoustic avoid letter advice cage above"],
  [0xff, `${"zoo ".repeat(11)}wrong`],
];

test.each(PUBLISHED)("bytes of %i are the published words", async (byte, words) => {
  expect(await safetyWords(new Uint8Array(16).fill(byte))).toEqual(words.split(" "));
});

test("the QR code says the digest", () => {
  const digest = Uint8Array.from({ length: 16 }, (_, i) => i);

  const [scheme, said = ""] = safetyQr(digest).split(":");

  expect(scheme).toBe("blockpost-safety");
  expect(unbase32(said)).toEqual(digest);
});
