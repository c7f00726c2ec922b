import { expect, test } from "vitest";
import { makeBody, refOf } from "../../src/proto/body";
import { b64url, canonical } from "../../src/proto/encoding";
import { newEntryId, newStream, type Says, writeEntry } from "../../src/proto/entry";
import { Malformed, Unverified } from "../../src/proto/errors";
import * as jws from "../../src/proto/jws";
import { signerOf } from "../../src/proto/keyfile";
import {
  makeParcel,
  openDelivered,
  readDelivered,
  readDelivery,
  readMe,
  readParcel,
  readParty,
  readProblem,
  readRefusal,
} from "../../src/proto/wire";
import { person } from "./people";

const alice = await person("alice");
const bob = await person("bob");
const ORIGIN = "ward7.example/abc123";
const HASH = "A".repeat(43);

function written(says: Says): Promise<string> {
  const draft = {
    says,
    origin: ORIGIN,
    author: alice.account,
    stream: newStream(),
    seq: 1,
    at: 0,
    clock: "free",
    seen: { root: HASH, size: 0 },
    id: newEntryId(0),
  } as const;
  return writeEntry(draft, alice.signing.kid, signerOf(alice));
}

const body = makeBody("sealed");
const salt = b64url(body.salt);
const bound = await written({ type: "message", to: bob.account, commitment: HASH, body: refOf(body) });
const bare = await written({ type: "status", about: newEntryId(0), state: "seen" });

// Parcels and deliveries

test("a parcel brings its body beside the entry, and nothing where there is none", () => {
  expect(makeParcel(bound, body)).toEqual({ entry: bound, salt, body: "sealed" });
  expect(makeParcel(bare)).toEqual({ entry: bare });
  expect(readParcel({ ...makeParcel(bound, body), after: 3 }, "parcel").after).toBe(3);
  expect(() => readParcel({ ...makeParcel(bare), to: "x" }, "parcel")).toThrow(Malformed);
});

test("what is delivered has the body that it binds, or an erased one", () => {
  const delivered = { index: 0, entry: bound, receipt: "" };

  expect(openDelivered({ ...delivered, salt, body: "sealed" }).body).toEqual(body);
  expect(openDelivered(delivered).body).toBeNull();
  expect(openDelivered({ ...delivered, entry: bare }).signed.entry.type).toBe("status");
});

test.each<[string, object, typeof Malformed | typeof Unverified]>([
  ["another body", { entry: bound, salt, body: "opened" }, Unverified],
  ["another salt", { entry: bound, salt: b64url(makeBody("").salt), body: "sealed" }, Unverified],
  ["no salt", { entry: bound, body: "sealed" }, Malformed],
  ["no body", { entry: bound, salt }, Malformed],
  ["a body where none is bound", { entry: bare, salt, body: "sealed" }, Malformed],
  ["no entry", { entry: "", salt, body: "sealed" }, Malformed],
])("what is delivered is refused with %s", (_, what, error) => {
  expect(() => openDelivered(readDelivered({ index: 0, receipt: "", ...what }, "delivered"))).toThrow(error);
});

// Answers

test("an answer may gain members, and loses none", () => {
  const party = {
    account: alice.account,
    kind: "person",
    role: "member",
    live: true,
    entries: [],
    handle: null,
    name: null,
  };

  expect(readParty({ ...party, since: 1 }, "party")).toEqual(party);
  for (const name of Object.keys(party)) {
    expect(() => readParty({ ...party, [name]: undefined }, "party"), name).toThrow(`party.${name}`);
  }
});

test("a member of a member is named in full", () => {
  const delivery = { previous: -1, entries: [{ index: 0, entry: "", receipt: "" }, { index: -1 }] };

  expect(() => readDelivery(delivery, "answer")).toThrow("answer.entries[1].index: want an integer from 0");
  expect(readDelivery({ ...delivery, entries: [] }, "answer")).toEqual({ previous: -1, entries: [] });
});

test("who is logged in may have no name", () => {
  const me = { account: alice.account, handle: null, name: null, role: "member", expires: 1 };

  expect(readMe(me, "me")).toEqual(me);
  expect(() => readMe({ ...me, role: "owner" }, "me")).toThrow("me.role: want admin or member or gateway");
});

test("a problem may say why", () => {
  const problem = { type: "about:blank", title: "Forbidden", status: 403, detail: "no" };

  expect(readProblem(problem, "problem")).toEqual(problem);
  expect(readProblem({ ...problem, rule: "contact", now: 1 }, "problem").rule).toBe("contact");
});

// Refusals

const refusal = { at: 1, chain: ORIGIN, digest: HASH, reason: "not in contact", rule: "contact" };
const signed = (said: unknown) =>
  jws.sign("blockpost-refusal", alice.signing.kid, canonical(said), signerOf(alice));

test("a refusal is the gateway's, for this chain", async () => {
  const key = alice.signing.public;

  expect(await readRefusal(await signed(refusal), key, ORIGIN)).toEqual(refusal);
  await expect(readRefusal(await signed(refusal), bob.signing.public, ORIGIN)).rejects.toThrow(Unverified);
  await expect(readRefusal(await signed(refusal), key, "ward8.example/abc123")).rejects.toThrow(Unverified);
  await expect(readRefusal(await signed({ ...refusal, to: "x" }), key, ORIGIN)).rejects.toThrow(Malformed);
  await expect(readRefusal(bare, key, ORIGIN)).rejects.toThrow(Malformed);
});
