/**
 * A state at a glance: a shape, and words (which a narrow screen hides from the eye, not from the ear).
 *
 *   <Lamp state="good">Live</Lamp>            a filled dot
 *   <Lamp state="waiting">Connecting</Lamp>   a turning ring
 *   <Lamp state="bad">Offline</Lamp>          a crossed ring
 */
import "./lamp.css";
import type { ReactNode } from "react";
import { classes } from "./classes";

export type LampState = "good" | "waiting" | "bad";

export function Lamp({ state, children }: { state: LampState; children: ReactNode }) {
  return (
    <span className={classes("lamp", `lamp-${state}`)}>
      <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
        {state === "good" && <circle cx="8" cy="8" r="6" fill="currentColor" />}
        {state === "waiting" && (
          <circle
            cx="8"
            cy="8"
            r="5.5"
            fill="none"
            stroke="currentColor"
            strokeWidth="2.5"
            strokeDasharray="24 12"
          />
        )}
        {state === "bad" && (
          <path
            d="M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2ZM4 4l8 8"
            fill="none"
            stroke="currentColor"
            strokeWidth="2.5"
          />
        )}
      </svg>
      <span className="lamp-words">{children}</span>
    </span>
  );
}
