/** Idleness: whether somebody has touched the page lately. */

const TOUCHES = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"] as const;

/** Calls `idle` once nobody has touched the page for so many ms, again and again. */
export function watchIdle(target: EventTarget, ms: number, idle: () => void): void {
  let timer = setTimeout(idle, ms);
  const touched = () => {
    clearTimeout(timer);
    timer = setTimeout(idle, ms);
  };
  for (const touch of TOUCHES) target.addEventListener(touch, touched, { capture: true, passive: true });
}
