import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { episodeKey } from "../../src/engine/episodes";
import type { Turns } from "../../src/engine/locks";
import { Opener } from "../../src/engine/opener";
import { makeBody, refOf } from "../../src/proto/body";
import { type Said, writeText } from "../../src/proto/content";
import { type Deed, type Message, newEntryId } from "../../src/proto/entry";
import { FORWARD, writeForward } from "../../src/proto/forward";
import type { Keys } from "../../src/proto/keyfile";
import { LIMITS, SETTINGS } from "../../src/proto/limits";
import { outsideOf, seal, unseal } from "../../src/proto/sealing";
import type { Terms } from "../../src/proto/terms";
import { person } from "../proto/people";
import { FairTurns, moveIn, newBrowser, openTab, type Tab, write } from "./room";
import { Town } from "./town";

const eventually = <T>(check: () => T | Promise<T>) => vi.waitFor(check, { timeout: 20_000, interval: 10 });
vi.setConfig({ testTimeout: 60_000 });

const WARD = `g-${"a".repeat(26)}`;
const CALL = `g-${"b".repeat(26)}`;
const EPISODE = "AAAAAAAAAAAAAAAAAAAAAA";
const START = { episode: EPISODE, kind: "physiological", priority: "high", state: "start" } as const;
const HOUR = 3_600_000;

let town: Town;
let alice: Keys;
let fridge: Keys;
let carol: Keys;
let dave: Keys;
const tabs: Tab[] = [];

beforeEach(async () => {
  [town, alice, fridge, carol, dave] = await Promise.all([
    Town.found(),
    person("alice"),
    person("bob"),
    person("carol"),
    person("dave"),
  ]);
  await town.join(alice, "alice");
  await town.join(fridge, "fridge", "device");
  await town.join(carol, "carol");
  await town.join(dave, "dave", "person", "admin");
  newBrowser();
  await moveIn(town, alice);
});

afterEach(async () => {
  for (const { session } of tabs.splice(0)) await session.stop();
});

async function live(turns?: Turns): Promise<Tab> {
  const opened = await openTab(town, alice, turns);
  tabs.push(opened);
  opened.session.start();
  await eventually(() => expect(opened.world.board.view().lamp).toBe("live"));
  return opened;
}

/** An admin says who is in a group. */
async function group(id: string, ...members: Keys[]): Promise<void> {
  const sorted = members.map(({ account }) => account).sort();
  town.groups.set(id, sorted);
  await town.say(dave, { type: "group", group: id, members: sorted });
}

const alerts = (page: Tab) => page.world.board.view().alerts;
const duty = (page: Tab) => page.world.board.view().duty;
const keyOf = () => episodeKey(fridge.account, EPISODE);

/** A message by somebody who is not at the page. */
async function post(from: Keys, to: Keys, { cty, content }: Said, re?: string): Promise<string> {
  const mid = newEntryId(town.clock);
  const recipients = [to.sealing.public, from.sealing.public];
  const sealed = await seal(content, {
    ...{ cty, iss: from.account, skid: from.signing.kid, mid, recipients },
  });
  const body = makeBody(sealed.body);
  const { commitment } = sealed;
  const marks = re === undefined ? {} : { re };
  const says = { type: "message" as const, to: to.account, commitment, body: refOf(body), ...marks };
  await town.say(from, says, body, { id: mid });
  return mid;
}

function committed(id: string): { entry: Message; body: string } {
  const found = town.entries.find((each) => each.entry.id === id);
  if (found?.entry.type !== "message" || found.body === undefined) throw new Error(`no message ${id}`);
  return { entry: found.entry, body: found.body };
}

/** What it takes to hand a message on, for somebody who can open it. */
function handedOn(id: string, by: Keys) {
  const { entry, body } = committed(id);
  const keys = new Map([[by.sealing.kid, by.sealing.private]]);
  const { author, commitment } = entry;
  return unseal(body, { keys, author, mid: id, commitment, signer: fridge.signing.kid });
}

const step = (about: string, to: string): Deed => ({ contract: "escalate", did: "step", about, step: 0, to });

// Alerts that come to concern us

test("an alert that a step brings to us is fetched, proven and heard", async () => {
  const page = await live();
  const id = await write(town, fridge, carol, "9.4 °C", START);
  await town.say(carol, { type: "status", about: id, state: "seen" });

  await town.tick([step(id, alice.account)], [alice.account]);

  await eventually(() =>
    expect(alerts(page)).toMatchObject([
      { open: true, sounding: true, seenBy: [{ title: "CAROL" }], escalation: { lap: 1 } },
    ]),
  );
  expect(page.world.board.view().troubles).toEqual([]);
});

test("an alert is still there when the page is opened again", async () => {
  const first = await live();
  const id = await write(town, fridge, carol, "9.4 °C", START);
  await town.tick([step(id, alice.account)], [alice.account]);
  await eventually(() => expect(alerts(first)).toHaveLength(1));
  await first.session.stop();
  town.alerts.clear();

  const again = await live();

  await eventually(() => expect(alerts(again)).toMatchObject([{ open: true, message: id }]));
});

test("an alert that was open when we came into its group is found in the gateway's list", async () => {
  const id = await write(town, fridge, carol, "9.4 °C", START);
  town.alerts.set(alice.account, [line(id)]);

  const page = await live();

  await eventually(() =>
    expect(alerts(page)).toMatchObject([
      {
        message: id,
        escalation: {
          steps: [{ title: "On-call", at: null }],
          next: { title: "On-call", due: town.clock + 60_000 },
        },
      },
    ]),
  );
});

function line(id: string) {
  return {
    ...{ id, contract: "escalate", step: null, lap: 0, due_in: 60_000, nobody: false },
    ...{ steps: [{ to: CALL, name: "On-call", after: 60 }], concerns: [alice.account] },
  };
}

test("an alert that the gateway does not let us have is asked for once", async () => {
  const page = await live();
  const asked = () => town.asked.filter((each) => each.startsWith("GET /v1/alerts/"));
  await town.tick([step(newEntryId(town.clock), alice.account)], [alice.account]);
  await eventually(() => expect(asked()).toHaveLength(1));
  const lists = town.asked.length;

  await write(town, fridge, alice, "9.4 °C", START);
  await eventually(() => expect(alerts(page)).toHaveLength(1));
  await eventually(() => expect(town.asked.slice(lists)).toContain("GET /v1/alerts"));

  expect(asked()).toHaveLength(1);
});

test("that nobody answered is told to whoever may not see the alert, while it is news", async () => {
  const page = await live();
  const troubles = () => page.world.board.view().troubles.map(({ text }) => text);
  const nobody = (): Deed => ({ contract: "escalate", did: "nobody", about: newEntryId(town.clock) });
  const now = town.clock;
  town.clock = now - 25 * HOUR;
  await town.tick([nobody()], [alice.account]);
  await eventually(() => expect(town.asked.filter((each) => each.endsWith("/entries"))).toHaveLength(1));
  town.clock = now;

  await town.tick([nobody()], [alice.account]);

  await eventually(() => expect(troubles()).toHaveLength(1));
  expect(troubles()[0]).toContain("nobody had answered an alert");
});

// What is handed on

test("what was not sealed for us opens once it is handed on, and says by whom", async () => {
  const page = await live();
  const id = await write(town, fridge, carol, "9.4 °C", START);
  await town.tick([step(id, alice.account)], [alice.account]);
  await eventually(() => expect(alerts(page)).toHaveLength(1));
  expect(await page.session.actions.open(id)).toMatchObject({ kind: "sealed" });
  const version = page.session.actions.conversation(fridge.account).version;
  const [before] = alerts(page);

  await post(carol, alice, writeForward(id, await handedOn(id, carol)), id);

  await eventually(async () =>
    expect(await page.session.actions.open(id)).toEqual({
      ...{ kind: "text", text: "9.4 °C", forwardedBy: "CAROL" },
    }),
  );
  expect(page.session.actions.conversation(fridge.account).version).not.toBe(version);
  await eventually(() => expect(alerts(page)[0]).not.toBe(before));
  expect(page.session.actions.conversation(carol.account).length).toBe(0);
});

test("what its author never said does not open in its place", async () => {
  const page = await live();
  const id = await write(town, fridge, carol, "9.4 °C", START);
  await town.tick([step(id, alice.account)], [alice.account]);
  const said = await handedOn(id, carol);

  await post(carol, alice, writeForward(id, { ...said, content: "4.9 °C" }), id);
  await write(town, carol, alice, "look");

  await eventually(() => expect(page.session.actions.conversation(carol.account).length).toBe(1));
  await eventually(() => expect(alerts(page)).toHaveLength(1));
  expect(await page.session.actions.open(id)).toMatchObject({ kind: "sealed" });
});

function forwards(): { to: string; re: string | undefined; id: string }[] {
  return town.entries.flatMap(({ entry, body }) =>
    entry.type === "message" && outsideOf(body ?? "")?.cty === FORWARD
      ? { to: entry.to, re: entry.re, id: entry.id }
      : [],
  );
}

test("whoever comes into a group is handed what is open there, once", async () => {
  await group(WARD, alice);
  const page = await live();
  const id = await write(town, fridge, WARD, "9.4 °C", START);
  await eventually(() => expect(alerts(page)).toMatchObject([{ open: true }]));
  await eventually(() => expect(duty(page)).toMatchObject([{ members: [{ mine: true }] }]));

  await group(WARD, alice, carol);

  await eventually(() => expect(forwards()).toMatchObject([{ to: carol.account, re: id }]));
  const shelves = {
    find: async (about: string) => town.delivered(town.entries.findIndex(({ entry }) => entry.id === about)),
    forwardsOf: () => forwards().map((forward) => forward.id),
    titleOf: () => "Alice",
  };
  expect(await new Opener([carol], shelves).open(id)).toEqual({
    ...{ kind: "text", text: "9.4 °C", forwardedBy: "Alice" },
  });
  await page.session.stop();
  const again = await live();
  await eventually(() => expect(duty(again)).toMatchObject([{ members: [{}, {}] }]));
  await eventually(() => expect(again.world.board.view().unsent).toEqual([]));
  expect(forwards()).toHaveLength(1);
});

test("of several tabs one hands on, and when it is closed the next one does", async () => {
  await group(WARD, alice);
  const turns = new FairTurns();
  const first = await live(turns);
  const second = await live(turns);
  await write(town, fridge, WARD, "9.4 °C", START);
  for (const page of [first, second]) await eventually(() => expect(alerts(page)).toHaveLength(1));
  await group(WARD, alice, carol);
  await eventually(() => expect(forwards()).toMatchObject([{ to: carol.account }]));
  await eventually(() => expect(duty(second)).toMatchObject([{ members: [{}, {}] }]));

  await first.session.stop();
  await group(WARD, alice, carol, dave);

  await eventually(() => expect(forwards()).toMatchObject([{ to: carol.account }, { to: dave.account }]));
});

test("nothing is handed on of what was taken", async () => {
  await group(WARD, alice);
  const page = await live();
  await write(town, fridge, WARD, "9.4 °C", START);
  await eventually(() => expect(alerts(page)).toMatchObject([{ open: true }]));
  await page.session.actions.take(keyOf());
  await eventually(() => expect(alerts(page)).toMatchObject([{ open: false }]));

  await group(WARD, alice, carol);

  await eventually(() => expect(duty(page)).toMatchObject([{ members: [{}, {}] }]));
  expect(forwards()).toEqual([]);
});

const ESCALATE: Terms = {
  ...{ kind: "escalate", version: 1, when: "is_alert" },
  params: { steps: [{ to: CALL, after: 60 }], wait: 60, laps: 1 },
};

async function escalatesTo(by: Keys, ...parties: string[]): Promise<void> {
  await town.say(by, { type: "contract", action: "install", contract: "escalate", terms: ESCALATE });
  town.escalation = { contract: "escalate", parties };
}

test("whom a step names is handed what is open, as the admin's contract says", async () => {
  await group(WARD, alice);
  await group(CALL, carol);
  await escalatesTo(dave, CALL);
  const page = await live();
  const id = await write(town, fridge, WARD, "9.4 °C", START);
  await eventually(() => expect(alerts(page)).toHaveLength(1));
  expect(forwards()).toEqual([]);

  await town.tick([step(id, CALL)], [alice.account]);

  await eventually(() => expect(forwards()).toMatchObject([{ to: carol.account, re: id }]));
});

test.each([
  ["a contract that no admin signed", () => [carol, CALL] as const],
  ["a party that the contract does not name", () => [dave, carol.account] as const],
])("nothing is handed on by %s", async (_, invented) => {
  await group(WARD, alice);
  await group(CALL, carol);
  const [by, party] = invented();
  await escalatesTo(by, party);
  const page = await live();
  await eventually(() => expect(duty(page)).toHaveLength(1));
  const id = await write(town, fridge, WARD, "9.4 °C", START);
  await eventually(() => expect(alerts(page)).toHaveLength(1));
  const asked = () => town.asked.filter((each) => each === "POST /v1/intents").length;
  await eventually(() => expect(asked()).toBe(1));

  await town.tick([step(id, party)], [alice.account]);

  // The ward again, and the party that was named.
  await eventually(() => expect(asked()).toBe(3));
  await page.session.actions.send(carol.account, { text: "after" });
  await eventually(() => expect(page.world.board.view().unsent).toEqual([]));
  expect(forwards()).toEqual([]);
});

// Duty

test("who is on duty is known at the start, and again when somebody takes a shift", async () => {
  await group(WARD, alice, carol);
  const page = await live();
  await eventually(() => expect(duty(page)).toMatchObject([{ id: WARD, everybody: true, mine: true }]));

  const [begins, ends] = [town.clock, town.clock + HOUR];
  await town.say(carol, { type: "shift", party: WARD, account: carol.account, begins, ends });

  await eventually(() =>
    expect(duty(page)).toMatchObject([{ mine: false, on: [{ title: "CAROL", until: ends }] }]),
  );
});

test("all groups are asked for, page by page", async () => {
  await group(WARD, alice);
  await group(CALL, alice, carol);

  const page = await live();

  await eventually(() => expect(duty(page)).toMatchObject([{ id: WARD }, { id: CALL }]));
});

test("somebody in a group whom we may not know has no name, and that is no trouble", async () => {
  const mallory = await person("mallory");
  await group(WARD, alice, carol, mallory);
  const page = await live();
  const names = () => duty(page)?.flatMap(({ members }) => members.map(({ title }) => title));

  await eventually(() => expect(names()).toContain("CAROL"));
  await eventually(() => expect(town.asked).toContain(`GET /v1/accounts/${mallory.account}`));

  expect(names()).toContain(mallory.account.slice(0, 8));
  await page.session.actions.send(carol.account, { text: "hello" });
  await eventually(() => expect(page.world.board.view().unsent).toEqual([]));
  expect(page.world.board.view().troubles).toEqual([]);
});

test("who is off duty sees an alert and does not hear it, until a shift begins", async () => {
  await group(WARD, alice, carol);
  const begins = town.clock - HOUR;
  const ends = town.clock + 200;
  await town.say(carol, { type: "shift", party: WARD, account: carol.account, begins, ends });
  const page = await live();
  await eventually(() => expect(duty(page)).toMatchObject([{ mine: false }]));
  await write(town, fridge, WARD, "9.4 °C", START);
  await eventually(() => expect(alerts(page)).toMatchObject([{ open: true, duty: false, sounding: false }]));

  town.clock = ends;

  await eventually(() => expect(alerts(page)).toMatchObject([{ duty: true, sounding: true }]));
});

test("a shift is taken from somebody, and the note about it goes to the group", async () => {
  await group(WARD, alice, carol);
  const page = await live();
  const [begins, ends] = [town.clock, town.clock + HOUR];

  const shift = { from: carol.account, begins, ends, note: "Bed 4 is restless." };
  await page.session.actions.takeShift(WARD, shift);

  await eventually(() => expect(duty(page)).toMatchObject([{ mine: true, shifts: [{ mine: true, ends }] }]));
  await eventually(() => expect(town.entries.at(-1)?.entry).toMatchObject({ type: "message", to: WARD }));
  const [said, note] = town.entries.slice(-2).map(({ entry }) => entry);
  expect(said).toMatchObject({
    ...{ type: "shift", party: WARD, account: alice.account, instead: carol.account, begins, ends },
  });
  expect(note).toMatchObject({ re: said?.id });
});

test.each([
  ["A shift ends after it begins.", 0],
  ["A shift lasts at most 31 days.", 31 * 24 * HOUR + 1],
])("a shift that the chain would refuse is not sent: %s", async (why, long) => {
  const page = await live();
  const { clock } = town;

  const taking = page.session.actions.takeShift(WARD, { begins: clock, ends: clock + long });

  await expect(taking).rejects.toThrow(why);
});

// Deeds

test("a snooze says until when, and why", async () => {
  const page = await live();
  const about = await write(town, fridge, alice, "9.4 °C", START);
  await eventually(() => expect(alerts(page)).toHaveLength(1));
  const until = town.clock + HOUR;

  await page.session.actions.snooze(keyOf(), until, "repair");

  await eventually(() =>
    expect(alerts(page)).toMatchObject([
      { open: true, sounding: false, snoozed: { until, reason: "repair", mine: true } },
    ]),
  );
  expect(town.entries.at(-1)?.entry).toMatchObject({
    ...{ type: "status", about, state: "snoozed", until, reason: "repair" },
  });
});

test.each([
  ["An alert is left alone until some time to come.", 0],
  ["An alert is left alone for 24 hours at most.", 24 * HOUR + 1],
])("a snooze that the chain would refuse is not sent: %s", async (why, long) => {
  const page = await live();
  await write(town, fridge, alice, "9.4 °C", START);
  await eventually(() => expect(alerts(page)).toHaveLength(1));

  const snoozing = page.session.actions.snooze(keyOf(), town.clock + long, "care");

  await expect(snoozing).rejects.toThrow(why);
});

test("a drill is an alert for the group and for those whom it may escalate to", async () => {
  await group(WARD, alice);
  await group(CALL, carol);
  await escalatesTo(dave, CALL);
  const page = await live();
  await eventually(() => expect(duty(page)).toMatchObject([{ drill: null, drillDue: true }]));
  await group(WARD, alice, fridge);

  await page.session.actions.drill(WARD);

  await eventually(() =>
    expect(duty(page)).toMatchObject([{ drill: { title: "Me", taken: null }, drillDue: false }]),
  );
  const { entry, body } = town.entries.at(-1) ?? {};
  expect(entry).toMatchObject({
    ...{ to: WARD, alert: { kind: "technical", priority: "medium", state: "start" } },
  });
  expect(outsideOf(body ?? "")?.kids.toSorted()).toEqual(
    [alice, fridge, carol].map(({ sealing }) => sealing.kid).sort(),
  );
  expect(alerts(page)).toEqual([]);
});

test("other limits are asked of the device, and hold once it says so", async () => {
  const page = await live();
  const settings = (high: number, change = {}) => ({
    cty: SETTINGS,
    content: JSON.stringify({ sensors: [{ sensor: "fridge", high, priority: "high", ...change }] }),
  });
  await post(fridge, alice, settings(8));
  await eventually(() => expect(page.session.actions.conversation(fridge.account).length).toBe(1));
  const limits = () => page.session.actions.limits(fridge.account);

  await page.session.actions.setLimits(fridge.account, "fridge", { high: 7 });
  await eventually(async () =>
    expect(await limits()).toMatchObject([
      { sensor: "fridge", limits: { high: 8 }, pending: { title: "Me", changes: { high: 7 } } },
    ]),
  );
  await eventually(() => expect(page.world.board.view().unsent).toEqual([]));
  const request = town.entries.at(-1)?.entry.id ?? "";
  expect(outsideOf(committed(request).body)?.cty).toBe(LIMITS);
  await post(fridge, alice, settings(7, { by: alice.account, at: 5, request }), request);

  await eventually(async () =>
    expect(await limits()).toMatchObject([
      { limits: { high: 7 }, changed: { title: "Me", at: 5 }, pending: null, refused: null },
    ]),
  );
});

test("a wish without a change, or that no device would read, is not sent", async () => {
  const page = await live();
  const wish = (changes: object) => page.session.actions.setLimits(fridge.account, "fridge", changes);

  await expect(wish({})).rejects.toThrow("There is nothing to change.");
  await expect(wish({ clearBy: -1 })).rejects.toThrow("No device would take this");
  expect(town.entries.some(({ entry }) => entry.type === "message")).toBe(false);
});

test("the alarm load is by week, the newest first, and says who", async () => {
  const counted = { alerts: 3, technical: 1, taken: 2, nobody: 1 };
  town.documents.set("/v1/alerts/load", {
    weeks: [
      { author: fridge.account, week: 1, ...counted, median_ms: 90_000 },
      { author: fridge.account, week: 2, ...counted, median_ms: null, more: 1 },
    ],
  });
  const page = await live();
  await eventually(() => expect(page.session.titleOf(fridge.account)).toBe("FRIDGE"));

  expect(await page.session.actions.alarmLoad()).toEqual([
    { author: fridge.account, title: "FRIDGE", week: 2, ...counted, median: null },
    { author: fridge.account, title: "FRIDGE", week: 1, ...counted, median: 90_000 },
  ]);
});

test("a contract in force says what it does, and whom it names", async () => {
  const listed = { id: "escalate", hash: "x", kind: "escalate", installed: 5, words: ["It escalates."] };
  town.documents.set("/v1/contracts", {
    contracts: [
      { ...listed, terms: ESCALATE },
      {
        ...{ ...listed, id: "quiet", kind: "access" },
        terms: { kind: "access", version: 1, when: "is_alert", params: {} },
      },
    ],
  });
  const page = await live();

  expect(await page.session.actions.contracts()).toMatchObject([
    { id: "escalate", words: ["It escalates."], steps: [{ party: CALL, after: 60 }] },
    { id: "quiet", steps: [] },
  ]);
});

test("words of a note are not needed to take a shift", async () => {
  await group(WARD, alice, carol);
  const page = await live();
  const note = writeText(" ").content;

  await page.session.actions.takeShift(WARD, { begins: town.clock, ends: town.clock + HOUR, note });

  expect(town.entries.at(-1)?.entry).toMatchObject({ type: "shift", account: alice.account });
});
