import { expect, test } from "vitest";
import { limitsFrom } from "../../src/engine/watched";
import type { Limits, Opened } from "../../src/model";
import { LIMITS, SETTINGS } from "../../src/proto/limits";

const DEVICE = "fridge";
const KIM = "kim";
const WATCHED: Limits = {
  ...{ low: 2, high: 8, clearBy: 0.5, mustLast: 600, staleAfter: 900, priority: "high" },
};

/** What was said about limits, message by message. */
class Talk {
  readonly told: Parameters<typeof limitsFrom>[0][number][] = [];

  asks(sensor: string, changes: { high: number }): string {
    return this.#say(KIM, LIMITS, { kind: "limits", sensor, changes });
  }

  answers(high: number, more: { re?: string; refused?: string; sensor?: string } = {}): void {
    const { re = null, refused = null, sensor = DEVICE } = more;
    const change = re === null || refused !== null ? null : { by: KIM, at: 77, request: re };
    const limits = { ...WATCHED, high };
    const sensors = [{ sensor, unit: "Cel", preset: "vaccine-fridge", limits, change }];
    this.#say(DEVICE, SETTINGS, { kind: "settings", sensors, refused }, re);
  }

  #say(author: string, cty: string, opened: Opened, re: string | null = null): string {
    const index = this.told.length;
    const id = `m${index}`;
    this.told.push({ row: { id, index, author, at: 0, committed: 100 + index, re, cty }, opened });
    return id;
  }

  get limits() {
    return limitsFrom(this.told, (account) => account.toUpperCase());
  }
}

test("a sensor's limits are those that the device said last", () => {
  const talk = new Talk();
  talk.answers(8);
  talk.answers(9);
  talk.answers(30, { sensor: "door" });

  expect(talk.limits).toMatchObject([
    { sensor: "door", limits: { high: 30 } },
    { sensor: "fridge", unit: "Cel", limits: { high: 9, low: 2 }, at: 101, changed: null },
  ]);
});

test("a wish waits for the device's answer", () => {
  const talk = new Talk();
  talk.answers(8);
  talk.asks("fridge", { high: 7 });

  expect(talk.limits).toMatchObject([
    {
      limits: { high: 8 },
      pending: { title: "KIM", at: 101, changes: { high: 7 } },
      refused: null,
    },
  ]);
});

test("a wish that was taken over is in force, and says whose it was", () => {
  const talk = new Talk();
  talk.answers(8);
  talk.answers(7, { re: talk.asks("fridge", { high: 7 }) });

  expect(talk.limits).toMatchObject([
    { limits: { high: 7 }, changed: { title: "KIM", at: 77 }, pending: null, refused: null },
  ]);
});

test("a wish that was refused says why, until there is another one", () => {
  const talk = new Talk();
  talk.answers(8);
  const refused = "fridge: low: want less than high";
  talk.answers(8, { re: talk.asks("fridge", { high: 1 }), refused });
  expect(talk.limits).toMatchObject([
    { limits: { high: 8 }, pending: null, refused: { words: refused, changes: { high: 1 } } },
  ]);

  talk.asks("fridge", { high: 7 });

  expect(talk.limits).toMatchObject([{ pending: { changes: { high: 7 } }, refused: null }]);
});

test("nobody but the device says what is in force", () => {
  const talk = new Talk();
  talk.asks("fridge", { high: 7 });
  talk.told.push({
    row: { ...{ id: "x", index: 1, author: KIM, at: 0, committed: 1, re: null }, cty: "text/plain" },
    opened: { kind: "settings", sensors: [], refused: null },
  });

  expect(talk.limits).toEqual([]);
});
