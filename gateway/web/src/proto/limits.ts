/**
 * What a device watches for: its settings, and a person's wish to change them (docs/protocol.md section 5).
 *
 * On the wire a member that is left out stays as it is, and null does without it.
 */

import type { LimitChanges, Limits, Opened } from "../model";
import { readJson } from "./encoding";
import { entryIdShape } from "./entry";
import { Malformed } from "./errors";
import { accountIdShape } from "./identity";
import { integer, list, literal, mapped, nullable, number, type Of, optional, strict, text } from "./shape";

export const LIMITS = "application/vnd.blockpost.limits+json";
export const SETTINGS = "application/vnd.blockpost.settings+json";

const MAX_AMOUNT = 1e12;
const DAY = 86_400;

const sensorShape = text({ min: 1, max: 32 });
const amount = number(-MAX_AMOUNT, MAX_AMOUNT);
const distance = number(0, MAX_AMOUNT);
const delay = number(0, DAY);
const priority = literal("high", "medium", "low", "info");

const setShape = mapped(
  strict({
    low: optional(nullable(amount)),
    high: optional(nullable(amount)),
    clear_by: optional(nullable(distance)),
    must_last: optional(nullable(delay)),
    stale_after: optional(nullable(delay)),
    priority: optional(nullable(priority)),
  }),
  (set, what) => {
    if (Object.keys(set).length === 0) throw new Malformed(`${what}: want something that is to change`);
    return set;
  },
);

const limitsShape = strict({ sensor: sensorShape, set: setShape });

const settingsShape = strict({
  sensors: list(
    strict({
      sensor: sensorShape,
      low: optional(nullable(amount)),
      high: optional(nullable(amount)),
      clear_by: optional(distance),
      must_last: optional(delay),
      stale_after: optional(delay),
      priority,
      unit: optional(nullable(text({ min: 1, max: 32 }))),
      code: optional(nullable(text({ min: 1, max: 32 }))),
      preset: optional(nullable(text({ min: 1, max: 32 }))),
      by: optional(nullable(accountIdShape)),
      at: optional(nullable(integer())),
      request: optional(nullable(entryIdShape)),
    }),
  ),
  refused: optional(nullable(text({ min: 1, max: 1024 }))),
});

type Watched = Of<typeof settingsShape>["sensors"][number];

export function readLimits(content: string): Opened & { kind: "limits" } {
  const { sensor, set } = limitsShape(readJson(content, "limits"), "limits");
  return { kind: "limits", sensor, changes: changesOf(set) };
}

export function readSettings(content: string): Opened & { kind: "settings" } {
  const { sensors, refused } = settingsShape(readJson(content, "settings"), "settings");
  return { kind: "settings", sensors: sensors.map(watchedOf), refused: refused ?? null };
}

/** The content of a `limits` message; raises `Malformed` if the changes are none. */
export function writeLimits(sensor: string, changes: LimitChanges): { cty: string; content: string } {
  const { clearBy, mustLast, staleAfter, ...rest } = changes;
  const set = {
    ...rest,
    ...(clearBy === undefined ? {} : { clear_by: clearBy }),
    ...(mustLast === undefined ? {} : { must_last: mustLast }),
    ...(staleAfter === undefined ? {} : { stale_after: staleAfter }),
  };
  limitsShape({ sensor, set }, "limits");
  return { cty: LIMITS, content: JSON.stringify({ sensor, set }) };
}

function changesOf({ clear_by, must_last, stale_after, ...rest }: Of<typeof setShape>): LimitChanges {
  return {
    ...rest,
    ...(clear_by === undefined ? {} : { clearBy: clear_by }),
    ...(must_last === undefined ? {} : { mustLast: must_last }),
    ...(stale_after === undefined ? {} : { staleAfter: stale_after }),
  };
}

function watchedOf(said: Watched): (Opened & { kind: "settings" })["sensors"][number] {
  const limits: Limits = {
    low: said.low ?? null,
    high: said.high ?? null,
    clearBy: said.clear_by ?? 0,
    mustLast: said.must_last ?? 0,
    staleAfter: said.stale_after ?? 0,
    priority: said.priority,
  };
  const { by = null, at = null, request = null } = said;
  const change = by === null ? null : { by, at, request };
  return { sensor: said.sensor, unit: said.unit ?? "", preset: said.preset ?? null, limits, change };
}
