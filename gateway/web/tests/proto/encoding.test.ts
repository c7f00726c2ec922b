import { expect, test } from "vitest";
import {
  b64url,
  base32,
  base64,
  canonical,
  concat,
  equal,
  fromUtf8,
  hex,
  hkdf256,
  hmac256,
  readCanonical,
  sha256,
  unb64url,
  unb64urlHash,
  unbase32,
  unbase64,
  utf8,
} from "../../src/proto/encoding";
import { Malformed } from "../../src/proto/errors";
import { Dice } from "./dice";
import { outcomeOf } from "./outcome";
import { vectors } from "./people";

const ASCII = utf8("foobar");

// RFC 4648 section 10, without padding and in our case.
test.each<[string, (bytes: Uint8Array) => string, (text: string) => Uint8Array, string[]]>([
  ["base64url", b64url, unb64url, ["", "Zg", "Zm8", "Zm9v", "Zm9vYg", "Zm9vYmE", "Zm9vYmFy"]],
  ["base64", base64, unbase64, ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"]],
  ["base32", base32, unbase32, ["", "my", "mzxq", "mzxw6", "mzxw6yq", "mzxw6ytb", "mzxw6ytboi"]],
])("%s writes and reads the published examples", (_, write, read, texts) => {
  expect(texts.map((_, length) => write(ASCII.subarray(0, length)))).toEqual(texts);
  expect(texts.map((text) => hex(read(text)))).toEqual(
    texts.map((_, length) => hex(ASCII.subarray(0, length))),
  );
});

test.each<[string, (text: string) => Uint8Array, string[]]>([
  [
    "base64url",
    unb64url,
    ["Z", "Zh", "Zm9", "Zg==", "Zm+v", "Zm/v", "Zm 9v", "Zm9v\n", "\u00e9", "Zm9\u{1d7d0}"],
  ],
  [
    "base64",
    unbase64,
    ["Zg", "Zg=", "Zg===", "=", "====", "A===", "Zh==", "Zm9=", "Zm-v", "Zm9v\n", "Zg==Zg=="],
  ],
  ["base32", unbase32, ["m", "mz", "mzx", "mzxw6y", "MY", "my======", "m1", "m8", "my "]],
])("%s has one spelling", (_, read, texts) => {
  for (const text of texts) expect(() => read(text), text).toThrow(Malformed);
});

test("any bytes come back from every alphabet, and any text is one or malformed", () => {
  const dice = new Dice("alphabets");
  for (let i = 0; i < 300; i++) {
    const data = dice.bytes(dice.below(80));
    for (const [write, read] of [
      [b64url, unb64url],
      [base64, unbase64],
      [base32, unbase32],
    ] as const) {
      const text = write(data);
      expect(equal(read(text), data)).toBe(true);
      const damaged = text && dice.damageText(text);
      expect(["Malformed", damaged]).toContain(outcomeOf(() => write(read(damaged))));
    }
  }
});

test("base64 is what the platform makes of it", () => {
  const data = new Dice("platform").bytes(4096);

  expect(base64(data)).toBe(Buffer.from(data).toString("base64"));
  expect(b64url(data)).toBe(Buffer.from(data).toString("base64url"));
});

test("a hash has 32 bytes", () => {
  expect(unb64urlHash("A".repeat(43), "root")).toEqual(new Uint8Array(32));
  expect(() => unb64urlHash("A".repeat(42), "root")).toThrow("root: want 32 bytes, got 31");
});

test("text is Unicode, and bytes are UTF-8", () => {
  expect(utf8("\u{1f321}")).toEqual(Uint8Array.of(0xf0, 0x9f, 0x8c, 0xa1));
  expect(fromUtf8(utf8("\ufeff{}"))).toBe("\ufeff{}");
  expect(() => utf8("a\ud800")).toThrow(Malformed);
  expect(() => utf8("\udfffa")).toThrow(Malformed);
  for (const bytes of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf0, 0x9f, 0x8c]]) {
    expect(() => fromUtf8(Uint8Array.from(bytes))).toThrow(Malformed);
  }
});

test("bytes are compared whole", () => {
  const one = Uint8Array.of(1, 2, 3);

  expect(equal(one, Uint8Array.of(1, 2, 3))).toBe(true);
  expect(equal(one, Uint8Array.of(1, 2, 4))).toBe(false);
  expect(equal(one, Uint8Array.of(1, 2))).toBe(false);
  expect(concat(one, one.subarray(1))).toEqual(Uint8Array.of(1, 2, 3, 2, 3));
});

// Hashes

test("SHA-256 is of all parts together", () => {
  expect(hex(sha256())).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  expect(sha256(utf8("foo"), utf8("bar"))).toEqual(sha256(ASCII));
});

test("HMAC-SHA256 is that of RFC 4231", () => {
  const tag = hmac256(utf8("Jefe"), utf8("what do ya want for nothing?"));

  expect(hex(tag)).toBe("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
});

test.each(vectors<{ name: string; fk: string; content: string; commitment: string }[]>("commitments"))(
  "a commitment is the one that Python made: $name",
  ({ fk, content, commitment }) => {
    expect(b64url(hmac256(unb64url(fk), utf8(content)))).toBe(commitment);
  },
);

test("HKDF without a salt is that of the platform", async () => {
  const master = new Dice("master").bytes(32);
  const key = await crypto.subtle.importKey("raw", master, "HKDF", false, ["deriveBits"]);
  const how = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: utf8("blockpost/auth") };

  expect(hkdf256(master, "blockpost/auth")).toEqual(
    new Uint8Array(await crypto.subtle.deriveBits(how, key, 256)),
  );
});

// JSON

test("canonical JSON is sorted, without white space, and leaves out what is undefined", () => {
  const value = { b: [1, null, true, '\u20ac\u2028"\\\n'], a: { d: undefined, c: -0 }, B: {}, "": [] };

  expect(canonical(value)).toBe('{"":[],"B":{},"a":{"c":0},"b":[1,null,true,"\u20ac\u2028\\"\\\\\\n"]}');
});

test.each<[string, unknown]>([
  ["a fraction", 0.5],
  ["a number beyond the exact ones", 2 ** 53],
  ["no number", Number.NaN],
  ["infinity", Number.POSITIVE_INFINITY],
  ["nothing", undefined],
  ["a hole in a list", new Array(1)],
  ["a function", () => 0],
  ["a large integer", 1n],
  ["bytes", new Uint8Array(1)],
  ["a date", new Date(0)],
  ["a map", new Map()],
  ["half a surrogate pair", "\ud800"],
  ["a member name that is not ASCII", { "\u00e9": 1 }],
  ["a deep list", JSON.parse("[".repeat(40) + "]".repeat(40))],
])("there is no canonical form of %s", (_, value) => {
  expect(() => canonical(value)).toThrow(Malformed);
  expect(() => canonical({ in: [value] })).toThrow(Malformed);
});

test.each([
  "",
  " {}",
  "{}\n",
  "\ufeff{}",
  '{"a": 1}',
  '{"b":1,"a":1}',
  '{"a":1,"a":1}',
  '{"__proto__":1,"__proto__":2}',
  "1.0",
  "1e3",
  "-0",
  "01",
  "9007199254740993",
  '"\\u0041"',
  '"\\/"',
  '"\\ud800"',
  "[1,]",
  "[".repeat(100_000),
  "[".repeat(50_000) + "]".repeat(50_000),
])("what is not canonical is malformed, whatever it means: %#", (text) => {
  expect(() => readCanonical(text, "text")).toThrow(Malformed);
});

test("what is canonical reads back", () => {
  for (const text of [
    '{"__proto__":1,"a":[],"b":{}}',
    "9007199254740991",
    "-1",
    '"\\u0000\\b\u007f\\\\"',
    "null",
  ]) {
    expect(canonical(readCanonical(text, "text"))).toBe(text);
  }
});
