import { expect, test } from "vitest";
import type { AccountRow } from "../../../src/model";
import {
  type AccountFilter,
  byKind,
  chosenAccounts,
  liveParties,
  partiesOf,
  stateOf,
} from "../../../src/ui/admin/parties";

function account(id: string, more: Partial<AccountRow> = {}): AccountRow {
  return {
    account: id,
    kind: "person",
    role: "member",
    live: true,
    keyed: true,
    index: 1,
    handle: id,
    name: null,
    online: false,
    lastSeen: null,
    ...more,
  };
}

const lee = account("dr.lee", { name: "Dr. José Lee" });
const tom = account("tom", { name: "Ann Tom", live: false });
const fridge = account("fridge-2", { kind: "device" });
const everybody = [tom, lee, fridge];

const chosen = (filter: Partial<AccountFilter>) =>
  chosenAccounts(everybody, { text: "", kind: "all", onlyLive: false, ...filter }).map(
    (each) => each.account,
  );

test("the live ones come first, by title", () => {
  expect(chosen({})).toEqual(["dr.lee", "fridge-2", "tom"]);
});

test("accounts are found by words of name, handle or id, by kind, and by being live", () => {
  expect(chosen({ text: "jose DR" })).toEqual(["dr.lee"]);
  expect(chosen({ text: "ridge" })).toEqual(["fridge-2"]);
  expect(chosen({ kind: "device" })).toEqual(["fridge-2"]);
  expect(chosen({ onlyLive: true })).toEqual(["dr.lee", "fridge-2"]);
  expect(chosen({ text: "tom", onlyLive: true })).toEqual([]);
});

test("an account that was revoked is that, whatever keys it has", () => {
  expect(stateOf({ live: false, keyed: true })).toBe("revoked");
  expect(stateOf({ live: true, keyed: false })).toBe("no key");
  expect(stateOf({ live: true, keyed: true })).toBe("live");
});

test("a party is called by its name, with the handle beside it, or by its handle alone", () => {
  const parties = partiesOf(everybody, [{ id: "g-ward", name: null, members: ["dr.lee"] }]);
  expect(parties("dr.lee")).toMatchObject({ title: "Dr. José Lee", handle: "dr.lee", live: true });
  expect(parties("fridge-2")).toMatchObject({ title: "fridge-2", handle: null, kind: "device" });
  expect(parties("g-ward")).toMatchObject({ title: "g-ward…", kind: "group", members: 1, live: true });
});

test("a group that is not there any more is known by the beginning of its id", () => {
  expect(partiesOf([], [])("g-abcdefghij")).toMatchObject({ title: "g-abcdef…", kind: "group", live: false });
});

test("the gateway's own account and those that ended are not offered", () => {
  const gateway = account("gw", { kind: "service", role: "gateway" });
  expect(liveParties([...everybody, gateway]).map((each) => each.id)).toEqual(["dr.lee", "fridge-2"]);
});

test("parties come in the order of kinds that was asked for", () => {
  const order = byKind(liveParties([lee, fridge, account("a.bee")]), ["device", "person"]);
  expect(order.map((each) => each.id)).toEqual(["fridge-2", "a.bee", "dr.lee"]);
});
