import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { IDLE_MS, watchIdle } from "../../src/engine/idle";
import { Visitors } from "../../src/engine/visitors";

const MINUTE = 60_000;

let visitors: Visitors;
let page: EventTarget;
let idle: ReturnType<typeof vi.fn<() => void>>;

beforeEach(() => {
  vi.useFakeTimers();
  const shelf = new Map<string, string>();
  visitors = new Visitors({
    getItem: (name) => shelf.get(name) ?? null,
    setItem: (name, value) => void shelf.set(name, value),
    removeItem: (name) => void shelf.delete(name),
  });
  [page, idle] = opened();
});

afterEach(() => {
  vi.useRealTimers();
});

/** One more tab of the same browser. */
function opened(): [EventTarget, ReturnType<typeof vi.fn<() => void>>] {
  const [page, idle] = [new EventTarget(), vi.fn<() => void>()];
  watchIdle(page, visitors, Date.now, idle);
  return [page, idle];
}

test("ten minutes without a touch are idle, and each ten more", () => {
  vi.advanceTimersByTime(10 * MINUTE - 1);
  expect(idle).not.toHaveBeenCalled();

  vi.advanceTimersByTime(1);
  expect(idle).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(10 * MINUTE);

  expect(idle).toHaveBeenCalledTimes(2);
});

test.each(["pointerdown", "pointermove", "keydown", "input", "wheel", "touchstart"])(
  "a %s is a touch",
  (touch) => {
    for (let minutes = 0; minutes < 30; minutes += 5) {
      vi.advanceTimersByTime(5 * MINUTE);
      page.dispatchEvent(new Event(touch));
    }
    expect(idle).not.toHaveBeenCalled();

    vi.advanceTimersByTime(10 * MINUTE);

    expect(idle).toHaveBeenCalledTimes(1);
  },
);

test("a tab that nobody looks at is in use while another one is", () => {
  const [other] = opened();
  for (let minutes = 0; minutes < 30; minutes += 5) {
    vi.advanceTimersByTime(5 * MINUTE);
    other.dispatchEvent(new Event("keydown"));
  }
  expect(idle).not.toHaveBeenCalled();

  vi.advanceTimersByTime(10 * MINUTE);

  expect(idle).toHaveBeenCalledTimes(1);
});

test("whoever wakes a tablet that slept finds it idle, before their touch counts", () => {
  vi.setSystemTime(Date.now() + IDLE_MS);

  page.dispatchEvent(new Event("pointerdown"));

  expect(idle).toHaveBeenCalledTimes(1);
});

test("a page that is looked at again after a long while is idle at once", () => {
  vi.setSystemTime(Date.now() + IDLE_MS);

  page.dispatchEvent(new Event("visibilitychange"));

  expect(idle).toHaveBeenCalledTimes(1);
});

test("a clock that is set back does not put it off for longer", () => {
  page.dispatchEvent(new Event("keydown"));
  vi.setSystemTime(Date.now() - 24 * 60 * MINUTE);

  vi.advanceTimersByTime(20 * MINUTE);

  expect(idle).toHaveBeenCalled();
});
