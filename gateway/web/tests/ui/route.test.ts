import { describe, expect, test } from "vitest";
import { FIRST_PART, hashOf, parseRoute, type Route } from "../../src/ui/route";

const ROUTES: readonly Route[] = [
  { name: "home" },
  { name: "with", party: "g-ward/3 & co" },
  { name: "alert", episode: "019a" },
  { name: "proof", id: "019a-01" },
  { name: "friends" },
  { name: "load" },
  { name: "me" },
  { name: "admin", part: "audit" },
];

describe("an address of the page", () => {
  test.each(ROUTES)("reads back as it was written: $name", (route) => {
    expect(parseRoute(hashOf(route))).toEqual(route);
  });

  test.each(["", "#", "#/", "#/with", "#/with/", "#/proof/", "#/nonsense/x"])("%j leads home", (hash) => {
    expect(parseRoute(hash)).toEqual({ name: "home" });
  });

  test("with a lone percent sign is taken as typed", () => {
    expect(parseRoute("#/alert/100%")).toEqual({ name: "alert", episode: "100%" });
  });

  test("of the administration without a part is its first", () => {
    expect(parseRoute("#/admin")).toEqual({ name: "admin", part: FIRST_PART });
  });
});
