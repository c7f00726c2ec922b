import { openDB } from "idb";
import { beforeEach, expect, test } from "vitest";
import { type MessageRow, type Row, rowOf, type Taken } from "../../src/engine/lines";
import { forgetStore, openStore, type Store, type Waiting } from "../../src/engine/store";
import { person } from "../proto/people";
import { newBrowser } from "./room";
import { ME, Story } from "./rows";

let store: Store;

beforeEach(async () => {
  newBrowser();
  store = await openStore(ME);
  return () => store.close();
});

function taken(row: Row, body = "sealed"): Taken {
  return { row, delivered: { index: row.index, entry: row.id, receipt: "r", salt: "s", body } };
}

test("keys are kept as they are, and cannot be read out", async () => {
  const alice = await person("alice");
  await store.setKeyring([alice]);

  const [kept] = (await store.keyring()) ?? [];

  expect(kept?.signing.public).toEqual(alice.signing.public);
  expect(kept?.signing.private.extractable).toBe(false);
  const signed = await crypto.subtle.sign(
    "Ed25519",
    kept?.signing.private ?? alice.signing.private,
    new Uint8Array(1),
  );
  expect(new Uint8Array(signed)).toEqual(
    new Uint8Array(await crypto.subtle.sign("Ed25519", alice.signing.private, new Uint8Array(1))),
  );
});

test("entries are kept with the position, which does not go back", async () => {
  const story = new Story();
  const rows = [story.message("lee", "lee"), story.message("lee", "lee")];
  await store.take(
    rows.map((row) => taken(row)),
    7,
  );
  await store.take([], 3);

  expect(await store.position()).toBe(7);
  expect(await store.lines()).toEqual(rows);
  expect(await store.delivered(1)).toMatchObject({ body: "sealed" });
});

test("the same entries again change nothing", async () => {
  const row = new Story().message("lee", "lee");
  await store.take([taken(row)], 0);
  await store.take([taken(row)], 0);

  expect(await store.lines()).toEqual([row]);
});

test("an erased body is gone, and stays gone when its entry comes again without it", async () => {
  const story = new Story();
  const message = story.message("lee", "lee");
  await store.take([taken(message)], 0);
  const redact: Row = { ...message, type: "redact", index: 1, id: "r1", about: message.id };
  await store.take([taken(redact)], 1);

  expect(await store.delivered(0)).toEqual({ index: 0, entry: "m0", receipt: "r" });
});

test("of all other entries no body is kept but that of the newest profile", async () => {
  const base = { id: "p", author: ME, at: 0, committed: null, type: "other", account: null } as const;
  const profile = (index: number): Row => ({ ...base, index, id: `p${index}`, says: "profile" });
  const group: Row = { ...base, index: 5, id: "g", says: "group" };
  await store.take([taken(profile(3), "new"), taken(group, "name")], 5);
  await store.take([taken(profile(1), "old")], 5);

  expect(await store.profile()).toMatchObject({ index: 3, body: "new" });
  for (const index of [1, 3, 5]) expect(await store.delivered(index)).not.toHaveProperty("body");
});

test("a checkpoint is replaced only by who knows the one before", async () => {
  expect(await store.replaceCheckpoint(undefined, "one")).toBe(true);
  expect(await store.replaceCheckpoint(undefined, "two")).toBe(false);
  expect(await store.replaceCheckpoint("one", "two")).toBe(true);
  expect(await store.checkpoint()).toBe("two");
});

test("the first evidence stays", async () => {
  const evidence = { held: "a", shown: "b", reason: "c", at: 1 };
  await store.keepEvidence(evidence);
  await store.keepEvidence({ ...evidence, at: 2 });

  expect(await store.evidence()).toEqual(evidence);
});

test("what waits keeps its order, and a number is given out with what was signed", async () => {
  const lane = (seq: number) => ({ stream: "s", seq });
  await store.queue(lane(1), "b", { entry: "eb" });
  await store.queue(lane(2), "a", { entry: "ea" });

  expect((await store.waiting()).map(({ id }) => id)).toEqual(["b", "a"]);
  expect(await store.lane()).toEqual(lane(2));
  await expect(store.queue(lane(3), "a", { entry: "other" })).rejects.toThrow();
  expect(await store.lane()).toEqual(lane(2));
});

test("what is receipted leaves the outbox, and is an entry, at once", async () => {
  const row: MessageRow = new Story().message(ME, "lee");
  await store.queue({ stream: "s", seq: 1 }, row.id, { entry: "e" });
  await store.release(row.id, taken(row));
  await store.release(row.id, taken(row));

  expect(await store.waiting()).toEqual([]);
  expect(await store.lineOf(row.id)).toEqual(row);
  expect(await store.position()).toBe(-1);
});

test("what is refused is set apart, can be tried again at the end, or given up", async () => {
  for (const id of ["a", "b"]) await store.queue({ stream: "s", seq: 1 }, id, { entry: id });
  await store.reject("a", "contact", "no");
  const refusals = (waiting: Waiting[]) => waiting.map(({ id, refused }) => [id, refused?.rule ?? null]);
  expect(refusals(await store.waiting())).toEqual([
    ["a", "contact"],
    ["b", null],
  ]);

  await store.again({ stream: "s", seq: 3 }, "a", { entry: "a2" });
  expect(refusals(await store.waiting())).toEqual([
    ["b", null],
    ["a", null],
  ]);

  await store.discard("a");
  await store.again({ stream: "s", seq: 4 }, "a", { entry: "a3" });
  expect(refusals(await store.waiting())).toEqual([["b", null]]);
  expect((await store.lane())?.seq).toBe(3);
});

test("an account that is forgotten leaves nothing, also while another tab has it open", async () => {
  await store.replaceCheckpoint(undefined, "note");

  await forgetStore(ME);

  const again = await openStore(ME);
  expect(await again.checkpoint()).toBeUndefined();
  again.close();
});

test("two accounts have nothing of each other", async () => {
  const other = await openStore("other");
  await store.replaceCheckpoint(undefined, "note");

  expect(await other.checkpoint()).toBeUndefined();
  other.close();
});

test("what an earlier page kept is read anew, and who we are stays", async () => {
  const older = await openDB("blockpost-older", 1, {
    upgrade(db) {
      for (const name of ["single", "pin", "party", "route", "outbox"]) db.createObjectStore(name);
      db.createObjectStore("line", { keyPath: "index" });
      db.createObjectStore("sealed", { keyPath: "index" });
    },
  });
  await older.put("single", 7, "position");
  await older.put("single", "note", "checkpoint");
  await older.put("line", { index: 3, type: "message" });
  await older.put("sealed", { index: 3 });
  older.close();

  const newer = await openStore("older");

  expect(await newer.position()).toBe(-1);
  expect(await newer.lines()).toEqual([]);
  expect(await newer.delivered(3)).toBeUndefined();
  expect(await newer.checkpoint()).toBe("note");
  newer.close();
});

test("a row says where a message belongs, seen from this account", () => {
  const common = {
    ...({ v: 1, chain: "c", id: "i", stream: "s", seq: 1, at: 5, clock: "free" } as const),
    ...({ type: "message", commitment: "", body: { digest: "", size: 0 } } as const),
    seen: { size: 0, root: "" },
  };

  const to = (author: string, addressee: string) => {
    const row = rowOf({ ...common, author, to: addressee }, { index: 3, committed: 9 }, ME);
    return row.type === "message" && row.conversation;
  };

  expect(to("lee", ME)).toBe("lee");
  expect(to(ME, "lee")).toBe("lee");
  expect(to("lee", "g-ward")).toBe("g-ward");
});
