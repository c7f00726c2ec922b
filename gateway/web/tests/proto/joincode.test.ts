import { expect, test } from "vitest";
import { unb64url, utf8 } from "../../src/proto/encoding";
import { Malformed } from "../../src/proto/errors";
import {
  codeHash,
  formatJoinCode,
  matchDigits,
  namesRoot,
  newJoinSecret,
  parseJoinCode,
} from "../../src/proto/joincode";
import { vectors } from "./people";

const GATEWAY = "a".repeat(26);
const SECRET = "abcdefgh234567ab";
const GOOD = `localhost:8080/${GATEWAY}/${SECRET}`;

test.each(["localhost", "192.168.7.4", "ward-3.example", "[::1]", "[fe80::1.2.3.4]"])(
  "a code reads back as it was written: %s",
  (host) => {
    const code = { host, port: 65_535, pin: GATEWAY, secret: SECRET };

    expect(parseJoinCode(formatJoinCode(code))).toEqual(code);
  },
);

test.each([GATEWAY, "a".repeat(52)])("a pin is of the gateway's key or of a root: %s", (pin) => {
  const code = parseJoinCode(`gateway.local:8443/${pin}/${SECRET}`);

  expect(code.pin).toBe(pin);
  expect(namesRoot(code.pin)).toBe(pin.length === 52);
});

test("space around it does not matter", () => {
  expect(formatJoinCode(parseJoinCode(` \t${GOOD}\r\n`))).toBe(GOOD);
});

test.each(["0", "08", "65536", "99999", "\u0668", ""])("a port has one spelling: %j", (port) => {
  expect(() => parseJoinCode(`localhost:${port}/${GATEWAY}/${SECRET}`)).toThrow(Malformed);
});

test.each([
  "",
  "null",
  `/${GATEWAY}/${SECRET}`,
  `localhost/${GATEWAY}/${SECRET}`,
  `http://localhost:1/${GATEWAY}/${SECRET}`,
  `local host:1/${GATEWAY}/${SECRET}`,
  `::1:1/${GATEWAY}/${SECRET}`,
  `localhost:1/${GATEWAY.slice(1)}/${SECRET}`,
  `localhost:1/${GATEWAY}a/${SECRET}`,
  `localhost:1/${"a".repeat(51)}/${SECRET}`,
  `localhost:1/${"a".repeat(53)}/${SECRET}`,
  `localhost:1/${GATEWAY}/${SECRET.toUpperCase()}`,
  `localhost:1/${GATEWAY}/${SECRET.slice(1)}`,
  `localhost:1/${GATEWAY}/${SECRET}a`,
  `localhost:1/${GATEWAY}/${SECRET}/`,
  `localhost:1/${GATEWAY}/${SECRET}\nx`,
])("any other text is malformed, and its secret is not repeated: %j", (text) => {
  expect(() => parseJoinCode(text)).toThrow(Malformed);
  expect(() => parseJoinCode(text)).not.toThrow(/cdefgh2345/i);
});

test("a new secret is 80 random bits", () => {
  const drawn: number[] = [];

  const secret = newJoinSecret((count) => {
    drawn.push(count);
    return Uint8Array.from({ length: count }, (_, i) => i);
  });

  expect(drawn).toEqual([10]);
  expect(parseJoinCode(`localhost:1/${GATEWAY}/${secret}`).secret).toBe(secret);
});

test("two secrets differ", () => {
  expect(newJoinSecret()).not.toBe(newJoinSecret());
});

test("the hash of a code is what an invite says on the chain", () => {
  expect(codeHash(SECRET)).toBe("jAKyDHZeRv26nHdptQYkwsumGH0d0TjTMbt4vOl8Yr8");
});

const MATCHES = vectors<{ name: string; nonce: string; leaf: string; digits: string }[]>("matches");

test.each(MATCHES)("the digits to compare are the known ones: $name", ({ nonce, leaf, digits }) => {
  expect(matchDigits(unb64url(nonce), utf8(leaf))).toBe(digits);
});
