import type { CompactJWEHeaderParameters } from "jose";
import { CompactEncrypt } from "jose/jwe/compact/encrypt";
import { expect, test } from "vitest";
import { unwrapBackup, wrapBackup } from "../../src/proto/backup";
import { b64url, fromUtf8, unb64url, utf8 } from "../../src/proto/encoding";
import { CannotOpen, Malformed } from "../../src/proto/errors";
import { vectors } from "./people";

const KEY = Uint8Array.from({ length: 32 }, (_, i) => i);
const SECRET = utf8("the private keys");
const GOOD = await wrapBackup(SECRET, KEY);

test.each(vectors<{ name: string; backup: string; secret: string; wrap: string }[]>("passwords"))(
  "the password opens the backup that Python made: $name",
  async ({ backup, secret, wrap }) => {
    expect(fromUtf8(await unwrapBackup(backup, unb64url(wrap)))).toBe(secret);
  },
);

test("what was wrapped comes back", async () => {
  expect(await unwrapBackup(GOOD, KEY)).toEqual(SECRET);
});

test("the header is the one that Python takes", () => {
  expect(fromUtf8(unb64url(GOOD.split(".")[0] ?? ""))).toBe(
    '{"alg":"dir","enc":"A256GCM","typ":"blockpost-backup"}',
  );
});

test("two backups of one secret differ", async () => {
  expect(await wrapBackup(SECRET, KEY)).not.toBe(GOOD);
});

test("nothing is wrapped under a shorter key", async () => {
  await expect(wrapBackup(SECRET, KEY.slice(16))).rejects.toThrow(
    new Malformed("backup: want a key of 32 bytes, got 16"),
  );
});

const [header = "", , iv = "", ciphertext = "", tag = ""] = GOOD.split(".");
/** Whatever jose writes under another header: valid, and not a backup. */
function withHeader(other: CompactJWEHeaderParameters): Promise<string> {
  return new CompactEncrypt(SECRET).setProtectedHeader(other).encrypt(KEY);
}
const untyped = await withHeader({ alg: "dir", enc: "A256GCM" });
const zipped = await withHeader({ alg: "dir", enc: "A256GCM", typ: "blockpost-backup", zip: "DEF" });
const disordered = await withHeader({ typ: "blockpost-backup", alg: "dir", enc: "A256GCM" });

// The unused bits of the last letter are set: the same bytes to a careless reader.
const respelled = GOOD.slice(0, -1) + String.fromCharCode(GOOD.charCodeAt(GOOD.length - 1) + 1);

test.each<[string, string, Uint8Array<ArrayBuffer>]>([
  ["another key", GOOD, new Uint8Array(32)],
  ["a key of 16 bytes", GOOD, KEY.slice(16)],
  ["no type", untyped, KEY],
  ["compressed", zipped, KEY],
  ["a header in another order", disordered, KEY],
  ["an encrypted key", GOOD.replace("..", ".AA."), KEY],
  ["no bytes of tag", [header, "", iv, ciphertext, ""].join("."), KEY],
  ["a tag cut", [header, "", iv, ciphertext, b64url(unb64url(tag).slice(0, 12))].join("."), KEY],
  ["a part more", `${GOOD}.AA`, KEY],
  ["a part less", GOOD.slice(0, GOOD.lastIndexOf(".")), KEY],
  ["cut", GOOD.slice(0, -1), KEY],
  ["padded", `${GOOD}==`, KEY],
  ["in another spelling", respelled, KEY],
  ["empty", "", KEY],
  ["not ASCII", `\u00e9${GOOD}`, KEY],
])("whatever is wrong with a backup it says the same: %s", async (_, text, key) => {
  await expect(unwrapBackup(text, key)).rejects.toThrow(new CannotOpen());
});
