import { expect, test } from "vitest";
import type { Around, Outlook } from "../../src/engine/episodes";
import { Ledger } from "../../src/engine/ledger";
import type { AlertView } from "../../src/model";
import { DRILL } from "../../src/proto/content";
import { around, LEE, ME, Story, WARD } from "./rows";

const NOW = 3_000;
const CALL = "g-call";

function listed(story: Story, more: Partial<Around> = {}, now = NOW): readonly AlertView[] {
  const ledger = new Ledger(
    ME,
    around((party) => party.toUpperCase(), more),
  );
  for (const row of story.rows) ledger.apply(row);
  return ledger.alerts(now);
}

const step = (about: { id: string }, at: number, to: string) =>
  ({ did: "step", about: about.id, step: at, to }) as const;

const SAID: Outlook = {
  steps: [
    { to: WARD, name: "Ward" },
    { to: CALL, name: "On-call" },
  ],
  concerns: [],
  ...{ lap: 0, step: null, nobody: false, due: 9_000 },
};

// Snooze

const snooze = { until: 5_000, reason: "care" } as const;

test("a snoozed alert is open and silent, and says until when, why, and by whom", () => {
  const story = new Story();
  story.status(LEE, "snoozed", story.alert("high", "start"), snooze);

  expect(listed(story)).toMatchObject([
    {
      open: true,
      sounding: false,
      snoozed: { until: 5_000, reason: "care", account: LEE, title: "LEE", mine: false },
    },
  ]);
});

test("a snooze ends by itself", () => {
  const story = new Story();
  story.status(LEE, "snoozed", story.alert("high", "start"), snooze);
  const ledger = new Ledger(ME, around());
  for (const row of story.rows) ledger.apply(row);

  expect(ledger.alerts(4_999)).toMatchObject([{ sounding: false }]);
  expect(ledger.alerts(5_000)).toMatchObject([{ sounding: true, snoozed: null }]);
});

test.each<[string, (story: Story) => void]>([
  ["a priority that rises", (story) => story.alert("high", "continue")],
  ["beginning again", (story) => void [story.alert("low", "end"), story.alert("low", "start")]],
  ["the chain's own word", (story) => story.tick({ did: "woken", about: "m0" })],
])("a snooze is ended by %s", (_, happens) => {
  const story = new Story();
  story.status(LEE, "snoozed", story.alert("low", "start"), snooze);
  happens(story);

  expect(listed(story)).toMatchObject([{ sounding: true, snoozed: null }]);
});

test("a snooze is ended by taking, also when it is released again", () => {
  const story = new Story();
  const alert = story.alert("high", "start");
  story.status(LEE, "snoozed", alert, snooze);
  story.status(LEE, "taken", alert);
  story.status(LEE, "released", alert);

  expect(listed(story)).toMatchObject([{ open: true, sounding: true, snoozed: null }]);
});

test("what is taken cannot be snoozed, nor what it was before it rose", () => {
  const taken = new Story();
  const alert = taken.alert("high", "start");
  taken.status(LEE, "taken", alert);
  taken.status(LEE, "snoozed", alert, snooze);
  taken.status(LEE, "released", alert);
  const risen = new Story();
  const low = risen.alert("low", "start");
  risen.alert("high", "continue");
  risen.status(LEE, "snoozed", low, snooze);

  for (const story of [taken, risen])
    expect(listed(story)).toMatchObject([{ snoozed: null, sounding: true }]);
});

// Duty

test("who is not on duty sees an alert, and does not hear it", () => {
  const story = new Story();
  story.alert("high", "start");

  expect(listed(story, { isOn: () => false })).toMatchObject([{ open: true, duty: false, sounding: false }]);
});

test("who is on duty for a party that a step names hears it from then on", () => {
  const story = new Story();
  const alert = story.alert("high", "start");
  const isOn = (party: string) => party === CALL;
  expect(listed(story, { isOn })).toMatchObject([{ sounding: false }]);

  story.tick(step(alert, 1, CALL));

  expect(listed(story, { isOn })).toMatchObject([
    { duty: true, sounding: true, concerned: ["G-CALL", "G-WARD"] },
  ]);
});

test("what nobody answered is heard by everybody", () => {
  const story = new Story();
  const alert = story.alert("low", "start");
  story.tick({ did: "nobody", about: alert.id });

  expect(listed(story, { isOn: () => false })).toMatchObject([{ nobody: 2_001, sounding: true }]);
});

test("whoever comes late learns from the gateway that nobody answered", () => {
  const story = new Story();
  story.alert("low", "start");
  const outlook = () => ({ ...SAID, nobody: true, due: null });

  expect(listed(story, { isOn: () => false, outlook })).toMatchObject([{ nobody: 2_000, sounding: true }]);
});

test("those that are heard come first, whatever the priority of the others", () => {
  const story = new Story();
  story.status(LEE, "snoozed", story.alert("high", "start", { episode: "quiet" }), snooze);
  story.alert("low", "start", { episode: "loud" });
  story.status(LEE, "taken", story.alert("high", "start", { episode: "taken" }));

  expect(listed(story).map(({ episode }) => episode)).toEqual([
    "fridge.loud",
    "fridge.quiet",
    "fridge.taken",
  ]);
});

// Escalation

test("an alert says which steps there are, which were reached, and what comes next", () => {
  const story = new Story();
  const alert = story.alert("high", "start");
  expect(listed(story, { outlook: () => SAID })[0]?.escalation).toEqual({
    steps: [
      { party: WARD, title: "Ward", at: null },
      { party: CALL, title: "On-call", at: null },
    ],
    next: { title: "Ward", due: 9_000 },
    lap: 1,
  });

  story.tick(step(alert, 0, WARD));

  expect(listed(story, { outlook: () => SAID })[0]?.escalation).toMatchObject({
    steps: [{ at: 2_001 }, { at: null }],
    next: { title: "On-call", due: 9_000 },
  });
});

test("after the last step comes another lap, or nobody", () => {
  const story = new Story();
  const alert = story.alert("high", "start");
  story.tick(step(alert, 0, WARD), step(alert, 1, CALL));
  expect(listed(story, { outlook: () => SAID })[0]?.escalation).toMatchObject({
    next: { title: null },
    lap: 1,
  });

  story.tick(step(alert, 0, WARD));

  expect(listed(story, { outlook: () => ({ ...SAID, lap: 1 }) })[0]?.escalation).toMatchObject({
    steps: [{ at: 2_002 }, { at: null }],
    next: { title: "On-call" },
    lap: 2,
  });
});

test("without a word of the gateway it says what the chain says", () => {
  const story = new Story();
  story.tick(step(story.alert("high", "start"), 0, WARD));

  expect(listed(story)[0]?.escalation).toEqual({
    steps: [{ party: WARD, title: "G-WARD", at: 2_001 }],
    next: null,
    lap: 1,
  });
});

test.each(["taken", "resolved"] as const)("nothing comes next of what is %s", (state) => {
  const story = new Story();
  story.status(LEE, state, story.alert("high", "start"));

  expect(listed(story, { outlook: () => SAID })[0]?.escalation?.next).toBeNull();
});

test("what was taken and not resolved in time is taken from them, and begins again", () => {
  const story = new Story();
  const alert = story.alert("high", "start");
  story.tick(step(alert, 0, WARD));
  story.status(LEE, "taken", alert);
  story.tick({ did: "overdue", about: alert.id });

  expect(listed(story)).toMatchObject([
    { open: true, takenBy: null, overdue: { at: 2_003, title: "LEE" }, escalation: null },
  ]);
});

test("what nobody had answered begins anew when it is released", () => {
  const story = new Story();
  const alert = story.alert("high", "start");
  story.tick(step(alert, 0, WARD), { did: "nobody", about: alert.id });
  story.status(LEE, "taken", alert);
  expect(listed(story)).toMatchObject([{ nobody: 2_001, open: false, sounding: false }]);

  story.status(LEE, "released", alert);

  expect(listed(story)).toMatchObject([{ nobody: null, escalation: null, open: true }]);
});

test("a tick is about each of its alerts, and what it erased is no alert", () => {
  const story = new Story();
  const one = story.alert("high", "start", { episode: "one" });
  const other = story.alert("high", "start", { episode: "other" });
  story.tick(step(one, 0, WARD), { did: "erased", about: other.id }, { did: "nobody", about: other.id });

  expect(listed(story)).toMatchObject([
    { escalation: { steps: [{ party: WARD }] }, nobody: null },
    { escalation: null, nobody: 2_002 },
  ]);
});

test("a tick about an alert that is not here says what is missing, until it is", () => {
  const story = new Story();
  const alert = story.alert("high", "start");
  const tick = story.tick(step(alert, 0, WARD), step({ id: "elsewhere" }, 0, WARD));
  const ledger = new Ledger(ME, around());

  ledger.apply(tick);
  expect(ledger.missing()).toEqual(["m0", "elsewhere"]);
  ledger.apply(alert);

  expect(ledger.missing()).toEqual(["elsewhere"]);
  expect(ledger.alerts(NOW)).toMatchObject([{ escalation: { lap: 1 } }]);
});

test("in whichever order they come, entries lead to the same alert", () => {
  const story = new Story();
  const first = story.alert("low", "start");
  story.tick(step(first, 0, WARD));
  story.status(LEE, "snoozed", first, snooze);
  story.tick({ did: "woken", about: first.id }, step(first, 1, CALL));
  story.status(LEE, "taken", first);
  story.tick({ did: "overdue", about: first.id });
  const straight = listed(story);

  for (let turn = 1; turn < story.rows.length; turn += 1) {
    const ledger = new Ledger(
      ME,
      around((party) => party.toUpperCase()),
    );
    for (const row of [...story.rows.slice(turn), ...story.rows.slice(0, turn).reverse()]) ledger.apply(row);
    expect(ledger.alerts(NOW)).toEqual(straight);
  }
});

test("an alert is another object only when something of it is another", () => {
  const story = new Story();
  story.alert("high", "start");
  let due = 9_000;
  const ledger = new Ledger(ME, around(undefined, { outlook: () => ({ ...SAID, due }) }));
  for (const row of story.rows) ledger.apply(row);
  const before = ledger.alerts(NOW);

  ledger.relook();
  expect(ledger.alerts(NOW)).toBe(before);
  due = 8_000;
  ledger.relook();

  expect(ledger.alerts(NOW)).not.toBe(before);
});

// Drills

test("a drill is over once it is resolved", () => {
  const story = new Story();
  const drill = story.alert("medium", "start", { author: LEE, cty: DRILL });
  expect(listed(story)).toMatchObject([{ drill: true, active: true, sounding: true }]);

  story.status(ME, "resolved", drill);

  expect(listed(story)).toMatchObject([{ drill: true, active: false, open: false }]);
});

test("how fast the last drill of a group was taken is known to who held it, too", () => {
  const story = new Story();
  story.alert("medium", "start", { author: ME, episode: "older", cty: DRILL });
  const drill = story.alert("medium", "start", { author: ME, cty: DRILL });
  const ledger = new Ledger(ME, around());
  const last = () => {
    for (const row of story.rows) ledger.apply(row);
    return ledger.drills.last(WARD, (account) => account.toUpperCase());
  };
  expect(last()).toEqual({ id: drill.id, at: 2_001, title: "ME", taken: null, resolved: false });

  story.status(LEE, "taken", drill);
  story.status("kim", "taken", drill);
  story.status("kim", "resolved", drill);

  expect(last()).toMatchObject({ taken: { title: "LEE", after: 1 }, resolved: true });
  expect(ledger.drills.last(CALL, (account) => account)).toBeNull();
  expect(ledger.alerts(NOW)).toEqual([]);
});
