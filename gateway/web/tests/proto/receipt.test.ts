import { expect, test } from "vitest";
import type { Checkpoint } from "../../src/proto/checkpoint";
import { b64url, base64 } from "../../src/proto/encoding";
import { ProtoError, Unverified } from "../../src/proto/errors";
import type { SigningKey } from "../../src/proto/identity";
import { parseReceipt, verifyReceipt } from "../../src/proto/receipt";
import { Dice } from "./dice";
import { vectors } from "./people";

interface Case {
  kind: string;
  name: string;
  receipt: string;
  leaf: string;
  origin: string;
  key: string;
  index?: number;
  size?: number;
  root?: string;
  refused?: true;
}

const cases = vectors<Case[]>("proofs").filter((each) => each.kind === "receipt");
const keyOf = (x: string): SigningKey => ({ crv: "Ed25519", kty: "OKP", x });

async function check({ receipt, leaf, origin, key }: Case, verified?: Map<string, Checkpoint>) {
  const parsed = parseReceipt(receipt);
  const { size, root } = await verifyReceipt(parsed, leaf, origin, keyOf(key), verified);
  return { index: parsed.index, size, root: b64url(root) };
}

test.each(cases.filter((each) => !each.refused))("an entry is on the chain: $name", async (given) => {
  const { index, size, root } = given;

  expect(await check(given)).toEqual({ index, size, root });
});

test.each(cases.filter((each) => each.refused))(
  "a receipt that was tampered with is refused: $name",
  async (given) => {
    await expect(check(given)).rejects.toThrow(ProtoError);
  },
);

function last(): Case {
  const [, , good] = cases;
  if (!good) throw new Error("no cases");
  return good;
}

test("any damage to a receipt or its leaf is refused", async () => {
  const dice = new Dice("receipts");
  const good = last();
  const damaged = Array.from({ length: 80 }, () => [
    { ...good, receipt: dice.damageText(good.receipt) },
    { ...good, leaf: dice.damageText(good.leaf) },
  ]).flat();
  for (const each of damaged) {
    if (each.receipt === good.receipt && each.leaf === good.leaf) continue;
    await expect(check(each)).rejects.toThrow(ProtoError);
  }
});

test("a path has at most 63 hashes", () => {
  const hash = `${base64(new Uint8Array(32))}\n`;
  const text = (count: number) => `c2sp.org/tlog-proof@v1\nindex 0\n${hash.repeat(count)}\nnote`;

  expect(parseReceipt(text(63)).path).toHaveLength(63);
  expect(() => parseReceipt(text(64))).toThrow("receipt: index or path out of range");
});

test("a checkpoint that was verified once is believed again, and no other", async () => {
  const good = last();
  const verified = new Map<string, Checkpoint>();
  await check(good, verified);
  const note = parseReceipt(good.receipt).note;

  expect([...verified.keys()]).toEqual([note]);
  // With a key that could not have signed it: the signature is not looked at again, the path is.
  const key = b64url(new Uint8Array(32).fill(2));
  expect(await check({ ...good, key }, verified)).toEqual(await check(good));
  await expect(check({ ...good, leaf: "another" }, verified)).rejects.toThrow(Unverified);
});

test("a checkpoint that does not verify is not remembered", async () => {
  const verified = new Map<string, Checkpoint>();

  await expect(check({ ...last(), origin: "ward8.example/abc123" }, verified)).rejects.toThrow(Unverified);
  expect(verified.size).toBe(0);
});
