/** What a device watches for: what it said last of each sensor, and what became of the last wish to change that. */

import type { LimitChanges, Opened, SensorLimits } from "../model";
import { SETTINGS } from "../proto/limits";
import { type TitleOf, timeOf } from "./episodes";
import type { MessageRow } from "./lines";

/** A message about limits, and what it says. */
interface Told {
  row: Pick<MessageRow, "id" | "index" | "author" | "at" | "committed" | "re" | "cty">;
  opened: Opened;
}

/** As many of the newest are opened, each with a private key: a device says little about its limits. */
const MOST_OPENED = 100;

export async function sensorLimits(
  rows: readonly MessageRow[],
  open: (id: string) => Promise<Opened>,
  titleOf: TitleOf,
): Promise<readonly SensorLimits[]> {
  const newest = rows.slice(-MOST_OPENED);
  return limitsFrom(
    await Promise.all(newest.map(async (row) => ({ row, opened: await open(row.id) }))),
    titleOf,
  );
}

/** By sensor. `told` is in the order of the chain. */
export function limitsFrom(told: readonly Told[], titleOf: TitleOf): readonly SensorLimits[] {
  const sensors = new Map<string, SensorLimits>();
  const answers = new Map<string, string | null>();
  for (const { row, opened } of told) {
    if (opened.kind !== "settings" || row.cty !== SETTINGS) continue;
    if (row.re !== null) answers.set(row.re, opened.refused);
    for (const { sensor, unit, preset, limits, change } of opened.sensors) {
      const changed = change && { title: titleOf(change.by), at: change.at ?? timeOf(row) };
      const said = { sensor, unit, preset, limits, changed, at: timeOf(row) };
      sensors.set(sensor, { ...said, pending: null, refused: null });
    }
  }
  for (const { row, opened } of told) {
    const known = opened.kind === "limits" ? sensors.get(opened.sensor) : undefined;
    if (opened.kind !== "limits" || !known) continue;
    const wish: { title: string; at: number; changes: LimitChanges } = {
      title: titleOf(row.author),
      at: timeOf(row),
      changes: opened.changes,
    };
    // The newest wish is what is of interest: what came of an older one is in the limits.
    const words = answers.get(row.id);
    const refused = typeof words === "string" ? { ...wish, words } : null;
    sensors.set(opened.sensor, { ...known, pending: words === undefined ? wish : null, refused });
  }
  return [...sensors.values()].sort((one, other) => one.sensor.localeCompare(other.sensor));
}
