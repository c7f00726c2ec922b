import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Refresh } from "../../src/engine/refresh";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test("who asks while it is being asked gets an answer of their own, one for all of them", async () => {
  const answers: (() => void)[] = [];
  const refresh = new Refresh(() => new Promise((answer) => answers.push(answer)));
  const first = refresh.now();
  const later = [refresh.now(), refresh.now()];
  expect(answers).toHaveLength(1);

  answers[0]?.();
  await vi.advanceTimersByTimeAsync(0);
  expect(answers).toHaveLength(2);
  answers[1]?.();

  await Promise.all([first, ...later]);
  expect(answers).toHaveLength(2);
});

test("it is asked at once, and then not again before the pause is over", async () => {
  let asked = 0;
  const refresh = new Refresh(async () => {
    asked += 1;
  }, 1_000);
  await refresh.now();
  expect(asked).toBe(1);

  void refresh.now();
  await vi.advanceTimersByTimeAsync(999);
  expect(asked).toBe(1);
  await vi.advanceTimersByTimeAsync(1);

  expect(asked).toBe(2);
});

test("a question that failed is asked again by the next one", async () => {
  let works = false;
  const refresh = new Refresh(async () => {
    if (!works) throw new Error("away");
  });
  await expect(refresh.now()).rejects.toThrow("away");
  works = true;

  await expect(refresh.now()).resolves.toBeUndefined();
});
