import { expect, test } from "vitest";
import { Malformed } from "../../src/proto/errors";
import { LIMITS, readLimits, readSettings, writeLimits } from "../../src/proto/limits";

const ALICE = "a".repeat(26);
const REQUEST = "0199f6a0-0000-7000-8000-000000000000";

test("a wish is written as a device reads it: what is left out stays, null does without", () => {
  expect(writeLimits("fridge", { high: 7.5, low: null, mustLast: 600 })).toEqual({
    cty: LIMITS,
    content: '{"sensor":"fridge","set":{"high":7.5,"low":null,"must_last":600}}',
  });
});

test("a wish reads back as it was written", () => {
  const changes = {
    low: -2,
    high: null,
    clearBy: 0.5,
    mustLast: 0,
    staleAfter: 900,
    priority: "high",
  } as const;

  expect(readLimits(writeLimits("fridge", changes).content)).toEqual({
    kind: "limits",
    sensor: "fridge",
    changes,
  });
});

test.each([
  ["nothing", {}],
  ["a limit that is no number", { low: Number.NaN }],
  ["a wait of more than a day", { mustLast: 86_401 }],
  ["a distance below zero", { clearBy: -1 }],
])("no device would read it, so it is not written: %s", (_, changes) => {
  expect(() => writeLimits("fridge", changes)).toThrow(Malformed);
});

test("a device that says little watches without limits", () => {
  expect(readSettings('{"sensors":[{"priority":"medium","sensor":"door"}]}')).toEqual({
    kind: "settings",
    refused: null,
    sensors: [
      {
        ...{ sensor: "door", unit: "", preset: null, change: null },
        limits: { low: null, high: null, clearBy: 0, mustLast: 0, staleAfter: 0, priority: "medium" },
      },
    ],
  });
});

test("a device says whose change is in force, and why it refused one", () => {
  const content = JSON.stringify({
    sensors: [{ sensor: "fridge", high: 8, priority: "high", by: ALICE, at: 5, request: REQUEST }],
    refused: "fridge: low: want less than high",
  });

  expect(readSettings(content)).toMatchObject({
    refused: "fridge: low: want less than high",
    sensors: [{ limits: { high: 8 }, change: { by: ALICE, at: 5, request: REQUEST } }],
  });
});
