import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Keys } from "../../src/proto/keyfile";
import { person } from "../proto/people";
import { FairTurns, moveIn, newBrowser, openTab, type Tab, write } from "./room";
import { Town } from "./town";

/** The machine may be busy: what is waited for is said, and not for how long. */
const eventually = <T>(check: () => T | Promise<T>) => vi.waitFor(check, { timeout: 20_000, interval: 10 });
vi.setConfig({ testTimeout: 60_000 });

let town: Town;
let alice: Keys;
let bob: Keys;
let carol: Keys;
const tabs: Tab[] = [];

beforeEach(async () => {
  [town, alice, bob, carol] = await Promise.all([
    Town.found(),
    person("alice"),
    person("bob"),
    person("carol"),
  ]);
  await town.join(alice, "alice");
  await town.join(bob, "bob");
  newBrowser();
  await moveIn(town, alice);
});

afterEach(async () => {
  for (const { session } of tabs.splice(0)) await session.stop();
});

async function tab(turns?: FairTurns): Promise<Tab> {
  const opened = await openTab(town, alice, turns);
  tabs.push(opened);
  return opened;
}

async function live(turns?: FairTurns): Promise<Tab> {
  const opened = await tab(turns);
  opened.session.start();
  await eventually(() => expect(opened.world.board.view().lamp).toBe("live"));
  return opened;
}

function texts({ session }: Tab, party: string): Promise<string[]> {
  const conversation = session.actions.conversation(party);
  const lines = Array.from({ length: conversation.length }, (_, at) => conversation.line(at));
  return Promise.all(
    lines.map(async ({ id }) => {
      const opened = await session.actions.open(id);
      return opened.kind === "text" ? opened.text : opened.kind;
    }),
  );
}

test("what was said before is read, and what is said now comes by itself", async () => {
  await write(town, bob, alice, "before");
  const page = await live();

  await write(town, bob, alice, "now");

  await eventually(async () => expect(await texts(page, bob.account)).toEqual(["before", "now"]));
});

test("a message goes out, and is a line of the chain", async () => {
  const page = await live();

  await page.session.actions.send(bob.account, { text: "hello" });

  await eventually(() => {
    const conversation = page.session.actions.conversation(bob.account);
    expect(conversation.line(0)).toMatchObject({ mine: true, state: "committed" });
  });
  expect(await texts(page, bob.account)).toEqual(["hello"]);
  await eventually(() => expect(page.world.board.view().unsent).toEqual([]));
});

function conversationOf({ session }: Tab, party: string): string[] {
  const conversation = session.actions.conversation(party);
  return Array.from({ length: conversation.length }, (_, at) => conversation.line(at).state);
}

const EPISODE = "AAAAAAAAAAAAAAAAAAAAAA";
const START = { episode: EPISODE, kind: "physiological", priority: "high", state: "start" } as const;

test("an alert is listed, taken, and told of to the other one", async () => {
  const page = await live();
  await write(town, bob, alice, "fall in bed 4", START);
  const alerts = () => page.world.board.view().alerts;
  await eventually(() => expect(alerts()).toMatchObject([{ open: true, active: true, priority: "high" }]));
  const [alert] = alerts();

  await page.session.actions.take(alert?.episode ?? "");

  await eventually(() =>
    expect(alerts()).toMatchObject([{ open: false, takenBy: { title: "Me", mine: true } }]),
  );
  expect(town.entries.at(-1)?.entry).toMatchObject({ type: "status", state: "taken", about: alert?.message });
});

test("a taking that is not on the chain yet does not show", async () => {
  const page = await live();
  await write(town, bob, alice, "fall in bed 4", START);
  await eventually(() => expect(page.world.board.view().alerts).toHaveLength(1));
  town.busy = 1_000;

  await page.session.actions.take(page.world.board.view().alerts[0]?.episode ?? "");

  await eventually(() => expect(page.world.board.view().unsent).toMatchObject([{ state: "pending" }]));
  expect(page.world.board.view().alerts).toMatchObject([{ open: true, takenBy: null }]);
});

test("to look at a conversation says so once, and makes it read", async () => {
  const page = await live();
  await write(town, bob, alice, "one");
  await write(town, bob, alice, "two");
  const unread = () => page.world.board.view().friends.find(({ id }) => id === bob.account)?.unread;
  await eventually(() => expect(unread()).toBe(2));

  await Promise.all([page.session.actions.markRead(bob.account), page.session.actions.markRead(bob.account)]);

  await eventually(() => expect(unread()).toBe(0));
  await eventually(() =>
    expect(page.session.actions.conversation(bob.account).line(0).seenBy).toHaveLength(1),
  );
  const said = town.entries.filter(({ entry }) => entry.type === "status");
  expect(said.map(({ entry }) => entry.type === "status" && entry.state)).toEqual(["seen"]);
});

test("messages written while the gateway is away go out in their order when it is back", async () => {
  const page = await live();
  await page.session.actions.send(bob.account, { text: "known addressee" });
  await eventually(() => expect(page.world.board.view().unsent).toEqual([]));
  town.down = true;
  town.cut();
  await eventually(() => expect(page.world.board.view().lamp).toBe("offline"));

  for (const text of ["one", "two", "three"]) await page.session.actions.send(bob.account, { text });
  expect(conversationOf(page, bob.account)).toEqual(["committed", "pending", "pending", "pending"]);
  town.down = false;
  page.session.wake();

  await eventually(() => expect(conversationOf(page, bob.account)).toEqual(Array(4).fill("committed")));
  expect(await texts(page, bob.account)).toEqual(["known addressee", "one", "two", "three"]);
  const mine = town.entries.flatMap(({ entry }) =>
    entry.stream !== undefined && entry.type === "message" ? entry.seq : [],
  );
  expect(mine).toEqual([1, 2, 3, 4]);
});

test("an answer that got lost is asked for again with the same bytes, and committed once", async () => {
  const page = await live();
  town.lostAnswers = 1;

  await page.session.actions.send(bob.account, { text: "once" });
  await eventually(() => expect(town.asked.filter((each) => each === "POST /v1/entries")).toHaveLength(1));
  page.session.wake();

  await eventually(() => expect(page.world.board.view().unsent).toEqual([]));
  expect(town.entries.filter(({ entry }) => entry.type === "message")).toHaveLength(1);
  expect(await texts(page, bob.account)).toEqual(["once"]);
});

test("what is refused is set apart with its reason, and later ones go on", async () => {
  const page = await live();
  let refusals = 1;
  town.refuse = ({ type }) =>
    type === "message" && refusals-- > 0 ? { rule: "contact", detail: "not in contact" } : null;

  await page.session.actions.send(bob.account, { text: "refused" });
  await page.session.actions.send(bob.account, { text: "taken" });

  await eventually(() => expect(conversationOf(page, bob.account)).toEqual(["committed", "refused"]));
  // The chain may tell of the second before the answer to it is read.
  await eventually(() =>
    expect(page.world.board.view().unsent).toMatchObject([
      { what: "message to BOB", state: "refused", reason: expect.stringContaining("contact") },
    ]),
  );
  const [refused] = page.world.board.view().unsent;

  await page.session.actions.retry(refused?.id ?? "");

  await eventually(() => expect(conversationOf(page, bob.account)).toEqual(["committed", "committed"]));
  expect(await texts(page, bob.account)).toEqual(["taken", "refused"]);
});

test("what was refused can be given up", async () => {
  const page = await live();
  town.refuse = () => ({ rule: "contact", detail: "not in contact" });
  await page.session.actions.send(bob.account, { text: "refused" });
  await eventually(() => expect(conversationOf(page, bob.account)).toEqual(["refused"]));

  await page.session.actions.discard(page.world.board.view().unsent[0]?.id ?? "");

  expect(conversationOf(page, bob.account)).toEqual([]);
});

test("a store that is older than what it sent begins another stream", async () => {
  const page = await live();
  let behind = true;
  town.refuse = () => {
    const refused = behind ? { rule: "sequence", detail: "want a higher seq" } : null;
    behind = false;
    return refused;
  };

  await page.session.actions.send(bob.account, { text: "again" });

  await eventually(() => expect(conversationOf(page, bob.account)).toEqual(["committed"]));
  expect(await texts(page, bob.account)).toEqual(["again"]);
});

test("two tabs of a browser share a stream, and see what the other one sends", async () => {
  const turns = new FairTurns();
  const one = await live(turns);
  const other = await live(turns);

  await Promise.all([
    one.session.actions.send(bob.account, { text: "from one" }),
    other.session.actions.send(bob.account, { text: "from the other" }),
  ]);

  for (const page of [one, other])
    await eventually(() => expect(conversationOf(page, bob.account)).toEqual(["committed", "committed"]));
  const sent = town.entries.flatMap(({ entry }) => (entry.type === "message" ? [entry] : []));
  expect(new Set(sent.map(({ stream }) => stream)).size).toBe(1);
  expect(sent.map(({ seq }) => seq)).toEqual([1, 2]);
});

test("after a gap nothing is lost, and nothing is there twice", async () => {
  const page = await live();
  await write(town, bob, alice, "one");
  await eventually(() => expect(conversationOf(page, bob.account)).toHaveLength(1));
  town.cut();
  await write(town, bob, alice, "two");
  page.session.wake();
  await eventually(() => expect(town.listening).toBe(1));

  await write(town, bob, alice, "three");

  await eventually(async () => expect(await texts(page, bob.account)).toEqual(["one", "two", "three"]));
});

test("a message of ours that comes back before its receipt is one line", async () => {
  const page = await live();
  const lengths = new Set<number>();
  page.world.board.subscribe(() => lengths.add(page.session.actions.conversation(bob.account).length));

  for (let i = 0; i < 5; i += 1) await page.session.actions.send(bob.account, { text: `${i}` });
  await eventually(() => expect(conversationOf(page, bob.account)).toEqual(Array(5).fill("committed")));
  await eventually(() => expect(page.world.board.view().unsent).toEqual([]));

  expect(Math.max(...lengths)).toBe(5);
});

test("what a stream tells twice is there once", async () => {
  const page = await live();
  await write(town, bob, alice, "one");
  await eventually(() => expect(conversationOf(page, bob.account)).toHaveLength(1));

  town.tell("entry", await town.delivered(town.entries.length - 1));
  await write(town, bob, alice, "two");

  await eventually(async () => expect(await texts(page, bob.account)).toEqual(["one", "two"]));
});

test("a page that is loaded again has what it had, without asking", async () => {
  const before = await live();
  await write(town, bob, alice, "kept");
  await eventually(() => expect(conversationOf(before, bob.account)).toHaveLength(1));
  await before.session.stop();
  town.down = true;

  const after = await tab();

  expect(await texts(after, bob.account)).toEqual(["kept"]);
});

test("a history that does not continue is caught, kept as evidence, and refused from then on", async () => {
  const page = await live();
  await write(town, bob, alice, "one");
  await eventually(() => expect(conversationOf(page, bob.account)).toHaveLength(1));

  town.rewrite(1, town.entries[2]?.leaf ?? "");
  await write(town, bob, alice, "two").catch(() => undefined);

  await eventually(() => expect(page.ended).toEqual([{ because: "two-histories" }]));
  const evidence = await page.session.store.evidence();
  expect(evidence?.held).toContain(town.origin);
  expect(evidence?.shown).toContain(town.origin);
  expect(conversationOf(page, bob.account)).toHaveLength(1);
  await expect(tab()).rejects.toThrow("refused");
});

test("an entry that is on the chain and not its author's is told of, and not shown", async () => {
  const page = await live();
  const says = { type: "status", about: "0197b2c4-5d6e-7f80-9a1b-2c3d4e5f6071", state: "seen" } as const;
  const [head, , signature] = (await town.say(bob, says)).leaf.split(".");
  const [, payload] = (await town.say(bob, says)).leaf.split(".");
  const [otherHead] = (await town.say(carol, says)).leaf.split(".");

  // Bob's key and not his signature; and the key of somebody else.
  await town.smuggle(`${head}.${payload}.${signature}`, [alice.account]);
  await town.smuggle(`${otherHead}.${payload}.${signature}`, [alice.account]);
  await write(town, bob, alice, "after");

  await eventually(() => expect(conversationOf(page, bob.account)).toHaveLength(1));
  const { length } = town.entries;
  expect(page.world.board.view().troubles).toMatchObject([
    { text: expect.stringContaining(`Entry ${length - 3} of the chain is not proven`) },
    { text: expect.stringContaining(`Entry ${length - 2} of the chain is not proven`) },
  ]);
  const stored = (await page.session.store.lines()).map(({ index }) => index);
  expect(stored).toEqual([1, length - 1]);
});

test("a session that ends is told of, and its lamp is out", async () => {
  const page = await live();

  town.tell("end", { detail: "session: it has ended; log in again" });

  await eventually(() => expect(page.ended).toMatchObject([{ because: "logged-out" }]));
  expect(page.world.board.view().lamp).toBe("ended");
});

test("a gateway that is away is no ended session", async () => {
  const page = await live();
  town.busy = 3;
  town.cut();
  await eventually(() => expect(page.world.board.view().lamp).toBe("offline"));

  await eventually(() => {
    page.session.wake();
    expect(page.world.board.view().lamp).toBe("live");
  });

  expect(page.ended).toEqual([]);
});

test("who comes and goes is shown at once", async () => {
  const page = await live();
  const online = () => page.world.board.view().friends.find(({ id }) => id === bob.account)?.online;
  await eventually(() => expect(online()).toBe(false));

  town.tell("presence", { id: bob.account, online: true });

  await eventually(() => expect(online()).toBe(true));
});

test("a gateway whose disk failed says so until it commits again", async () => {
  const page = await live();
  const halted = () => page.world.board.view().halted;

  town.tell("halted", { reason: "the disk of the chain is full" });
  await eventually(() => expect(halted()).toBe("the disk of the chain is full"));

  town.tell("halted", { reason: null });
  await eventually(() => expect(halted()).toBeNull());
});

test("a gateway that was halted before a new connection has to say so again", async () => {
  const page = await live();
  town.tell("halted", { reason: "the disk of the chain is full" });
  await eventually(() => expect(page.world.board.view().halted).not.toBeNull());

  town.busy = 1;
  town.cut();

  await eventually(() => {
    page.session.wake();
    expect(page.world.board.view()).toMatchObject({ lamp: "live", halted: null });
  });
});

test("an erased message says so, and is no longer in the store", async () => {
  const page = await live();
  const id = await write(town, bob, alice, "oops");
  await eventually(async () => expect(await texts(page, bob.account)).toEqual(["oops"]));

  await town.say(bob, { type: "redact", about: id, reason: "mistake" });

  await eventually(async () => expect(await texts(page, bob.account)).toEqual(["erased"]));
  const line = await page.session.store.lineOf(id);
  expect(await page.session.store.delivered(line?.index ?? -1)).not.toHaveProperty("body");
});

test("the proof of a message is checked anew, down to the block", async () => {
  const page = await live();
  const id = await write(town, bob, alice, "proven");
  for (let i = 0; i < 5; i += 1) await write(town, bob, alice, `later ${i}`);
  await eventually(() => expect(conversationOf(page, bob.account)).toHaveLength(6));

  const proof = await page.session.actions.proof(id);

  const index = town.entries.findIndex(({ entry }) => entry.id === id);
  expect(proof).toMatchObject({
    id,
    index,
    block: { height: index },
    signer: { account: bob.account, title: "BOB", kid: bob.signing.kid, current: true },
    keys: [{ by: "join", kid: bob.signing.kid }],
  });
  expect(proof.checks).toHaveLength(5);
});

test("a block whose hash is not its header's is no proof", async () => {
  const page = await live();
  const id = await write(town, bob, alice, "proven");
  await eventually(() => expect(conversationOf(page, bob.account)).toHaveLength(1));
  const block = town.blocks.at(-1);
  if (block) block.header.root = (await town.checkpoint(1)).slice(0, 43);

  await expect(page.session.actions.proof(id)).rejects.toThrow();
});

test("a group's message goes to its members, and is in the group's conversation", async () => {
  await town.join(carol, "carol", "person", "admin");
  const group = `g-${"a".repeat(26)}`;
  const members = [alice.account, bob.account].sort();
  town.groups.set(group, members);
  await town.say(carol, { type: "group", group, members: [...members] });
  const page = await live();

  await page.session.actions.send(group, { text: "to all" });
  await write(town, bob, group, "from bob");

  await eventually(async () => expect(await texts(page, group)).toEqual(["to all", "from bob"]));
});

test("an addressee that the group's entry does not name is the gateway's invention", async () => {
  await town.join(carol, "carol", "person", "admin");
  const group = `g-${"a".repeat(26)}`;
  await town.say(carol, { type: "group", group, members: [alice.account] });
  town.groups.set(group, [alice.account, bob.account]);
  const page = await live();

  await expect(page.session.actions.send(group, { text: "to all" })).rejects.toThrow("members");
});

test("nobody is asked to be a contact by a handle that nobody has", async () => {
  const page = await live();

  await expect(page.session.actions.befriend("nobody")).rejects.toThrow("nobody with this handle");
});

test("a request that the chain refuses is told at once, and is not kept", async () => {
  const page = await live();
  town.refuse = () => ({ rule: "contact", detail: "they are contacts already" });

  await expect(page.session.actions.befriend("bob")).rejects.toMatchObject({ rule: "contact" });

  expect(page.world.board.view().unsent).toEqual([]);
});

test("a file that is too large is refused with its size, and a small one is sent", async () => {
  const page = await live();
  const large = new File([new Uint8Array(41_000)], "large.bin");
  const small = new File(["small"], "small.txt", { type: "text/plain" });

  await expect(page.session.actions.send(bob.account, { text: "", file: large })).rejects.toThrow("41");
  await page.session.actions.send(bob.account, { text: "look", file: small });

  const line = page.session.actions.conversation(bob.account).line(0);
  expect(await page.session.actions.open(line.id)).toMatchObject({
    kind: "file",
    name: "small.txt",
    text: "look",
  });
});

test("who is new to a long history is told how far it is", async () => {
  const says = { type: "status", about: "0197b2c4-5d6e-7f80-9a1b-2c3d4e5f6071", state: "seen" } as const;
  for (let i = 0; i < 210; i += 1) await town.say(alice, says);
  const page = await tab();
  const seen: unknown[] = [];
  page.world.board.subscribe(() => seen.push(page.world.board.view().catchingUp));

  page.session.start();
  await eventually(() => expect(page.world.board.view().lamp).toBe("live"));

  expect(seen).toContainEqual({ done: 202, total: 213 });
  expect(page.world.board.view().catchingUp).toBeNull();
});

test("a gateway that disowns what was seen of its history is caught", async () => {
  const page = await live();
  town.refuse = () => ({ rule: "history", detail: "this chain never had that root" });

  await page.session.actions.send(bob.account, { text: "hello" });

  await eventually(() => expect(page.ended).toEqual([{ because: "two-histories" }]));
  expect((await page.session.store.evidence())?.reason).toContain("disowns its own history");
  expect(await page.session.store.waiting()).toHaveLength(1);
});

test("a session that ended while the gateway was away has ended, and what waits stays", async () => {
  const page = await live();
  town.busy = 1;
  await page.session.actions.markRead(bob.account);
  town.loggedOut.add(alice.account);
  town.cut();
  page.session.wake();

  await eventually(() => expect(page.ended).toEqual([{ because: "logged-out", detail: expect.any(String) }]));
});

test("an answer that does not hold is told of, and asked for again", async () => {
  const page = await live();
  town.tell("entry", { ...(await town.delivered(1)), index: 9 });

  await eventually(() => expect(page.world.board.view().lamp).toBe("offline"));
  expect(page.world.board.view().troubles).toMatchObject([
    { text: expect.stringContaining("cannot be trusted") },
  ]);
  await write(town, bob, alice, "after");
  page.session.wake();

  await eventually(async () => expect(await texts(page, bob.account)).toEqual(["after"]));
  expect(page.ended).toEqual([]);
});

test("what was read while the gateway was away stays read when the page is loaded again", async () => {
  const before = await live();
  await write(town, bob, alice, "one");
  await eventually(() => expect(conversationOf(before, bob.account)).toHaveLength(1));
  town.busy = Number.POSITIVE_INFINITY;
  await before.session.actions.markRead(bob.account);
  await before.session.stop();
  town.busy = 0;
  town.refuse = () => ({ rule: "gap", detail: "not now" });

  const after = await live();

  const bobs = () => after.world.board.view().friends.find(({ id }) => id === bob.account);
  await eventually(() => expect(bobs()?.unread).toBe(0));
});

test("who presses twice takes it once", async () => {
  const page = await live();
  await write(town, bob, alice, "fall in bed 4", START);
  await eventually(() => expect(page.world.board.view().alerts).toHaveLength(1));
  town.busy = Number.POSITIVE_INFINITY;
  const episode = page.world.board.view().alerts[0]?.episode ?? "";

  await page.session.actions.take(episode);
  await page.session.actions.take(episode);

  expect(page.world.board.view().unsent).toHaveLength(1);
});

test("new keys of a contact are loud at once, in every tab", async () => {
  const turns = new FairTurns();
  const pages = [await live(turns), await live(turns)];
  for (const page of pages) await page.session.directory.ask(bob.account);
  const { signing, sealing } = carol;

  await town.say(bob, { type: "key", account: bob.account, sign: signing.public, seal: sealing.public });

  for (const { world } of pages) {
    const bobs = () => world.board.view().friends.find(({ id }) => id === bob.account);
    await eventually(() => expect(bobs()?.keyNotice).toMatchObject({ waiting: false }));
  }
  await pages[0]?.session.actions.dismissKeyNotice(bob.account);
  for (const { world } of pages) {
    const bobs = () => world.board.view().friends.find(({ id }) => id === bob.account);
    await eventually(() => expect(bobs()?.keyNotice).toBeNull());
  }
});

test("a history that one tab caught is refused by the others", async () => {
  const turns = new FairTurns();
  const one = await live(turns);
  const other = await live(turns);
  town.refuse = () => ({ rule: "history", detail: "this chain never had that root" });

  await one.session.actions.send(bob.account, { text: "hello" });

  await eventually(() => expect(other.ended).toEqual([{ because: "two-histories" }]));
});

test("another browser of the same person reads all of it, also what they said here", async () => {
  const here = await live();
  await here.session.actions.send(bob.account, { text: "from here" });
  await eventually(() => expect(conversationOf(here, bob.account)).toEqual(["committed"]));

  newBrowser();
  await moveIn(town, alice);
  const there = await live();
  await there.session.actions.send(bob.account, { text: "from there" });

  for (const page of [here, there])
    await eventually(async () => expect(await texts(page, bob.account)).toEqual(["from here", "from there"]));
});

test("a stream that said nothing for long is given up when the page is looked at again", async () => {
  const page = await live();
  const streams = () => town.asked.filter((each) => each === "GET /v1/events").length;
  page.session.wake();
  expect(streams()).toBe(1);

  town.clock += 21_000;
  page.session.wake();

  await eventually(() => expect(streams()).toBe(2));
});

test("a command that another tab sends is answered in this one", async () => {
  const turns = new FairTurns();
  const one = await live(turns);
  const other = await live(turns);
  let go: () => void = () => undefined;
  const nobodySends = turns.take(
    `blockpost-send-${alice.account}`,
    () => new Promise<void>((end) => (go = end)),
  );
  await other.session.actions.send(bob.account, { text: "hello" });
  const saying = one.session.say({ type: "contact", action: "remove", peer: bob.account });
  await eventually(async () => expect(await one.session.store.waiting()).toHaveLength(2));
  const asked = town.asked.length;

  go();
  await nobodySends;

  const index = await saying;
  expect(town.entries[index]?.entry).toMatchObject({ type: "contact", action: "remove" });
  expect(town.asked.slice(asked).filter((each) => each === "POST /v1/entries")).toHaveLength(2);
});
