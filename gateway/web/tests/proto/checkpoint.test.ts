import { expect, test } from "vitest";
import { seenOf, verifyCheckpoint } from "../../src/proto/checkpoint";
import { b64url } from "../../src/proto/encoding";
import { ProtoError, Unverified } from "../../src/proto/errors";
import type { SigningKey } from "../../src/proto/identity";
import { Dice } from "./dice";
import { vectors } from "./people";

interface Case {
  kind: string;
  name: string;
  note: string;
  origin: string;
  key: string;
  size?: number;
  root?: string;
  refused?: true;
}

const cases = vectors<Case[]>("proofs").filter((each) => each.kind === "checkpoint");
const keyOf = (x: string): SigningKey => ({ crv: "Ed25519", kty: "OKP", x });
const check = ({ note, origin, key }: Case) => verifyCheckpoint(note, origin, keyOf(key));

test.each(cases.filter((each) => !each.refused))(
  "a checkpoint is of one size and root: $name",
  async (given) => {
    const checkpoint = await check(given);

    expect(checkpoint.origin).toBe(given.origin);
    expect(seenOf(checkpoint)).toEqual({ size: given.size, root: given.root });
  },
);

test.each(cases.filter((each) => each.refused))(
  "a checkpoint that was tampered with is refused: $name",
  async (given) => {
    await expect(check(given)).rejects.toThrow(ProtoError);
  },
);

test("any damage to a note is refused", async () => {
  const dice = new Dice("notes");
  const [good] = cases;
  if (!good) throw new Error("no cases");
  for (let i = 0; i < 150; i++) {
    const note = dice.damageText(good.note);
    if (note !== good.note) await expect(check({ ...good, note })).rejects.toThrow(ProtoError);
  }
});

test("another key or another origin is not the gateway's", async () => {
  const [good] = cases;
  if (!good) throw new Error("no cases");

  await expect(check({ ...good, origin: "ward8.example/abc123" })).rejects.toThrow(Unverified);
  await expect(check({ ...good, key: b64url(new Uint8Array(32).fill(2)) })).rejects.toThrow(Unverified);
});
