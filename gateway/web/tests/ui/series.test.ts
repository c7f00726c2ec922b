import { expect, test } from "vitest";
import { panels, type Sample, summaryInWords } from "../../src/ui/home/series";

const MINUTE = 60_000;

function reading(
  minute: number,
  value: number,
  more: { sensor?: string; channel?: string; unit?: string } = {},
) {
  const at = minute * MINUTE;
  const { sensor = "temp", channel = null, unit = "Cel" } = more;
  return { at, opened: { kind: "reading", sensor, channel, value, unit, at } } satisfies Sample;
}

function fault(minute: number, reason: string, sensor = "temp"): Sample {
  return { at: minute * MINUTE, opened: { kind: "fault", sensor, reason, detail: "" } };
}

function episode(minute: number, what: string, readings: readonly [number, number][]): Sample {
  const common = {
    kind: "episode",
    sensor: "temp",
    channel: null,
    limit: 8,
    unit: "Cel",
    detail: "",
  } as const;
  const points = readings.map(([at, value]) => ({ at: at * MINUTE, value }));
  const opened = { ...common, what, since: 0, until: null, value: null, readings: points };
  return { at: minute * MINUTE, opened };
}

const values = (samples: readonly Sample[]) => panels(samples)[0]?.values;

test("each sensor, channel and unit has its own panel, by name", () => {
  const samples = [
    reading(0, 37),
    reading(0, 98, { unit: "[degF]" }),
    reading(0, 120, { sensor: "bp", channel: "systolic", unit: "mm[Hg]" }),
    reading(0, 80, { sensor: "bp", channel: "diastolic", unit: "mm[Hg]" }),
  ];

  expect(panels(samples).map(({ name, unit }) => [name, unit])).toEqual([
    ["bp diastolic", "mm[Hg]"],
    ["bp systolic", "mm[Hg]"],
    ["temp", "Cel"],
    ["temp", "[degF]"],
  ]);
});

test("readings are put in the order in which they were measured", () => {
  expect(values([reading(2, 3), reading(0, 1), reading(1, 2)])).toEqual([1, 2, 3]);
});

test("the last readings of an alert are readings, each of them once", () => {
  const samples = [
    reading(0, 5),
    episode(3, "high", [
      [1, 9],
      [2, 10],
      [3, 11],
    ]),
    episode(4, "high", [
      [2, 10],
      [3, 11],
      [4, 12],
    ]),
  ];

  expect(values(samples)).toEqual([5, 9, 10, 11, 12]);
});

test("a technical alert is a gap", () => {
  expect(values([reading(0, 1), reading(2, 2), episode(1, "silent", [])])).toEqual([1, null, 2]);
});

test("a long silence is a gap, and never a zero", () => {
  const samples = [0, 1, 2, 3, 10, 11].map((minute) => reading(minute, minute));

  expect(values(samples)).toEqual([0, 1, 2, 3, null, 10, 11]);
});

test("one lost reading is no gap", () => {
  expect(values([0, 1, 2, 4, 5].map((minute) => reading(minute, minute)))).toEqual([0, 1, 2, 4, 5]);
});

test("a fault of the sensor is a gap, however short; one of another sensor is not", () => {
  const samples = [reading(0, 1), reading(2, 2), fault(1, "timeout")];

  expect(values(samples)).toEqual([1, null, 2]);
  expect(values([reading(0, 1), reading(2, 2), fault(1, "timeout", "door")])).toEqual([1, 2]);
  expect(values([reading(0, 1), reading(2, 2), fault(1, "recovered")])).toEqual([1, 2]);
});

test("a zero that was measured stays one", () => {
  expect(values([reading(0, 0), reading(1, -1)])).toEqual([0, -1]);
});

test("readings of one instant do not make gaps of all others", () => {
  const burst = [reading(0, 1), reading(0, 2), reading(0, 3), reading(0, 4), reading(1, 5)];

  expect(values(burst)).not.toContain(null);
});

test("what is no reading is in no panel", () => {
  expect(panels([{ at: 0, opened: { kind: "text", text: "12" } }, fault(1, "silent")])).toEqual([]);
});

test("the summary says what the plot shows", () => {
  const [panel] = panels([reading(0, 4.5), reading(1, 2.5), reading(2, 3)]);

  expect(panel && summaryInWords(panel)).toBe("last 3 °C, lowest 2.5 °C, highest 4.5 °C, 3 readings");
});
