/**
 * A priority: its own shape, its own number of stars, its own colour, so that none of them has to be seen alone.
 *
 *   <PriorityMark priority="high" />              an octagon with ***, read out as `high priority`
 *   <PriorityMark priority="high" flashing />     high twice a second, medium every other one, unless motion is unwelcome
 *   <PriorityMark priority="low" size={20} />     in px; 28 unless told
 *   <PriorityMark priority="low" words />         with its name beside it
 *
 *   high     octagon    ***   red (nothing else is red)
 *   medium   triangle   **    yellow
 *   low      circle     *     cyan
 *   info     square     i     no colour
 *
 * `.priority-high` etc. on any element give it --tone, --on-tone and --tone-soft.
 */
import "./priority.css";
import type { Priority } from "../../model";
import { classes } from "./classes";

const SHAPES: Record<Priority, { path: string; stars: readonly { x: number; y: number }[] }> = {
  high: {
    path: "M10 2h12l8 8v12l-8 8H10l-8-8V10z",
    stars: [
      { x: 7.8, y: 16 },
      { x: 16, y: 16 },
      { x: 24.2, y: 16 },
    ],
  },
  medium: {
    path: "M16 2.5 31 29H1z",
    stars: [
      { x: 11.8, y: 22.5 },
      { x: 20.2, y: 22.5 },
    ],
  },
  low: { path: "M16 2a14 14 0 1 0 0 28 14 14 0 0 0 0-28z", stars: [{ x: 16, y: 16 }] },
  info: { path: "M4 4h24v24H4z", stars: [] },
};

/** A star of six rays around a point, as in `*`. */
function star({ x, y }: { x: number; y: number }): string {
  return `M${x} ${y - 3}v6M${x - 2.6} ${y - 1.5}l5.2 3M${x - 2.6} ${y + 1.5}l5.2-3`;
}

interface PriorityMarkProps {
  priority: Priority;
  flashing?: boolean;
  size?: number;
  words?: boolean;
}

export function PriorityMark({ priority, flashing, size = 28, words }: PriorityMarkProps) {
  const { path, stars } = SHAPES[priority];
  return (
    <span className={classes("priority-mark", `priority-${priority}`, flashing && "priority-flashing")}>
      <svg viewBox="0 0 32 32" width={size} height={size} aria-hidden="true" focusable="false">
        <path className="priority-shape" d={path} strokeLinejoin="round" />
        <path className="priority-stars" d={stars.map(star).join("")} />
        {priority === "info" && <path className="priority-stars" d="M16 14.5v8m0-13v.4" />}
      </svg>
      <span className={words ? "priority-words" : "visually-hidden"}>{priorityWords(priority)}</span>
    </span>
  );
}

/** As in `high priority`. */
export function priorityWords(priority: Priority): string {
  return priority === "info" ? "information" : `${priority} priority`;
}
