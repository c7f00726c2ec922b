import { beforeEach, expect, test } from "vitest";
import { Problem, Unreachable, Untrusted } from "../../src/engine/errors";
import { firstTrust, restoredTrust, Trust } from "../../src/engine/trust";
import type { Evidence } from "../../src/model";
import { makeBody, refOf } from "../../src/proto/body";
import { b64url } from "../../src/proto/encoding";
import { Malformed, TwoHistories, Unverified } from "../../src/proto/errors";
import { person } from "../proto/people";
import { Town } from "./town";
import { consistency, rootOf } from "./tree";

/** What the store keeps of it. */
class Book {
  note: string | undefined;
  found: Evidence | undefined;

  checkpoint = async () => this.note;
  evidence = async () => this.found;
  keepEvidence = async (evidence: Evidence) => {
    this.found ??= evidence;
  };
  replaceCheckpoint = async (old: string | undefined, note: string) => {
    const same = this.note === old;
    if (same) this.note = note;
    return same;
  };
}

let town: Town;
let book: Book;

beforeEach(async () => {
  town = await Town.found();
  const alice = await person("alice");
  await town.join(alice, "alice");
  for (let i = 0; i < 5; i += 1)
    await town.say(alice, { type: "status", about: "0197b2c4-5d6e-7f80-9a1b-2c3d4e5f6071", state: "seen" });
  book = new Book();
});

async function prove(from: number, to: number) {
  return { size: from, path: consistency(from, town.leaves.slice(0, to)).map((hash) => b64url(hash)) };
}

function open(ask = prove): Promise<Trust> {
  return Trust.open({ origin: town.origin, gatewayKey: town.key }, book, ask, () => 7);
}

test("a checkpoint that continues the one held is held, and remembered", async () => {
  const trust = await open();
  await trust.accept(await town.checkpoint(3));

  await trust.accept(await town.checkpoint(6));

  expect(trust.seen).toEqual({ size: 6, root: b64url(rootOf(town.leaves.slice(0, 6))) });
  expect((await open()).held.size).toBe(6);
});

test("a checkpoint that comes before the one held is believed, and does not take its place", async () => {
  const trust = await open();
  await trust.accept(await town.checkpoint(6));

  expect((await trust.accept(await town.checkpoint(3))).size).toBe(3);
  expect(trust.held.size).toBe(6);
});

test("checkpoints that come at once end with the longest held", async () => {
  const trust = await open();
  const notes = await Promise.all([3, 6, 2, 5, 4].map((size) => town.checkpoint(size)));

  await Promise.all([...notes, ...notes].map((note) => trust.accept(note)));

  expect(trust.held.size).toBe(6);
});

test("what another tab holds is held against the gateway, too", async () => {
  const trust = await open();
  const other = await open();
  await other.accept(await town.checkpoint(6));
  town.rewrite(2, town.entries[3]?.leaf ?? "");

  await expect(trust.accept(await town.checkpoint(4))).rejects.toThrow(TwoHistories);
});

test("a checkpoint that is signed by somebody else is refused, and is no evidence", async () => {
  const trust = await open();
  const other = await Town.found();

  await expect(trust.accept(await other.checkpoint())).rejects.toThrow(Unverified);
  await expect(trust.accept("no note")).rejects.toThrow(Malformed);
  expect(book.found).toBeUndefined();
});

test.each([
  ["longer", 7],
  ["as long", 6],
  ["shorter", 5],
])("another history that is %s is caught, and the evidence is kept", async (_, size) => {
  const trust = await open();
  const held = await town.checkpoint(6);
  await trust.accept(held);
  town.rewrite(2, town.entries[3]?.leaf ?? "");
  const shown = await town.checkpoint(size);

  await expect(trust.accept(shown)).rejects.toThrow(TwoHistories);

  expect(book.found).toMatchObject({ held, shown, at: 7 });
  await expect(open()).rejects.toThrow(TwoHistories);
  await expect(trust.accept(held)).rejects.toThrow(TwoHistories);
});

test.each([
  [400, TwoHistories],
  [404, TwoHistories],
  [401, Problem],
  [500, Problem],
])("a gateway that answers %i instead of a proof", async (status, kind) => {
  const trust = await open(() => Promise.reject(new Problem(status, "no")));
  await trust.accept(await town.checkpoint(3));

  await expect(trust.accept(await town.checkpoint(6))).rejects.toThrow(kind);
});

test("an answer that does not come, or is none, is no evidence", async () => {
  for (const error of [new Unreachable("away"), new Malformed("not JSON")]) {
    book = new Book();
    const trust = await open(() => Promise.reject(error));
    await trust.accept(await town.checkpoint(3));

    await expect(trust.accept(await town.checkpoint(6))).rejects.toBe(error);
    expect(book.found).toBeUndefined();
  }
});

test("a newest checkpoint that is older than one shown before is another history", async () => {
  const trust = await open();
  await trust.accept(await town.checkpoint(6));

  await expect(trust.acceptHead(() => town.checkpoint(3))).rejects.toThrow("3 entries long, and was 6");
});

test("a receipt is accepted with its checkpoint, and not for another entry", async () => {
  const trust = await open();
  const receipt = await town.receipt(2);

  expect((await trust.acceptReceipt(receipt, town.entries[2]?.leaf ?? "")).index).toBe(2);
  await expect(trust.acceptReceipt(receipt, town.entries[3]?.leaf ?? "")).rejects.toThrow(Unverified);
});

test("a receipt whose checkpoint is of another history is caught, though its path holds", async () => {
  const trust = await open();
  await trust.accept(await town.checkpoint(6));
  town.rewrite(2, town.entries[3]?.leaf ?? "");

  await expect(trust.acceptReceipt(await town.receipt(2), town.entries[2]?.leaf ?? "")).rejects.toThrow(
    TwoHistories,
  );
});

test("a root that nobody signed for is believed if it is of the history held", async () => {
  const trust = await open();
  await trust.accept(await town.checkpoint(6));

  await trust.contains({ size: 4, root: rootOf(town.leaves.slice(0, 4)) });
  await expect(trust.contains({ size: 4, root: rootOf(town.leaves.slice(1, 5)) })).rejects.toThrow(Untrusted);
  expect(book.found).toBeUndefined();
});

test("a newcomer believes the gateway that the join code names, and no other", async () => {
  const first = await firstTrust(await town.site(), town.gateway);

  expect(first).toMatchObject({ origin: town.origin, gatewayKey: town.key });
  await expect(firstTrust(await town.site(), (await Town.found()).gateway)).rejects.toThrow(Unverified);
  const lying = { ...(await town.site()), origin: `other.example/${town.gateway}` };
  await expect(firstTrust(lying, town.gateway)).rejects.toThrow(Unverified);
});

test("who restores believes the gateway that their own profile names", async () => {
  const alice = await person("alice");
  const body = makeBody('{"handle":"alice","name":"Alice"}');
  await town.say(alice, { type: "profile", body: refOf(body) }, body);
  const profile = await town.delivered(town.entries.length - 1);
  const site = await town.site();

  expect(await restoredTrust(site, profile, alice.signing.public, prove)).toMatchObject({
    gatewayKey: town.key,
  });
  const bob = await person("bob");
  await expect(restoredTrust(site, profile, bob.signing.public, prove)).rejects.toThrow(Unverified);
  const other = await Town.found();
  await expect(restoredTrust(await other.site(), profile, alice.signing.public, prove)).rejects.toThrow(
    Unverified,
  );
  const status = await town.delivered(2);
  await expect(restoredTrust(site, status, alice.signing.public, prove)).rejects.toThrow(Unverified);
});

test("who restores refuses a history that does not continue what their profile had seen", async () => {
  const alice = await person("alice");
  const body = makeBody('{"handle":"alice","name":"Alice"}');
  const seen = { size: 5, root: b64url(rootOf(town.leaves.slice(0, 5))) };
  await town.say(alice, { type: "profile", body: refOf(body) }, body, { seen });
  const index = town.entries.length - 1;
  const { gatewayKey } = await restoredTrust(
    await town.site(),
    await town.delivered(index),
    alice.signing.public,
    prove,
  );
  expect(gatewayKey).toEqual(town.key);

  town.rewrite(2, town.entries[3]?.leaf ?? "");

  const restoring = restoredTrust(
    await town.site(),
    await town.delivered(index),
    alice.signing.public,
    prove,
  );
  await expect(restoring).rejects.toThrow(TwoHistories);
});
