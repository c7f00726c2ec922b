import { expect, test } from "vitest";
import { b64url, unb64url } from "../../src/proto/encoding";
import { Malformed } from "../../src/proto/errors";
import { derivePassword, verifierOf } from "../../src/proto/password";
import { vectors } from "./people";

interface Case {
  name: string;
  auth: string;
  password: string;
  salt: string;
  verifier: string;
  wrap: string;
}

const CASES = vectors<Case[]>("passwords");

test.each(CASES)("a password becomes the known keys: $name", async ({ password, salt, auth, wrap }) => {
  const derived = await derivePassword(password, unb64url(salt));

  expect({ ...derived, wrap: b64url(derived.wrap) }).toEqual({ auth, wrap });
});

test.each(CASES)("the gateway keeps a hash of what it is sent: $name", ({ auth, verifier }) => {
  expect(verifierOf(auth)).toBe(verifier);
});

test("another salt makes other keys", async () => {
  const [first, second] = await Promise.all([
    derivePassword("secret", new Uint8Array(16)),
    derivePassword("secret", new Uint8Array(16).fill(1)),
  ]);

  expect(new Set([first.auth, b64url(first.wrap), second.auth, b64url(second.wrap)]).size).toBe(4);
});

test.each(["", "\ud800"])("what is no password is refused: %j", async (password) => {
  await expect(derivePassword(password, new Uint8Array(16))).rejects.toThrow(Malformed);
});

test.each(["", "AA", `${"A".repeat(42)}B`])("what is no auth has no verifier: %j", (auth) => {
  expect(() => verifierOf(auth)).toThrow(Malformed);
});
