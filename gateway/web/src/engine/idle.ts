/** Idleness: whether somebody touched a page of this browser lately, in whichever tab. */

import type { Visitors } from "./visitors";

/** A tablet that lies around shows nothing after so long. */
export const IDLE_MS = 10 * 60_000;

const TOUCHES = ["pointerdown", "pointermove", "keydown", "input", "wheel", "touchstart"] as const;

/** A tab tells the others that it is in use at most this often. */
const TELL_MS = 5_000;

type Touches = Pick<Visitors, "touched" | "touch">;

/** Whether this browser was left alone for so long that who comes now may be somebody else. */
export function wasIdle(touches: Touches, now: number): boolean {
  const touched = touches.touched();
  return touched > 0 && now - touched >= IDLE_MS;
}

/** Calls `idle` once nobody has touched a page for so long, again and again. */
export function watchIdle(target: EventTarget, touches: Touches, now: () => number, idle: () => void): void {
  let last = now();
  let timer: ReturnType<typeof setTimeout> | undefined;

  const quiet = () => {
    const [here, there] = [now(), touches.touched()];
    // A clock that was set back is no reason to wait longer.
    last = Math.min(there > here ? last : Math.max(last, there), here);
    return here - last;
  };
  const look = () => {
    clearTimeout(timer);
    const left = IDLE_MS - quiet();
    if (left <= 0) idle();
    timer = setTimeout(look, left <= 0 ? IDLE_MS : left);
  };
  const touched = () => {
    // No timer runs while a tablet sleeps: who wakes it may be somebody else.
    if (quiet() >= IDLE_MS) idle();
    last = now();
    if (last - touches.touched() >= TELL_MS || touches.touched() > last) touches.touch(last);
  };

  for (const touch of TOUCHES) target.addEventListener(touch, touched, { capture: true, passive: true });
  target.addEventListener("visibilitychange", look);
  look();
}
