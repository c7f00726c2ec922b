import { describe, expect, test } from "vitest";
import type { FriendView, View } from "../../src/model";
import { newAlerts, newMessages } from "../../src/ui/spoken-news";
import { ALERT } from "./alert";

const VIEW: View = {
  stage: { name: "home" },
  me: null,
  lamp: "live",
  halted: null,
  site: "ward-3.example",
  catchingUp: null,
  alerts: [],
  friends: [],
  duty: null,
  unsent: [],
  sound: "armed",
  troubles: [],
};

const FRIEND: FriendView = {
  id: "b",
  kind: "person",
  state: "contact",
  live: true,
  handle: "dr.lee",
  title: "Dr. Lee",
  online: true,
  lastSeen: null,
  unread: 0,
  openAlerts: 0,
  latest: null,
  verified: false,
  keyNotice: null,
};

describe("an alert is spoken of", () => {
  const withAlert: View = { ...VIEW, alerts: [ALERT] };

  test("when it is new", () => {
    expect(newAlerts(VIEW, withAlert)).toBe("New alert, medium priority, from fridge-2");
  });

  test("with how many others came at the same time", () => {
    const both: View = { ...VIEW, alerts: [ALERT, { ...ALERT, episode: "e2" }] };

    expect(newAlerts(VIEW, both)).toContain("and 1 more");
  });

  test("again when its priority rose", () => {
    const risen: View = { ...VIEW, alerts: [{ ...ALERT, priority: "high" }] };

    expect(newAlerts(withAlert, risen)).toContain("high priority");
  });

  test("without a name on a locked page", () => {
    const locked: View = { ...withAlert, stage: { name: "locked", handle: "dr.lee" } };

    expect(newAlerts(VIEW, locked)).toBe("New alert, medium priority");
  });

  test("not when somebody else took it", () => {
    const taken: View = { ...VIEW, alerts: [{ ...ALERT, open: false }] };

    expect(newAlerts(withAlert, taken)).toBeNull();
  });

  test("not while the history is read, in which all is old", () => {
    expect(newAlerts(VIEW, { ...withAlert, catchingUp: { done: 1, total: 2 } })).toBeNull();
  });
});

describe("a message is spoken of", () => {
  const unread: View = { ...VIEW, friends: [{ ...FRIEND, unread: 1 }] };

  test("when more is unread than before", () => {
    expect(newMessages({ ...VIEW, friends: [FRIEND] }, unread)).toBe("New message from Dr. Lee");
  });

  test("not when it was read", () => {
    expect(newMessages(unread, { ...VIEW, friends: [FRIEND] })).toBeNull();
  });

  test("not on a locked page", () => {
    const locked: View = { ...unread, stage: { name: "locked", handle: "dr.lee" } };

    expect(newMessages(VIEW, locked)).toBeNull();
  });
});
