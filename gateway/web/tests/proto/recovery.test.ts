import { expect, test } from "vitest";
import { unwrapBackup } from "../../src/proto/backup";
import { b64url, fromUtf8, unb64url } from "../../src/proto/encoding";
import { Malformed } from "../../src/proto/errors";
import { verifierOf } from "../../src/proto/password";
import { deriveRecovery, newRecoveryCode, readRecoveryCode } from "../../src/proto/recovery";
import { vectors } from "./people";

interface Good {
  name: string;
  code: string;
  shown: string;
  typed: string[];
  auth: string;
  wrap: string;
  verifier: string;
  backup: string;
  secret: string;
}
interface Bad {
  name: string;
  code: null;
  typed: string[];
}

const CASES = vectors<(Good | Bad)[]>("recovery");
const GOOD = CASES.filter((each) => each.code !== null);
const BAD = CASES.filter((each) => each.code === null);

test.each(GOOD)("a code is shown as Python shows it: $name", ({ code, shown }) => {
  expect(newRecoveryCode(() => unb64url(code))).toBe(shown);
});

test.each(GOOD)("a code is read however it is typed: $name", ({ code, typed }) => {
  expect(typed.map((each) => b64url(readRecoveryCode(each)))).toEqual(typed.map(() => code));
});

test.each(GOOD)("a code becomes the known keys: $name", ({ code, auth, wrap, verifier }) => {
  const derived = deriveRecovery(unb64url(code));

  expect({ auth: derived.auth, wrap: b64url(derived.wrap) }).toEqual({ auth, wrap });
  expect(verifierOf(derived.auth)).toBe(verifier);
});

test.each(GOOD)("a code opens the backup that Python made: $name", async ({ code, backup, secret }) => {
  expect(fromUtf8(await unwrapBackup(backup, deriveRecovery(unb64url(code)).wrap))).toBe(secret);
});

test.each(BAD)("what is no code is refused, and not repeated: $name", ({ typed }) => {
  for (const each of typed) {
    expect(() => readRecoveryCode(each)).toThrow(Malformed);
    expect(() => readRecoveryCode(each)).not.toThrow(each.trim() || "nothing");
  }
});

test("a new code is 128 random bits", () => {
  const drawn: number[] = [];

  const code = newRecoveryCode((count) => {
    drawn.push(count);
    return Uint8Array.from({ length: count }, (_, i) => i);
  });

  expect(drawn).toEqual([16]);
  expect([...readRecoveryCode(code)]).toEqual([...Array(16).keys()]);
});

test("two codes differ", () => {
  expect(newRecoveryCode()).not.toBe(newRecoveryCode());
});
