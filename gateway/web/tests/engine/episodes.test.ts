import { expect, test } from "vitest";
import { Ledger } from "../../src/engine/ledger";
import type { AlertView } from "../../src/model";
import { around, DEVICE, LEE, ME, Story } from "./rows";

const NOW = 3_000;
const DAY = 24 * 60 * 60 * 1000;

function listed(story: Story, now = NOW): readonly AlertView[] {
  const ledger = new Ledger(
    ME,
    around((account) => account.toUpperCase()),
  );
  for (const row of story.rows) ledger.apply(row);
  return ledger.alerts(now);
}

test("an alert that nobody took is open, and says when it began and what is newest", () => {
  const story = new Story();
  const first = story.alert("medium", "start");
  const second = story.alert("medium", "continue");

  expect(listed(story)).toEqual([
    {
      episode: "fridge.e",
      priority: "medium",
      kind: "physiological",
      active: true,
      takenBy: null,
      resolved: false,
      open: true,
      sounding: true,
      duty: true,
      snoozed: null,
      escalation: null,
      nobody: null,
      overdue: null,
      concerned: ["G-WARD"],
      drill: false,
      seenBy: [],
      conversation: "g-ward",
      author: DEVICE,
      authorTitle: "FRIDGE",
      began: first.committed,
      latest: second.committed,
      message: second.id,
      messages: [first.id, second.id],
    },
  ]);
});

test("an alert that ends while nobody took it stays listed, and open", () => {
  const story = new Story();
  story.alert("high", "start");
  story.alert("high", "end");

  expect(listed(story, NOW + 100 * DAY)).toMatchObject([{ active: false, open: true }]);
});

test("who takes it is said, and it is open no more", () => {
  const story = new Story();
  const message = story.alert("high", "start");
  const taken = story.status(LEE, "taken", message);

  expect(listed(story)).toMatchObject([
    { open: false, active: true, takenBy: { account: LEE, title: "LEE", at: taken.committed, mine: false } },
  ]);
});

test("to take what another one took is to take it from them", () => {
  const story = new Story();
  const message = story.alert("high", "start");
  story.status(LEE, "taken", message);
  story.status(ME, "taken", message);

  expect(listed(story)).toMatchObject([{ takenBy: { account: ME, mine: true } }]);
});

test("what is released is open again", () => {
  const story = new Story();
  const message = story.alert("high", "start");
  story.status(LEE, "taken", message);
  story.status(ME, "released", message);

  expect(listed(story)).toMatchObject([{ open: true, takenBy: null }]);
});

test("a priority that rises clears the taking, one that falls does not", () => {
  const story = new Story();
  story.status(LEE, "taken", story.alert("medium", "start"));
  story.alert("low", "continue");
  expect(listed(story)).toMatchObject([{ open: false, priority: "low" }]);

  story.alert("high", "continue");
  expect(listed(story)).toMatchObject([{ open: true, takenBy: null, priority: "high" }]);
});

test("a priority that rises opens what was resolved", () => {
  const story = new Story();
  story.status(LEE, "resolved", story.alert("medium", "start"));
  story.alert("high", "continue");

  expect(listed(story)).toMatchObject([{ open: true, resolved: false }]);
});

test("who takes what it was before it rose has not taken what it is now", () => {
  const story = new Story();
  const low = story.alert("low", "start");
  story.alert("high", "continue");
  story.status(LEE, "taken", low);
  story.status(LEE, "resolved", low);

  expect(listed(story)).toMatchObject([{ open: true, takenBy: null, resolved: false }]);
});

test("to take one that ended meanwhile does not open it again", () => {
  const story = new Story();
  const message = story.alert("high", "start");
  story.alert("high", "end");
  story.status(LEE, "taken", message);

  expect(listed(story)).toMatchObject([{ open: false, active: false, takenBy: { account: LEE } }]);
});

test("the end of an episode does not say how urgent it was", () => {
  const story = new Story();
  story.status(LEE, "taken", story.alert("medium", "start"));
  story.alert("high", "end");

  expect(listed(story)).toMatchObject([{ open: false, priority: "medium", takenBy: { account: LEE } }]);
});

test("what starts again after its end is nobody's yet", () => {
  const story = new Story();
  story.status(LEE, "taken", story.alert("high", "start"));
  story.alert("high", "end");
  story.alert("high", "start");

  expect(listed(story)).toMatchObject([{ open: true, active: true, takenBy: null }]);
});

test("to see an alert is not to take it", () => {
  const story = new Story();
  const message = story.alert("high", "start");
  const seen = story.status(LEE, "seen", message);
  story.status(LEE, "seen", story.alert("high", "continue"));

  expect(listed(story)).toMatchObject([
    { open: true, seenBy: [{ account: LEE, title: "LEE", at: seen.committed }] },
  ]);
});

test("nobody ends another's episode, though they choose the same id", () => {
  const story = new Story();
  story.alert("high", "start");
  story.alert("high", "end", { author: LEE });

  const [fridge] = listed(story).filter(({ author }) => author === DEVICE);

  expect(fridge).toMatchObject({ active: true, open: true, messages: ["m0"] });
});

test("what we sent ourselves is for others to take", () => {
  const story = new Story();
  story.alert("high", "start", { author: ME });

  expect(listed(story)).toEqual([]);
});

test("open ones come first, by priority, then the oldest; then what goes on; then what is over", () => {
  const story = new Story();
  const over = story.alert("high", "start", { episode: "over" });
  story.alert("high", "end", { episode: "over" });
  story.status(LEE, "taken", over);
  story.status(LEE, "taken", story.alert("high", "start", { episode: "taken" }));
  story.alert("low", "start", { episode: "low" });
  story.alert("high", "start", { episode: "older" });
  story.alert("high", "start", { episode: "newer" });
  story.alert("high", "continue", { episode: "older" });

  const episodes = listed(story).map(({ episode }) => episode);

  expect(episodes).toEqual(["fridge.older", "fridge.newer", "fridge.low", "fridge.taken", "fridge.over"]);
});

test("what is over and was taken care of leaves the list after a day", () => {
  const story = new Story();
  const message = story.alert("high", "start");
  story.status(LEE, "resolved", message);
  const end = story.alert("high", "end");
  const ended = end.committed ?? 0;

  expect(listed(story, ended + DAY - 1)).toHaveLength(1);
  expect(listed(story, ended + DAY)).toEqual([]);
});

test("at most fifty that are over are listed", () => {
  const story = new Story();
  for (let i = 0; i < 60; i += 1) {
    story.status(LEE, "resolved", story.alert("high", "start", { episode: `e${i}` }));
    story.alert("high", "end", { episode: `e${i}` });
  }

  const list = listed(story);

  expect(list).toHaveLength(50);
  expect(list[0]?.episode).toBe("fridge.e59");
});

test("entries that come in another order than the chain's lead to the same list", () => {
  const story = new Story();
  const first = story.alert("low", "start");
  story.status(LEE, "taken", first);
  const risen = story.alert("high", "continue");
  story.status(LEE, "seen", risen);
  story.status(ME, "taken", risen);
  story.alert("high", "end");
  const straight = listed(story);

  for (let turn = 1; turn < story.rows.length; turn += 1) {
    const ledger = new Ledger(
      ME,
      around((account) => account.toUpperCase()),
    );
    for (const row of [...story.rows.slice(turn), ...story.rows.slice(0, turn).reverse()]) ledger.apply(row);
    expect(ledger.alerts(NOW)).toEqual(straight);
  }
});

test("an episode that did not change is the same object, and so is a list", () => {
  const story = new Story();
  story.alert("high", "start", { episode: "a" });
  story.alert("high", "start", { episode: "b" });
  const ledger = new Ledger(
    ME,
    around((account) => account),
  );
  for (const row of story.rows) ledger.apply(row);
  const before = ledger.alerts(NOW);

  ledger.apply(story.message(LEE, LEE));
  expect(ledger.alerts(NOW)).toBe(before);

  ledger.apply(story.alert("high", "continue", { episode: "b" }));
  const after = ledger.alerts(NOW);
  expect(after).not.toBe(before);
  expect(after[0]).toBe(before[0]);
  expect(after[1]).not.toBe(before[1]);
});
