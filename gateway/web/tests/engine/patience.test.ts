import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Patience } from "../../src/engine/patience";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

async function waited(patience: Patience): Promise<number> {
  const began = Date.now();
  const waiting = patience.wait();
  await vi.runAllTimersAsync();
  await waiting;
  return Date.now() - began;
}

test("each attempt waits longer, up to some seconds, and begins anew after a success", async () => {
  const patience = new Patience(() => 0.5);
  const delays: number[] = [];
  for (let i = 0; i < 6; i += 1) delays.push(await waited(patience));
  patience.reset();

  expect(delays).toEqual([500, 1_000, 2_000, 4_000, 5_000, 5_000]);
  expect(await waited(patience)).toBe(500);
});

test("who waits does so by chance: half of it, to one and a half", async () => {
  expect(await waited(new Patience(() => 0))).toBe(250);
  expect(await waited(new Patience(() => 1))).toBe(750);
});

test("who is woken does not wait any longer", async () => {
  const patience = new Patience(() => 0.5);
  const began = Date.now();
  const waiting = patience.wait();

  patience.wake();
  await waiting;

  expect(Date.now()).toBe(began);
});
