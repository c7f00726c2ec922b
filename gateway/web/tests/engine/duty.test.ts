import { expect, test } from "vitest";
import { Drills } from "../../src/engine/drills";
import { Duty, type Rota } from "../../src/engine/duty";
import { DRILL } from "../../src/proto/content";
import { LEE, ME, Story, WARD } from "./rows";

const HOUR = 3_600_000;
/** By the gateway's clock; this browser's is an hour ahead. */
const THERE = 10 * HOUR;
const HERE = 11 * HOUR;

const ward = (more: Partial<Rota["groups"][number]> = {}) => ({
  ...{ id: WARD, name: "Ward", members: [ME, LEE], on: [ME, LEE], shifts: [] },
  ...more,
});

function learned(...groups: Rota["groups"]): Duty {
  const duty = new Duty(ME);
  duty.learn({ groups, now: THERE }, HERE);
  return duty;
}

const look = (duty: Duty, drills = new Drills(), now = HERE) =>
  duty.view((party) => party.toUpperCase(), drills, now);

test("until the gateway told, nothing is known", () => {
  const duty = new Duty(ME);

  expect(look(duty)).toBeNull();
  expect(duty.isOn(WARD)).toBeNull();
  expect(duty.nextChange(HERE)).toBeNull();
});

test("where nobody has a shift, everybody is on", () => {
  expect(look(learned(ward()))).toEqual([
    {
      id: WARD,
      title: "Ward",
      members: [
        { account: LEE, title: "LEE", mine: false },
        { account: ME, title: "ME", mine: true },
      ],
      on: [
        { account: LEE, title: "LEE", mine: false, until: null },
        { account: ME, title: "ME", mine: true, until: null },
      ],
      everybody: true,
      mine: true,
      shifts: [],
      drill: null,
      drillDue: true,
    },
  ]);
});

test("who has a shift is on until it ends, and shifts that are over are not listed", () => {
  const shifts = [
    { account: LEE, begins: THERE + HOUR, ends: THERE + 2 * HOUR },
    { account: LEE, begins: THERE - HOUR, ends: THERE + HOUR },
    { account: ME, begins: THERE - 2 * HOUR, ends: THERE },
  ];
  const duty = learned(ward({ on: [LEE], shifts }));

  expect(look(duty)).toMatchObject([
    {
      on: [{ title: "LEE", until: THERE + HOUR }],
      everybody: false,
      mine: false,
      shifts: [{ begins: THERE - HOUR }, { begins: THERE + HOUR }],
    },
  ]);
  expect(duty.isOn(WARD)).toBe(false);
});

test("it may be somebody else's turn when a shift begins or ends, by this browser's clock", () => {
  const shifts = [{ account: LEE, begins: THERE - HOUR, ends: THERE + HOUR }];
  const duty = learned(ward({ on: [LEE], shifts }));

  expect(duty.nextChange(HERE)).toBe(HERE + HOUR);
  expect(duty.nextChange(HERE + HOUR)).toBeNull();
});

test("a group without a name is called by its title, and groups come by name", () => {
  const duty = learned(ward({ id: "g-b", name: null }), ward({ id: "g-a", name: "Annex" }));

  expect(look(duty)?.map(({ title }) => title)).toEqual(["Annex", "G-B"]);
});

test("what did not change is the same list", () => {
  const duty = learned(ward());
  const before = look(duty);

  duty.learn({ groups: [ward()], now: THERE + 1 }, HERE + 1);

  expect(look(duty)).toBe(before);
});

test("a drill is due again after a week", () => {
  const story = new Story();
  const drills = new Drills();
  drills.message(story.alert("medium", "start", { author: LEE, cty: DRILL }));
  const week = 7 * 24 * HOUR;

  expect(look(learned(ward()), drills, 2_000 + week)).toMatchObject([
    { drill: { title: "LEE", at: 2_000 }, drillDue: false },
  ]);
  expect(look(learned(ward()), drills, 2_001 + week)).toMatchObject([{ drillDue: true }]);
});
