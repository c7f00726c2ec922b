import { expect, test } from "vitest";
import type { FriendView } from "../../src/model";
import { found } from "../../src/ui/home/found";

function friend(title: string, handle: string | null): FriendView {
  return {
    id: `id-${title}`,
    kind: "person",
    state: "contact",
    live: true,
    handle,
    title,
    online: false,
    lastSeen: null,
    unread: 0,
    openAlerts: 0,
    latest: null,
    verified: false,
    keyNotice: null,
  };
}

const friends = [friend("José Núñez", "jose"), friend("Dr. Mary Lee", "m.lee"), friend("fridge-2", null)];
const titles = (sought: string) => found(friends, sought).map((each) => each.title);

test("nothing sought is everybody", () => {
  expect(found(friends, "  ")).toBe(friends);
});

test("accents and capitals make no difference", () => {
  expect(titles("NUNEZ")).toEqual(["José Núñez"]);
});

test("the words may come in any order, from the name or the handle", () => {
  expect(titles("lee dr")).toEqual(["Dr. Mary Lee"]);
  expect(titles("m.l")).toEqual(["Dr. Mary Lee"]);
});

test("nobody is found who lacks one of the words", () => {
  expect(titles("mary fridge")).toEqual([]);
});
