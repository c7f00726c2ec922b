import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ALERT, type Enrolled, eventually, isLive, Lobby, PASSWORD, stage, Tablet } from "./lobby";
import { write } from "./room";
import { Town } from "./town";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

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

test("it stays locked when it is loaded again, and goes on hearing alerts", async () => {
  const page = await tablet.loggedIn(alice);
  await isLive(page);
  page.door.lock();
  expect(stage(page)).toEqual({ name: "locked", handle: "alice" });

  const next = await tablet.restarted();
  await write(town, bob.keys, alice.keys, "fall in bed 4", ALERT);

  await eventually(() => expect(next.view().alerts).toMatchObject([{ open: true }]));
  expect(stage(next).name).toBe("locked");
});

test("the right password opens it, also while the gateway is away, and no other one does", async () => {
  const page = await tablet.loggedIn(alice);
  await isLive(page);
  await eventually(async () => expect(await page.door.session.store.profile()).toBeDefined());
  page.door.lock();
  town.down = true;

  await expect(page.door.unlock("wrong horse battery")).rejects.toThrow("not your password");
  await expect(page.door.unlock("")).rejects.toThrow("not your password");
  expect(stage(page).name).toBe("locked");
  await page.door.unlock(PASSWORD);

  expect(stage(page).name).toBe("home");
});

test("it is of one person: who logs out of it, or in after it, is not locked", async () => {
  const page = await tablet.loggedIn(alice);
  page.door.lock();

  await page.door.logout({ forget: false });
  await page.door.login("bob", PASSWORD);

  await isLive(page);
  await isLive(await tablet.restarted());
});

test("it is gone with the session", async () => {
  const page = await tablet.loggedIn(alice);
  page.door.lock();
  await page.vanish();
  lobby.end(alice.keys.account);

  const next = await tablet.restarted();

  expect(stage(next).name).toBe("welcome");
  await next.door.login("alice", PASSWORD);
  await isLive(next);
});

test("all tabs are locked and unlocked together", async () => {
  const [page, other] = [await tablet.loggedIn(alice), await tablet.opened()];
  await Promise.all([isLive(page), isLive(other)]);

  page.door.lock();
  other.door.follow();
  expect(stage(other).name).toBe("locked");
  await other.door.unlock(PASSWORD);
  page.door.follow();

  expect(stage(page).name).toBe("home");
});

test("a page that is opened after a long while is locked", async () => {
  const page = await tablet.loggedIn(alice);
  page.world.visitors.touch(town.clock);
  await isLive(await tablet.restarted());
  town.clock += 10 * 60_000;

  expect(stage(await tablet.restarted()).name).toBe("locked");
});
