import { expect, test } from "vitest";
import { everyLine, type Lines } from "../../../src/ui/admin/pages";

/** The numbers below `before`, from 6 down, two to a page. */
async function ask(before: number | null): Promise<Lines<number>> {
  const below = [6, 5, 4, 3, 2].filter((each) => before === null || each < before);
  const lines = below.slice(0, 2);
  return { lines, before: below.length > 2 ? (lines.at(-1) ?? null) : null };
}

const on = () => new AbortController().signal;

test("all pages come, in order, and each is told of", async () => {
  const told: number[] = [];
  expect(await everyLine(ask, (lines) => told.push(lines.length), on())).toEqual([6, 5, 4, 3, 2]);
  expect(told).toEqual([2, 4, 5]);
});

test("it ends with what has come once it is stopped", async () => {
  const stop = new AbortController();
  expect(await everyLine(ask, () => stop.abort(), stop.signal)).toEqual([6, 5]);
});

test("a page that fails is the failure of the whole", async () => {
  const failing = (before: number | null) =>
    before === null ? ask(null) : Promise.reject(new Error("away"));
  await expect(everyLine(failing, () => {}, on())).rejects.toThrow("away");
});

test("a list that goes round is refused", async () => {
  const round = async () => ({ lines: [1], before: 5 });
  await expect(everyLine(round, () => {}, on())).rejects.toThrow("after 5 it goes on with 5");
});
