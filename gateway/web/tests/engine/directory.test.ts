import { beforeEach, expect, test } from "vitest";
import { Directory } from "../../src/engine/directory";
import { Gateway } from "../../src/engine/gateway";
import { openStore, type Store } from "../../src/engine/store";
import { Trust } from "../../src/engine/trust";
import { TwoHistories } from "../../src/proto/errors";
import type { Keys } from "../../src/proto/keyfile";
import { person } from "../proto/people";
import { newBrowser } from "./room";
import { Town } from "./town";

let town: Town;
let alice: Keys;
let bob: Keys;
let carol: Keys;
let store: Store;
let directory: Directory;

/** Bob's second keys: of another person, as far as the town is concerned. */
let next: Keys;

beforeEach(async () => {
  [town, alice, bob, carol, next] = await Promise.all([
    Town.found(),
    person("alice"),
    person("bob"),
    person("carol"),
    person("dave"),
  ]);
  await town.join(alice, "alice");
  await town.join(bob, "bob");
  await town.join(carol, "carol", "person", "admin");
  newBrowser();
  store = await openStore(alice.account);
  directory = await open();
  return () => store.close();
});

async function open(): Promise<Directory> {
  const gateway = new Gateway(town.browser(alice.account));
  const prove = (from: number, to: number) => gateway.consistency(from, to);
  const trust = await Trust.open({ origin: town.origin, gatewayKey: town.key }, store, prove, () => 0);
  return await Directory.open(alice.account, [alice], store, gateway, trust);
}

function changesKeys(by: Keys): Promise<unknown> {
  const { signing, sealing } = next;
  return town.say(by, { type: "key", account: bob.account, sign: signing.public, seal: sealing.public });
}

test("the keys that the chain proves are sealed for, and pinned", async () => {
  expect(await directory.addressee(bob.account)).toEqual({ to: bob.account, keys: [bob.sealing.public] });

  expect(directory.pin(bob.account)).toMatchObject({ sign: bob.signing.public, waiting: null, notice: null });
  expect((await open()).pin(bob.account)).toEqual(directory.pin(bob.account));
});

test("keys that the old ones signed for are taken, with a notice, and are not verified any more", async () => {
  await directory.addressee(bob.account);
  await directory.setVerified(bob.account, true);
  await changesKeys(bob);

  expect((await directory.addressee(bob.account)).keys).toEqual([next.sealing.public]);

  const pin = directory.pin(bob.account);
  expect(pin).toMatchObject({ sign: next.signing.public, verified: false, waiting: null });
  expect(pin?.notice).toContain("BOB has new keys");
  await directory.dismissNotice(bob.account);
  expect(directory.pin(bob.account)?.notice).toBeNull();
});

test("keys that an admin gave are not used without a person's word", async () => {
  await directory.addressee(bob.account);
  await directory.setVerified(bob.account, true);
  await changesKeys(carol);

  await expect(directory.addressee(bob.account)).rejects.toThrow("Compare the safety code");

  expect(directory.pin(bob.account)).toMatchObject({ sign: bob.signing.public, verified: false });
  expect(directory.pin(bob.account)?.waiting).toContain("did not sign for");
});

test("keys that a person compared are taken, and are verified", async () => {
  await directory.addressee(bob.account);
  await changesKeys(carol);
  await directory.ask(bob.account);
  const before = await directory.safetyCode(carol.account);
  const code = await directory.safetyCode(bob.account);

  await directory.acceptKeys(bob.account);

  expect(code.words).toHaveLength(12);
  expect(code.qr).not.toBe(before.qr);
  expect(directory.pin(bob.account)).toMatchObject({
    sign: next.signing.public,
    verified: true,
    waiting: null,
  });
  expect((await directory.addressee(bob.account)).keys).toEqual([next.sealing.public]);
});

test("what is accepted are the keys that were compared, and no later ones", async () => {
  await directory.addressee(bob.account);
  await directory.safetyCode(bob.account);
  await changesKeys(carol);
  await directory.ask(bob.account);

  await directory.acceptKeys(bob.account);

  expect(directory.pin(bob.account)?.sign).toEqual(bob.signing.public);
});

test("nobody is verified by the code of other keys than those in use", async () => {
  await directory.addressee(bob.account);
  await changesKeys(carol);
  await directory.ask(bob.account);
  await directory.safetyCode(bob.account);

  await expect(directory.setVerified(bob.account, true)).rejects.toThrow("Compare the safety code again");
});

test("both sides have the same safety code", async () => {
  const mine = await directory.safetyCode(bob.account);
  const gateway = new Gateway(town.browser(bob.account));
  const prove = (from: number, to: number) => gateway.consistency(from, to);
  const trust = await Trust.open({ origin: town.origin, gatewayKey: town.key }, store, prove, () => 0);
  const theirs = await Directory.open(bob.account, [bob], store, gateway, trust);

  expect(await theirs.safetyCode(alice.account)).toEqual(mine);
});

test("while the gateway is away, it is whom the name led to before", async () => {
  const before = await directory.addressee(bob.account);
  town.down = true;

  expect(await directory.addressee(bob.account)).toEqual(before);
  await expect(directory.addressee(carol.account)).rejects.toMatchObject({ name: "Unreachable" });
});

test("a key that its author never had is not believed, an old one is", async () => {
  await changesKeys(bob);

  expect(await directory.signingKey(bob.account, bob.signing.kid)).toEqual(bob.signing.public);
  expect(await directory.signingKey(bob.account, next.signing.kid)).toEqual(next.signing.public);
  await expect(directory.signingKey(bob.account, carol.signing.kid)).rejects.toMatchObject({
    name: "Untrusted",
  });
});

test("what was proven once is not asked for again", async () => {
  await directory.signingKey(bob.account, bob.signing.kid);
  town.down = true;

  expect(await directory.signingKey(bob.account, bob.signing.kid)).toEqual(bob.signing.public);
  expect(await (await open()).signingKey(bob.account, bob.signing.kid)).toEqual(bob.signing.public);
});

test("a party whose entries do not hold is not trusted, nor one that was not asked for", async () => {
  const party = await town.party(bob.account);
  const other = await town.party(carol.account);

  await expect(directory.meet({ ...party, account: alice.account })).rejects.toMatchObject({
    name: "Untrusted",
  });
  await expect(directory.meet({ ...party, entries: other.entries })).rejects.toMatchObject({
    name: "Untrusted",
  });
  await expect(directory.meet({ ...party, entries: [] })).rejects.toMatchObject({ name: "Untrusted" });
  expect(directory.pin(bob.account)).toBeUndefined();
});

test("two histories that show in a party are two histories, and not a doubt about the party", async () => {
  await directory.ask(bob.account);
  town.rewrite(1, town.entries[3]?.leaf ?? "");

  await expect(directory.ask(carol.account)).rejects.toThrow(TwoHistories);
});
