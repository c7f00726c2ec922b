import { expect, test } from "vitest";
import { Ledger } from "../../src/engine/ledger";
import type { Conversation } from "../../src/model";
import { around, DEVICE, LEE, ME, Story, WARD } from "./rows";

function ledgerOf(story: Story): Ledger {
  const ledger = new Ledger(
    ME,
    around((account) => account.toUpperCase()),
  );
  for (const row of story.rows) ledger.apply(row);
  return ledger;
}

function ids(conversation: Conversation): string[] {
  return Array.from({ length: conversation.length }, (_, at) => conversation.line(at).id);
}

function seers(conversation: Conversation): string[][] {
  return Array.from({ length: conversation.length }, (_, at) =>
    conversation.line(at).seenBy.map(({ account }) => account),
  );
}

test("messages are in their conversation, in the order of the chain", () => {
  const story = new Story();
  story.message(LEE, LEE);
  story.message(DEVICE, WARD);
  story.message(ME, LEE);
  const shuffled = new Story();
  shuffled.rows.push(...[...story.rows].reverse());

  for (const told of [story, shuffled]) {
    const ledger = ledgerOf(told);
    expect(ids(ledger.conversation(LEE))).toEqual(["m0", "m2"]);
    expect(ids(ledger.conversation(WARD))).toEqual(["m1"]);
    expect(ledger.conversation(LEE).find("m2")).toBe(1);
    expect(ledger.conversation(LEE).find("m1")).toBe(-1);
  }
});

test("the same row twice is one line", () => {
  const story = new Story();
  const row = story.message(LEE, LEE);
  const ledger = ledgerOf(story);

  expect(ledger.apply(row)).toBe(false);
  expect(ids(ledger.conversation(LEE))).toEqual(["m0"]);
});

test("messages of others are unread until they are seen, or answered", () => {
  const story = new Story();
  story.message(LEE, LEE);
  const second = story.message(LEE, LEE);
  const ledger = ledgerOf(story);
  expect(ledger.summary(LEE).unread).toBe(2);

  ledger.apply(story.status(ME, "seen", second));
  expect(ledger.summary(LEE).unread).toBe(0);

  ledger.apply(story.message(LEE, LEE));
  expect(ledger.summary(LEE).unread).toBe(1);

  ledger.apply(story.message(ME, LEE));
  expect(ledger.summary(LEE).unread).toBe(0);
});

test("what another one saw is unread for us", () => {
  const story = new Story();
  story.status(DEVICE, "seen", story.message(LEE, WARD));

  expect(ledgerOf(story).summary(WARD).unread).toBe(1);
});

test("an alert is unread until it is seen or taken itself: an answer to something else does not read it", () => {
  const story = new Story();
  const first = story.alert("high", "start", { episode: "a" });
  const again = story.alert("high", "continue", { episode: "a" });
  const other = story.alert("high", "start", { episode: "b" });
  story.message(ME, WARD);
  const ledger = ledgerOf(story);
  expect(ledger.summary(WARD).unread).toBe(3);

  ledger.apply(story.status(ME, "seen", first));
  expect(ledger.summary(WARD).unread).toBe(2);
  ledger.apply(story.status(ME, "seen", again));
  ledger.apply(story.status(ME, "taken", other));
  expect(ledger.summary(WARD).unread).toBe(0);
});

test("to have read all is to say so of the newest, and of the newest of each unread episode", () => {
  const story = new Story();
  story.message(LEE, WARD);
  story.alert("high", "start", { episode: "a" });
  const a = story.alert("high", "continue", { episode: "a" });
  const b = story.alert("high", "start", { episode: "b" });
  const newest = story.message(LEE, WARD);
  const ledger = ledgerOf(story);

  const toRead = ledger.thread(WARD).toRead();
  expect(toRead).toEqual([a, b, newest]);

  for (const message of toRead) ledger.apply(story.status(ME, "seen", message));
  expect(ledger.thread(WARD).toRead()).toEqual([]);
  expect(ledger.summary(WARD).unread).toBe(0);
});

test("who saw a message saw those before it", () => {
  const story = new Story();
  story.message(ME, LEE);
  story.status(LEE, "seen", story.message(ME, LEE));
  story.message(ME, LEE);

  expect(seers(ledgerOf(story).conversation(LEE))).toEqual([[LEE], [LEE], []]);
});

test("when it was seen is when that was first said of it, or of a later one", () => {
  const story = new Story();
  const first = story.message(ME, LEE);
  const early = story.status(LEE, "seen", first);
  story.status(LEE, "seen", story.message(ME, LEE));

  expect(ledgerOf(story).conversation(LEE).line(0).seenBy).toEqual([
    { account: LEE, title: "LEE", at: early.committed },
  ]);
});

test("nobody saw what was said in a group before they came", () => {
  const story = new Story();
  story.message(ME, WARD);
  story.status(LEE, "seen", story.message(ME, WARD));

  expect(seers(ledgerOf(story).conversation(WARD))).toEqual([[], [LEE]]);
});

test("an alert was seen by who said so of this one", () => {
  const story = new Story();
  story.alert("high", "start");
  const second = story.alert("high", "continue");
  story.status(LEE, "seen", second);
  story.status(LEE, "seen", second);

  expect(seers(ledgerOf(story).conversation(WARD))).toEqual([[], [LEE]]);
});

test("its author does not count among those who saw it", () => {
  const story = new Story();
  story.message(LEE, WARD);
  story.status(LEE, "seen", story.message(ME, WARD));

  expect(seers(ledgerOf(story).conversation(WARD))).toEqual([[], [LEE]]);
});

test("a status that comes before its message counts when that is there", () => {
  const story = new Story();
  const message = story.message(ME, LEE);
  story.status(LEE, "seen", message);
  const ledger = new Ledger(
    ME,
    around((account) => account),
  );

  for (const row of [...story.rows].reverse()) ledger.apply(row);

  expect(seers(ledger.conversation(LEE))).toEqual([[LEE]]);
});

test("what waits comes after what is committed, and leaves when it is", () => {
  const story = new Story();
  story.message(LEE, LEE);
  const ledger = ledgerOf(story);
  const waiting = { id: "p", conversation: LEE, at: 9_000, re: "m0", alert: null, refused: false };

  ledger.setPending([waiting, { ...waiting, id: "q", refused: true }]);
  const conversation = ledger.conversation(LEE);
  expect(ids(conversation)).toEqual(["m0", "p", "q"]);
  expect(conversation.line(1)).toMatchObject({ index: -1, mine: true, re: "m0", state: "pending" });
  expect(conversation.line(2)).toMatchObject({ state: "refused" });
  expect(conversation.find("q")).toBe(2);
  expect(ledger.summary(LEE).latest).toBe(9_000);

  ledger.setPending([]);
  expect(ids(ledger.conversation(LEE))).toEqual(["m0"]);
});

test("what is committed does not wait any more, whichever is known first", () => {
  const story = new Story();
  const ledger = new Ledger(
    ME,
    around((account) => account),
  );
  const message = story.message(ME, LEE);
  const waiting = { id: message.id, conversation: LEE, at: 9_000, re: null, alert: null, refused: false };

  ledger.setPending([waiting]);
  ledger.apply(message);
  expect(ids(ledger.conversation(LEE))).toEqual(["m0"]);
  ledger.setPending([waiting]);
  expect(ids(ledger.conversation(LEE))).toEqual(["m0"]);
});

test("there is no line beyond the last", () => {
  const story = new Story();
  story.message(LEE, LEE);

  expect(() => ledgerOf(story).conversation(LEE).line(1)).toThrow(RangeError);
});

test("open alerts are counted by conversation", () => {
  const story = new Story();
  story.alert("high", "start", { episode: "a" });
  story.status(LEE, "taken", story.alert("low", "start", { episode: "b" }));
  const ledger = ledgerOf(story);
  ledger.alerts(3_000);

  expect(ledger.summary(WARD).openAlerts).toBe(1);
  expect(ledger.summary(LEE).openAlerts).toBe(0);
});

test("a conversation is another object when it changed, and its lines only where they did", () => {
  const story = new Story();
  const first = story.message(ME, LEE);
  story.message(ME, LEE);
  const ledger = ledgerOf(story);
  const before = ledger.conversation(LEE);
  const lines = [before.line(0), before.line(1)];
  expect(ledger.conversation(LEE)).toBe(before);

  ledger.apply(story.message(DEVICE, WARD));
  expect(ledger.conversation(LEE)).toBe(before);

  ledger.apply(story.status(LEE, "seen", first));
  const after = ledger.conversation(LEE);
  expect(after.version).toBeGreaterThan(before.version);
  expect(after.line(0)).not.toBe(lines[0]);
  expect(after.line(1)).toBe(lines[1]);
});

test("who is called something else now is called so everywhere", () => {
  const story = new Story();
  story.status(LEE, "taken", story.alert("high", "start"));
  let title = "Lee";
  const ledger = new Ledger(
    ME,
    around((account) => (account === LEE ? title : account)),
  );
  for (const row of story.rows) ledger.apply(row);
  expect(ledger.alerts(3_000)).toMatchObject([{ takenBy: { title: "Lee" } }]);

  title = "Dr. Lee";
  ledger.retitle();

  expect(ledger.alerts(3_000)).toMatchObject([{ takenBy: { title: "Dr. Lee" } }]);
});
