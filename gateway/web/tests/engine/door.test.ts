import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  ALERT,
  ENDED,
  type Enrolled,
  eventually,
  isLive,
  Lobby,
  PASSWORD,
  problem,
  stage,
  stopAt,
  Tablet,
  troubles,
} from "./lobby";
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

describe("coming in", () => {
  test("an empty browser has the keys once the password is given", async () => {
    const page = await tablet.loggedIn(alice);

    await isLive(page);
    expect(page.view().me).toMatchObject({ account: alice.keys.account, handle: "alice", name: "ALICE" });
  });

  test.each([
    ["alice", "wrong horse battery"],
    ["nobody", PASSWORD],
    ["", PASSWORD],
    ["alice", ""],
  ])("a wrong login of %j says the same, and leaves nothing", async (handle, password) => {
    const page = await tablet.opened();

    await expect(page.door.login(handle, password)).rejects.toThrow("The handle or the password is wrong.");

    expect(stage(page)).toEqual({ name: "welcome", reason: null, handle: null });
    expect(await indexedDB.databases()).toEqual([]);
  });

  test("a page that is loaded again goes on where it was", async () => {
    await isLive(await tablet.loggedIn(alice));

    const page = await tablet.restarted();

    await isLive(page);
    expect(lobby.asked.filter((asked) => asked === "POST /login")).toHaveLength(1);
  });

  test("a browser that lost its keys says so, and one that never had them does not", async () => {
    await (await tablet.loggedIn(alice)).vanish();
    indexedDB.deleteDatabase(`blockpost-${alice.keys.account}`);

    const page = await tablet.restarted();

    expect(stage(page)).toEqual({ name: "restore", handle: "alice", lost: true });
    tablet.kept.clear();
    expect(stage(await tablet.restarted())).toMatchObject({ lost: false });
  });

  test("keys are restored with the password or the recovery code, and with nothing else", async () => {
    await (await tablet.loggedIn(alice)).vanish();
    indexedDB.deleteDatabase(`blockpost-${alice.keys.account}`);
    const page = await tablet.restarted();

    await expect(page.door.restore({ password: "wrong horse battery" })).rejects.toThrow("not your password");
    await expect(page.door.restore({ recovery: bob.recovery })).rejects.toThrow("does not open the backup");
    await expect(page.door.restore({ recovery: "ABC" })).rejects.toThrow("not a recovery code");
    expect(stage(page).name).toBe("restore");
    await page.door.restore({ recovery: alice.recovery });

    await isLive(page);
  });

  test("who is logged out while they restore is back at the beginning, and knows why", async () => {
    await (await tablet.loggedIn(alice)).vanish();
    indexedDB.deleteDatabase(`blockpost-${alice.keys.account}`);
    const page = await tablet.restarted();
    lobby.end(alice.keys.account);

    await page.door.restore({ password: PASSWORD });

    expect(stage(page)).toMatchObject({ name: "welcome", reason: "Your session has ended. Log in again." });
  });

  test.each(
    (["setMembership", "replaceCheckpoint", "setKeyring"] as const).flatMap((step) => [
      [step, false] as const,
      [step, true] as const,
    ]),
  )(
    "a browser that stops at %s (done: %s) while it restores has everything in the end",
    async (step, done) => {
      const page = await tablet.opened();
      const stopped = stopAt(step, done);
      void page.door.login("alice", PASSWORD);
      await stopped;

      const next = await tablet.restarted();
      if (stage(next).name === "restore") await next.door.restore({ password: PASSWORD });

      await isLive(next);
    },
  );

  test("the gateway is asked until it answers", async () => {
    town.down = true;
    const page = tablet.page();
    const started = page.door.start();
    await eventually(() => expect(page.view().lamp).toBe("offline"));
    expect(stage(page).name).toBe("starting");

    town.down = false;
    page.door.wake();
    await started;

    expect(stage(page).name).toBe("welcome");
  });

  test("a gateway in trouble is told of, and asked again", async () => {
    lobby.instead = (asked) => (asked === "GET /check" ? problem(500, "the disk is full") : null);
    const page = tablet.page();
    const started = page.door.start();
    await eventually(() => expect(troubles(page)).toEqual(["The gateway refused: the disk is full"]));

    lobby.instead = () => null;
    page.door.wake();
    await started;

    expect(stage(page).name).toBe("welcome");
  });
});

describe("going out", () => {
  test("nothing of the one before is there for the next one", async () => {
    const page = await tablet.loggedIn(alice);
    await isLive(page);
    await write(town, bob.keys, alice.keys, "fall in bed 4", ALERT);
    await eventually(() => expect(page.view().alerts).toHaveLength(1));
    page.door.lock();
    const after: unknown[] = [];
    page.world.board.subscribe(() => after.push(page.view()));

    await page.door.logout({ forget: false });

    expect(JSON.stringify(after)).not.toContain(alice.keys.account);
    expect(page.view()).toMatchObject({ me: null, alerts: [], friends: [], unsent: [], troubles: [] });
    await page.door.login("bob", PASSWORD);
    await isLive(page);
    expect(page.view().me?.handle).toBe("bob");
    expect(page.view().alerts).toEqual([]);
  });

  test("a browser that is told to forget has nothing left of them", async () => {
    const page = await tablet.loggedIn(alice);
    await isLive(page);

    await page.door.logout({ forget: true });

    expect(stage(page)).toEqual({ name: "welcome", reason: null, handle: null });
    expect(await indexedDB.databases()).toEqual([]);
    expect(JSON.stringify([...tablet.kept])).not.toContain(alice.keys.account);
  });

  test.each([true, false])(
    "somebody is out at once while the gateway is away, and hears of it when it is back (reloaded: %s)",
    async (reloaded) => {
      const page = await tablet.loggedIn(alice);
      await isLive(page);
      town.down = true;

      const leaving = page.door.logout({ forget: true });
      await eventually(() =>
        expect(page.view()).toMatchObject({ stage: { name: "starting" }, lamp: "offline" }),
      );
      expect(await indexedDB.databases()).toEqual([]);
      expect(page.view().me).toBeNull();
      town.down = false;
      if (!reloaded) {
        page.door.wake();
        await leaving;
      }
      const next = reloaded ? await tablet.restarted() : page;

      expect(stage(next)).toEqual({ name: "welcome", reason: null, handle: null });
      expect(lobby.asked).toContain("POST /logout");
      expect(stage(await tablet.restarted()).name).toBe("welcome");
    },
  );

  test("a browser that stops while it forgets has forgotten in the end", async () => {
    const page = await tablet.loggedIn(alice);
    await isLive(page);
    tablet.kept.set("blockpost.leaving", `forget ${alice.keys.account}`);
    await page.vanish();

    const next = await tablet.restarted();

    expect(stage(next)).toEqual({ name: "welcome", reason: null, handle: null });
    expect(await indexedDB.databases()).toEqual([]);
    expect([...tablet.kept]).toEqual([]);
  });

  test.each([
    ["ended", "Your session has ended. Log in again."],
    ["revoked", "Your account was ended by an administrator."],
  ])("whose session is %s is told why, and their alerts are silent", async (what, reason) => {
    const page = await tablet.loggedIn(alice);
    await isLive(page);
    await write(town, bob.keys, alice.keys, "fall in bed 4", ALERT);
    await eventually(() => expect(page.view().alerts).toMatchObject([{ open: true }]));

    if (what === "ended") lobby.end(alice.keys.account, ENDED);
    else lobby.revoke(alice.keys.account);

    await eventually(() => expect(stage(page)).toEqual({ name: "welcome", reason, handle: "alice" }));
    expect(page.view()).toMatchObject({ lamp: "ended", alerts: [], me: null });
  });

  test("a tab follows when another one logs somebody else in, and shows nothing of who was there", async () => {
    const [page, other] = [await tablet.loggedIn(alice), await tablet.opened()];
    await Promise.all([isLive(page), isLive(other)]);

    await other.door.logout({ forget: false });
    town.tell("end", { detail: ENDED });
    await eventually(() => expect(stage(page).name).toBe("welcome"));
    await page.door.login("alice", PASSWORD);
    await isLive(page);
    await other.door.login("bob", PASSWORD);
    town.tell("end", { detail: ENDED });

    await eventually(() => expect(page.view().me?.handle).toBe("bob"));
    await isLive(page);
    expect(page.door.session.keyring[0].account).toBe(bob.keys.account);
  });

  test("a session that ends while the gateway is away waits with what it shows", async () => {
    const page = await tablet.loggedIn(alice);
    await isLive(page);
    lobby.instead = (asked) => (asked === "GET /check" ? problem(503, "busy") : null);

    lobby.end(alice.keys.account);

    await eventually(() => expect(page.view()).toMatchObject({ stage: { name: "home" }, lamp: "offline" }));
    expect(page.door.session.actions.conversation(bob.keys.account).length).toBe(0);
    lobby.instead = () => null;
    page.door.wake();
    await eventually(() => expect(stage(page).name).toBe("welcome"));
  });

  test("a gateway that contradicts itself ends everything, also after a reload", async () => {
    const page = await tablet.loggedIn(alice);
    await isLive(page);
    await write(town, bob.keys, alice.keys, "fall in bed 4", ALERT);
    await eventually(() => expect(page.view().alerts).toHaveLength(1));
    const { trust } = page.door.session;
    await trust.catch(await town.checkpoint(), "it shows another root");

    town.tell("head", { checkpoint: await town.checkpoint() });

    await eventually(() => expect(stage(page).name).toBe("two-histories"));
    expect(page.view()).toMatchObject({ alerts: [], me: null });
    expect(stage(await tablet.restarted()).name).toBe("two-histories");
  });
});
