import { expect, test } from "vitest";
import type { DrillView, DutyGroup } from "../../src/model";
import { drillResult, duration, moment, onDuty, ownDuty, span } from "../../src/ui/home/duty";
import { takeable, usual } from "../../src/ui/home/takeover";

const NOW = new Date(2025, 10, 22, 14, 0).getTime();
const HOUR = 3_600_000;
const ME = { account: "me", title: "Ana", mine: true };
const BEN = { account: "ben", title: "Ben", mine: false };
const MIA = { account: "mia", title: "Mia", mine: false };

const group = (more: Partial<DutyGroup>): DutyGroup => ({
  id: "g-1",
  title: "on-call",
  members: [ME, BEN, MIA],
  on: [],
  everybody: false,
  mine: false,
  shifts: [],
  drill: null,
  drillDue: false,
  ...more,
});

const at = (hour: number, day = 22) => new Date(2025, 10, day, hour, 0).getTime();

test("who is on is said with until when, and once for who ends at the same time", () => {
  const on = [
    { ...ME, until: at(22) },
    { ...BEN, until: at(22) },
    { ...MIA, until: at(6, 23) },
  ];

  expect(onDuty(group({ on }), NOW)).toBe(
    `You and Ben until ${moment(at(22), NOW)}; Mia until ${moment(at(6, 23), NOW)}`,
  );
});

test("we come first, whoever is on as well", () => {
  const on = [BEN, ME].map((each) => ({ ...each, until: at(22) }));

  expect(onDuty(group({ on }), NOW)).toMatch(/^You and Ben until /);
});

test("a time of day has its day only where it could be taken for another one", () => {
  expect(moment(at(5, 23), NOW)).toBe(moment(at(5), at(5)));
  expect(moment(at(6), NOW)).not.toContain("Nov");
  expect(moment(at(6, 24), NOW)).toContain("24 Nov");
  expect(moment(at(23, 21), NOW)).toContain("21 Nov");
  expect(span({ begins: at(22, 25), ends: at(6, 26) })).not.toContain("26 Nov");
});

test("where nobody is planned, all are on, and it says so", () => {
  const on = [ME, BEN, MIA].map((each) => ({ ...each, until: null }));

  expect(onDuty(group({ on, everybody: true }), NOW)).toBe("Nobody is planned: everybody is on (3)");
  expect(onDuty(group({}), NOW)).toBe("Nobody is on duty");
});

test("of our own duty, only groups count that we are a member of", () => {
  const others = group({ members: [BEN], on: [{ ...BEN, until: null }], everybody: true });
  const ours = group({ on: [{ ...ME, until: null }], mine: true });

  expect(ownDuty([others])).toBeNull();
  expect(ownDuty([others, group({})])).toEqual({
    on: false,
    text: "You are not on duty: alerts are silent here",
  });
  expect(ownDuty([ours, others])).toEqual({ on: true, text: "You are on duty: on-call" });
});

test("a shift is taken whole, or what is left of it; none is taken for eight hours", () => {
  const running = { ...BEN, begins: NOW - HOUR, ends: NOW + 2 * HOUR };
  const coming = { ...MIA, begins: NOW + 2 * HOUR, ends: NOW + 3 * HOUR };
  const own = { ...ME, begins: NOW - HOUR, ends: NOW + HOUR };

  expect(takeable(group({ shifts: [own, running, coming] }))).toEqual([running, coming]);
  expect(usual(running, NOW)).toEqual({ from: "ben", begins: NOW, ends: NOW + 2 * HOUR });
  expect(usual(coming, NOW)).toEqual({ from: "mia", begins: NOW + 2 * HOUR, ends: NOW + 3 * HOUR });
  expect(usual(null, NOW)).toEqual({ from: null, begins: NOW, ends: NOW + 8 * HOUR });
});

test("what came of a drill is who took it, and how fast", () => {
  const drill: DrillView = { id: "m", at: 0, title: "Mia", taken: null, resolved: false };

  expect(drillResult({ ...drill, taken: { title: "Ben", after: 34_200 } })).toBe("taken by Ben after 34 s");
  expect(drillResult(drill)).toBe("nobody has taken it yet");
  expect(drillResult({ ...drill, resolved: true })).toBe("nobody took it");
});

test.each([
  [400, "0 s"],
  [59_600, "1 min 00 s"],
  [245_000, "4 min 05 s"],
  [7_500_000, "2 h 05 min"],
])("%d ms are %s", (ms, words) => {
  expect(duration(ms)).toBe(words);
});
