/** The alarm load by weeks, as the report shows it. */

import type { LoadLine } from "../../model";

export interface Week {
  /** Monday, 00:00 UTC. */
  begins: number;
  title: string;
  alerts: number;
  /** By alerts, the most first. */
  lines: readonly LoadLine[];
}

/** In UTC, as the weeks are. */
const DAY = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "long",
  year: "numeric",
  timeZone: "UTC",
});

/** The newest first. */
export function weeksOf(lines: readonly LoadLine[]): readonly Week[] {
  const weeks = [...new Set(lines.map(({ week }) => week))].sort((one, other) => other - one);
  return weeks.map((begins) => {
    const own = lines.filter(({ week }) => week === begins);
    return {
      begins,
      title: `Week of ${DAY.format(begins)}`,
      alerts: own.reduce((sum, { alerts }) => sum + alerts, 0),
      lines: own.sort((one, other) => other.alerts - one.alerts || one.title.localeCompare(other.title)),
    };
  });
}

/** What a bar of full length stands for: so that weeks can be compared. */
export function mostAlerts(lines: readonly LoadLine[]): number {
  return Math.max(1, ...lines.map(({ alerts }) => alerts));
}
