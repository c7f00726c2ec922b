import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { giveUpJoining } from "../../src/engine/joining";
import {
  type Enrolled,
  eventually,
  isLive,
  Lobby,
  PASSWORD,
  type Page,
  problem,
  stage,
  stopAt,
  Tablet,
  troubles,
} from "./lobby";
import { Town } from "./town";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let town: Town;
let lobby: Lobby;
let tablet: Tablet;
let alice: Enrolled;

beforeEach(async () => {
  town = await Town.found();
  lobby = new Lobby(town);
  alice = await lobby.enroll("alice");
  tablet = new Tablet(lobby);
});

afterEach(async () => {
  vi.restoreAllMocks();
  await tablet.close();
});

const wish = (code: string) => ({ code, name: "Kim Novak", password: PASSWORD, progress: () => undefined });

test("somebody joins, and is in once the recovery code is confirmed", async () => {
  const page = await tablet.opened();

  await page.door.register(wish(lobby.invite("kim")));

  const shown = stage(page);
  if (shown.name !== "recovery") throw new Error(`want the recovery code, got ${shown.name}`);
  expect(() => page.door.confirmRecovery(alice.recovery)).toThrow("another code");
  page.door.confirmRecovery(shown.code.toLowerCase().replaceAll("-", " "));
  await isLive(page);
  expect(troubles(page)).toEqual([]);
  await isLive(await tablet.restarted());
  expect(troubles(tablet.pages[0] as Page)).toEqual([]);
});

test.each([
  [{ password: "short" }, "at least 8 characters"],
  [{ password: "" }, "at least 8 characters"],
  [{ name: "  " }, "your name"],
  [{ code: "hello" }, "not a join code"],
])("%j is refused before anything is sent", async (wrong, words) => {
  const page = await tablet.opened();
  const before = lobby.asked.length;

  await expect(page.door.register({ ...wish(lobby.invite("kim")), ...wrong })).rejects.toThrow(words);

  expect(lobby.asked).toHaveLength(before);
  expect(await indexedDB.databases()).toEqual([]);
});

test("a code that was used already leaves nothing behind", async () => {
  const page = await tablet.opened();
  const code = lobby.invite("kim");
  lobby.instead = (asked) =>
    asked === "POST /v1/accounts" ? problem(403, "this join code was used already", "invite") : null;

  await expect(page.door.register(wish(code))).rejects.toMatchObject({ rule: "invite" });

  expect(await indexedDB.databases()).toEqual([]);
  expect([...tablet.kept]).toEqual([]);
});

test.each([
  ["setMembership", false, 0],
  ["replaceCheckpoint", true, 0],
  ["queue", false, 1],
  ["queue", true, 1],
  ["setKeyring", false, 0],
] as const)(
  "a browser that stops at %s (done: %s) has no account, and nothing of one",
  async (step, done, after) => {
    const page = await tablet.opened();
    const code = lobby.invite("kim");
    const stopped = stopAt(step, done, after);
    void page.door.register(wish(code));
    await stopped;
    const size = town.entries.length;

    const next = await tablet.restarted();

    expect(stage(next)).toEqual({ name: "welcome", reason: null, handle: null });
    expect(await indexedDB.databases()).toEqual([]);
    expect([...tablet.kept]).toEqual([]);
    expect(town.entries).toHaveLength(size);
  },
);

test.each(["keys", "account", "profile"])(
  "a browser that stops once it has sent the %s goes on, and says that its code is not confirmed",
  async (sent) => {
    const page = await tablet.opened();
    const stopped = sent === "keys" ? stopAt("setKeyring", true) : lostAnswer(sent);
    void page.door.register(wish(lobby.invite("kim")));
    await stopped;

    const next = await tablet.restarted();

    expect(stage(next)).toMatchObject({
      name: "welcome",
      reason: "You have joined as kim. Log in with the password that you chose.",
      handle: "kim",
    });
    await next.door.login("kim", PASSWORD);
    await isLive(next);
    expect(troubles(next)).toEqual([expect.stringContaining("recovery code was not confirmed")]);
    await next.door.renewRecovery(PASSWORD);
    expect(troubles(await tablet.restarted())).toEqual([]);
  },
);

/** The entry is committed, and the browser is gone before it hears of it. */
function lostAnswer(sent: string): Promise<void> {
  return new Promise((reached) => {
    lobby.meanwhile = async (asked) => {
      if (asked !== (sent === "account" ? "POST /v1/accounts" : "POST /v1/entries")) return;
      lobby.meanwhile = () => undefined;
      reached();
      await new Promise(() => undefined);
    };
  });
}

test("as long as there is no answer, it is said and tried again", async () => {
  const page = await tablet.opened();
  const told: string[] = [];
  lobby.meanwhile = (asked) => {
    if (asked !== "POST /v1/accounts") return;
    lobby.meanwhile = () => undefined;
    town.down = true;
  };
  const joining = page.door.register({
    ...wish(lobby.invite("kim")),
    progress: (step) => void told.push(step),
  });
  await eventually(() => expect(told.at(-1)).toContain("Still trying"));

  town.down = false;
  await joining;

  expect(stage(page).name).toBe("recovery");
});

test("a tablet whose clock is wrong joins all the same", async () => {
  const page = await tablet.opened();
  const hours = 5 * 3_600_000;
  vi.spyOn(page.world, "now").mockImplementation(() => town.clock - hours);
  const issued: number[] = [];
  const ask = page.world.gateway.as.bind(page.world.gateway);
  vi.spyOn(page.world.gateway, "as").mockImplementation((authorize) =>
    ask(async () => {
      const token = await authorize();
      issued.push(JSON.parse(atob(token.split(".")[1] ?? "")).iat);
      return token;
    }),
  );

  await page.door.register(wish(lobby.invite("kim")));

  expect(issued.map((seconds) => seconds * 1000)).toEqual([town.clock]);
});

test("a code of a LAN names a root, which is compared with what the gateway says of itself", async () => {
  const page = await tablet.opened();
  town.root = "b".repeat(52);
  const code = lobby.invite("kim");
  const other = code.replace(town.root, "c".repeat(52));
  const size = lobby.asked.length;

  await expect(page.door.register(wish(other))).rejects.toThrow("another gateway");
  expect(lobby.asked.slice(size)).toEqual(["GET /v1/site"]);
  await page.door.register(wish(code));

  expect(stage(page).name).toBe("recovery");
});

describe("six digits", () => {
  beforeEach(() =>
    vi.useFakeTimers({ toFake: ["setTimeout"], shouldAdvanceTime: true, advanceTimeDelta: 50 }),
  );
  afterEach(() => void vi.useRealTimers());

  /** The digits that are on the screen, once they are. */
  async function shown(page: Page) {
    const found = await eventually(() => {
      const at = stage(page);
      if (at.name !== "matching") throw new Error(`want the digits, got ${at.name}`);
      return at;
    });
    expect(found).toMatchObject({ handle: "kim", digits: expect.stringMatching(/^[0-9]{6}$/) });
    return found;
  }

  test("are shown until an admin has confirmed them: then it goes on by itself", async () => {
    const page = await tablet.opened();
    const joining = page.door.register(wish(lobby.invite("kim", { match: true })));
    const { account } = await shown(page);
    expect(town.accounts.has(account)).toBe(false);

    lobby.matching.set(account, true);
    await joining;

    expect(stage(page).name).toBe("recovery");
  });

  test("are the same ones when the page was closed meanwhile", async () => {
    const page = await tablet.opened();
    void page.door.register(wish(lobby.invite("kim", { match: true })));
    const before = await shown(page);

    const next = await tablet.reopened();
    const starting = next.door.start();
    expect(await shown(next)).toEqual(before);
    lobby.matching.set(before.account, true);
    await starting;

    expect(stage(next)).toMatchObject({ name: "welcome", handle: "kim" });
    await next.door.login("kim", PASSWORD);
    await isLive(next);
  });

  test("that are refused leave nothing behind, and the reason is told", async () => {
    const page = await tablet.opened();
    const joining = page.door.register(wish(lobby.invite("kim", { match: true })));
    joining.catch(() => undefined);
    await shown(page);

    lobby.instead = (asked) =>
      asked === "POST /v1/accounts" ? problem(403, "an admin stopped this join code", "invite") : null;
    await expect(joining).rejects.toMatchObject({ rule: "invite" });

    expect(stage(page)).toMatchObject({ name: "welcome", reason: "An admin stopped this join code." });
    expect(await indexedDB.databases()).toEqual([]);
    expect([...tablet.kept]).toEqual([]);
  });

  test("need not be waited for", async () => {
    const page = await tablet.opened();
    const joining = page.door.register(wish(lobby.invite("kim", { match: true })));
    joining.catch(() => undefined);
    await shown(page);

    giveUpJoining(page.world);
    await expect(joining).rejects.toThrow("You gave up joining");

    expect(stage(page)).toMatchObject({ name: "welcome", reason: expect.stringContaining("gave up") });
    expect(await indexedDB.databases()).toEqual([]);
    expect([...tablet.kept]).toEqual([]);
  });
});
