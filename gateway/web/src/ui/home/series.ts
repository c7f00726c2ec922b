/** The readings of a plot: a panel for each sensor, channel and unit, with gaps where there is no data. */

import type { Opened } from "../../model";
import { amount, sensorInWords } from "./amounts";

/** An opened message with the time at which its author made it. */
export interface Sample {
  at: number;
  opened: Opened;
}

export interface Panel {
  key: string;
  name: string;
  unit: string;
  /** Seconds since 1970, rising: what the plot takes. */
  times: number[];
  /** `null` is a gap: the line stops there. */
  values: (number | null)[];
  summary: Summary;
}

export interface Summary {
  min: number;
  max: number;
  last: number;
  lastAt: number;
  count: number;
}

interface Point {
  at: number;
  value: number;
}

interface Track {
  sensor: string;
  name: string;
  unit: string;
  points: Point[];
}

/** A silence of so many usual intervals is a gap: one lost reading is not. */
const SILENCE = 3.5;

export function panels(samples: readonly Sample[]): Panel[] {
  const tracks = new Map<string, Track>();
  const faults = new Map<string, number[]>();
  for (const { at, opened } of samples) {
    if (opened.kind === "reading") trackOf(tracks, opened).points.push(opened);
    if (opened.kind === "episode" && opened.readings.length > 0) {
      trackOf(tracks, opened).points.push(...opened.readings);
    }
    if (isFault(opened)) faults.set(opened.sensor, [...(faults.get(opened.sensor) ?? []), at]);
  }
  return [...tracks]
    .map(([key, track]) => panel(key, track, faults.get(track.sensor) ?? []))
    .sort((one, other) => (one.name < other.name ? -1 : one.name > other.name ? 1 : 0));
}

function trackOf(
  tracks: Map<string, Track>,
  { sensor, channel, unit }: { sensor: string; channel: string | null; unit: string },
): Track {
  const key = JSON.stringify([sensor, channel, unit]);
  const track = tracks.get(key) ?? { sensor, name: sensorInWords(sensor, channel), unit, points: [] };
  tracks.set(key, track);
  return track;
}

/** Whether it says that there are no readings now. */
function isFault(opened: Opened): opened is Extract<Opened, { kind: "fault" | "episode" }> {
  if (opened.kind === "fault") return opened.reason !== "recovered";
  return opened.kind === "episode" && opened.until === null && !["low", "high"].includes(opened.what);
}

/** In order, and each reading once: the messages of an episode have the last ones again. */
function inOrder(points: readonly Point[]): Point[] {
  const sorted = points.toSorted((one, other) => one.at - other.at);
  return sorted.filter(({ at, value }, place) => {
    const before = sorted[place - 1];
    return before === undefined || before.at !== at || before.value !== value;
  });
}

function panel(key: string, track: Track, faults: readonly number[]): Panel {
  const points = inOrder(track.points);
  const longest = SILENCE * usualInterval(points);
  const times: number[] = [];
  const values: (number | null)[] = [];
  let before: Point | undefined;
  for (const point of points) {
    const from = before;
    if (from !== undefined && isGap(from.at, point.at, longest, faults)) {
      times.push((from.at + point.at) / 2000);
      values.push(null);
    }
    times.push(point.at / 1000);
    values.push(point.value);
    before = point;
  }
  return { key, name: track.name, unit: track.unit, times, values, summary: summary(points) };
}

function isGap(from: number, to: number, longest: number, faults: readonly number[]): boolean {
  return to - from > longest || faults.some((at) => from < at && at < to);
}

/** The median, which a few gaps do not move; nothing is too long if there are too few to say. */
function usualInterval(points: readonly Point[]): number {
  const intervals = points
    .slice(1)
    .map((point, position) => point.at - (points[position]?.at ?? point.at))
    .sort((one, other) => one - other);
  if (intervals.length < 3) return Number.POSITIVE_INFINITY;
  return intervals[Math.floor(intervals.length / 2)] || Number.POSITIVE_INFINITY;
}

function summary(points: readonly Point[]): Summary {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { value } of points) {
    min = Math.min(min, value);
    max = Math.max(max, value);
  }
  const last = points.at(-1);
  return { min, max, last: last?.value ?? Number.NaN, lastAt: last?.at ?? 0, count: points.length };
}

/** What a person who does not see the plot is told of it. */
export function summaryInWords({ summary: { min, max, last, count }, unit }: Panel): string {
  const readings = count === 1 ? "1 reading" : `${count} readings`;
  return `last ${amount(last, unit)}, lowest ${amount(min, unit)}, highest ${amount(max, unit)}, ${readings}`;
}
