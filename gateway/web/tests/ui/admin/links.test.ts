import { expect, test } from "vitest";
import type { LinkRow } from "../../../src/model";
import { chosenLinks, linkedTo, linkOf } from "../../../src/ui/admin/links";
import type { Parties, Party } from "../../../src/ui/admin/parties";

const KINDS: Record<string, Party["kind"]> = { "g-ward": "group", fridge: "device", pharmacy: "service" };

const parties: Parties = (id) => ({
  id,
  title: id,
  handle: null,
  kind: KINDS[id] ?? "person",
  live: true,
  members: 0,
});

const row = (one: string, other: string, askedBy: string | null = null): LinkRow => ({ one, other, askedBy });
const sides = (link: LinkRow) => {
  const { one, other } = linkOf(link, parties);
  return [one.id, other.id];
};

test("a device stands before whom it reports to, and a group last, however the gateway orders them", () => {
  expect(sides(row("g-ward", "lee"))).toEqual(["lee", "g-ward"]);
  expect(sides(row("fridge", "g-ward"))).toEqual(["fridge", "g-ward"]);
  expect(sides(row("ann", "fridge"))).toEqual(["fridge", "ann"]);
  expect(sides(row("ann", "lee"))).toEqual(["ann", "lee"]);
});

test("a request waits for the one who did not ask", () => {
  expect(linkOf(row("ann", "lee", "ann"), parties).waitsFor?.id).toBe("lee");
  expect(linkOf(row("ann", "fridge", "ann"), parties).waitsFor?.id).toBe("fridge");
  expect(linkOf(row("ann", "lee"), parties).waitsFor).toBeNull();
});

test("links are found by either side, and come by title", () => {
  const links = [row("lee", "zoe"), row("ann", "lee"), row("ann", "fridge")].map((each) =>
    linkOf(each, parties),
  );
  const found = (text: string) => chosenLinks(links, text).map((each) => each.key);
  expect(found("")).toEqual(["ann lee", "ann fridge", "lee zoe"]);
  expect(found("ZOE")).toEqual(["lee zoe"]);
});

test("whoever only asked is not linked yet", () => {
  const rows = [row("ann", "lee"), row("ann", "kim", "kim"), row("ann", "g-ward"), row("kim", "lee")];
  expect([...linkedTo(rows, "ann")].sort()).toEqual(["g-ward", "lee"]);
  expect([...linkedTo(rows, "lee")].sort()).toEqual(["ann", "kim"]);
});
