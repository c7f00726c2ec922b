import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { CHANGED, type Enrolled, isLive, Lobby, PASSWORD, problem, stage, Tablet, troubles } from "./lobby";
import { Town } from "./town";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const NEW_PASSWORD = "seven quiet herons";

let town: Town;
let lobby: Lobby;
let tablet: Tablet;
let alice: Enrolled;
let bob: Enrolled;

beforeEach(async () => {
  town = await Town.found();
  lobby = new Lobby(town);
  [alice, bob] = [await lobby.enroll("alice"), await lobby.enroll("bob")];
  tablet = new Tablet(lobby);
});

afterEach(async () => {
  vi.restoreAllMocks();
  await tablet.close();
});

/** The gateway ends the old session before it answers, as it may. */
const endsAtOnce = () => {
  lobby.meanwhile = async (asked) => {
    if (asked !== "POST /v1/entries") return;
    town.tell("end", { detail: CHANGED });
    await new Promise((wake) => setTimeout(wake, 50));
  };
};

test.each(["before", "after"])(
  "the page stays in, if the old session ends %s the answer comes",
  async (when) => {
    const page = await tablet.loggedIn(alice);
    await isLive(page);
    const session = page.door.session;
    page.lamps.length = 0;
    if (when === "before") endsAtOnce();

    await page.door.changePassword(PASSWORD, NEW_PASSWORD);
    if (when === "after") town.tell("end", { detail: CHANGED });

    await isLive(page);
    expect(page.door.session).not.toBe(session);
    expect(page.lamps).not.toContain("ended");
    expect(page.lamps).not.toContain("offline");
    expect(troubles(page)).toEqual([]);
    await (await tablet.restarted()).door.logout({ forget: false });
    await expect(tablet.loggedIn(alice, PASSWORD)).rejects.toThrow("password is wrong");
    await isLive(await tablet.loggedIn(alice, NEW_PASSWORD));
  },
);

test("another tab of the browser is not thrown out", async () => {
  const [page, other] = [await tablet.loggedIn(alice), await tablet.opened()];
  await Promise.all([isLive(page), isLive(other)]);
  const stages: string[] = [];
  other.world.board.subscribe(() => stages.push(stage(other).name));
  endsAtOnce();

  await page.door.changePassword(PASSWORD, NEW_PASSWORD);

  await isLive(other);
  await isLive(page);
  expect(new Set(stages)).toEqual(new Set(["home"]));
});

test("the recovery code stays good", async () => {
  const page = await tablet.loggedIn(alice);
  await isLive(page);
  await page.door.changePassword(PASSWORD, NEW_PASSWORD);
  await page.door.logout({ forget: true });

  await page.door.loginWithRecovery("alice", alice.recovery, PASSWORD);

  await isLive(page);
});

test("who gets no answer to logging in again is told that the password is another one", async () => {
  const page = await tablet.loggedIn(alice);
  await isLive(page);
  lobby.instead = (asked) => (asked === "POST /login" ? problem(503, "busy") : null);

  await expect(page.door.changePassword(PASSWORD, NEW_PASSWORD)).rejects.toThrow("HAS been changed");

  expect(stage(page)).toMatchObject({
    name: "welcome",
    reason: expect.stringContaining("Log in with the new password."),
    handle: "alice",
  });
  lobby.instead = () => null;
  await page.door.login("alice", NEW_PASSWORD);
  await isLive(page);
});

test("what the chain refuses changes nothing", async () => {
  const page = await tablet.loggedIn(alice);
  await isLive(page);
  town.refuse = ({ type }) => (type === "profile" ? { rule: "oversized", detail: "too large" } : null);

  await expect(page.door.changePassword(PASSWORD, NEW_PASSWORD)).rejects.toMatchObject({
    rule: "oversized",
  });

  await page.door.unlock(PASSWORD);
  await isLive(page);
  expect(page.view().unsent).toEqual([]);
});

test.each([
  [PASSWORD, "short", "at least 8 characters"],
  [PASSWORD, "", "at least 8 characters"],
  ["wrong horse battery", NEW_PASSWORD, "not your password"],
])("from %j to %j is refused before anything is written", async (old, wanted, words) => {
  const page = await tablet.loggedIn(alice);
  const size = town.entries.length;

  await expect(page.door.changePassword(old, wanted)).rejects.toThrow(words);

  expect(town.entries).toHaveLength(size);
});

test("a profile that the account did not sign is not signed again", async () => {
  const page = await tablet.loggedIn(alice);
  const forged = town.entries.findLastIndex(({ entry }) => entry.type === "profile");
  const delivered = JSON.stringify(await town.delivered(forged));
  lobby.instead = (asked) => (asked === "GET /v1/profile" ? new Response(delivered) : null);

  await expect(page.door.changePassword(PASSWORD, NEW_PASSWORD)).rejects.toThrow(
    "not a profile of this account",
  );
});

test("the old recovery code is good for nothing after a new one was made", async () => {
  const page = await tablet.loggedIn(alice);

  const code = await page.door.renewRecovery(PASSWORD);
  await page.door.logout({ forget: true });

  await expect(page.door.loginWithRecovery("alice", alice.recovery, NEW_PASSWORD)).rejects.toThrow(
    "The handle or the recovery code is wrong.",
  );
  await page.door.loginWithRecovery("alice", code, NEW_PASSWORD);
  await isLive(page);
});

test.each([true, false])("lets in, and sets another password (keys here: %s)", async (here) => {
  const page = here ? await tablet.loggedIn(alice) : await tablet.opened();
  if (here) await page.door.logout({ forget: false });

  await page.door.loginWithRecovery("alice", alice.recovery, NEW_PASSWORD);

  await isLive(page);
  expect(troubles(page)).toEqual([]);
  await page.door.logout({ forget: false });
  await expect(page.door.login("alice", PASSWORD)).rejects.toThrow("password is wrong");
  await page.door.login("alice", NEW_PASSWORD);
  await isLive(page);
});

test("a new password that is too short is refused before anything is sent", async () => {
  const page = await tablet.opened();
  const before = lobby.asked.length;

  await expect(page.door.loginWithRecovery("alice", alice.recovery, "short")).rejects.toThrow("8 characters");

  expect(lobby.asked).toHaveLength(before);
});

test("a backup that does not open is said, and nothing is changed", async () => {
  const backups = lobby.card(bob.keys.account)?.backups ?? [];
  const carol = await lobby.enroll("carol", PASSWORD, backups);
  const page = await tablet.opened();
  const size = town.entries.length;

  await expect(page.door.loginWithRecovery("carol", carol.recovery, NEW_PASSWORD)).rejects.toThrow(
    "does not open the backup",
  );

  expect(stage(page).name).toBe("restore");
  expect(town.entries).toHaveLength(size);
});

test("who is in although the password could not be set is told so", async () => {
  const page = await tablet.opened();
  town.refuse = ({ type }) => (type === "profile" ? { rule: "oversized", detail: "too large" } : null);

  await page.door.loginWithRecovery("alice", alice.recovery, NEW_PASSWORD);

  await isLive(page);
  expect(troubles(page)).toEqual(["You are logged in. It is too large."]);
});
