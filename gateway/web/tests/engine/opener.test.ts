import { beforeEach, expect, test } from "vitest";
import { Opener, type Sealed, type Shelves } from "../../src/engine/opener";
import { person } from "../proto/people";
import { write } from "./room";
import { Town } from "./town";

const shelves = (find: Shelves["find"], more: Partial<Shelves> = {}): Shelves => ({
  ...{ find, forwardsOf: () => [], titleOf: (account: string) => account },
  ...more,
});

let town: Town;
let sealed: Sealed;
let id: string;

beforeEach(async () => {
  town = await Town.found();
  const [alice, bob] = await Promise.all([person("alice"), person("bob")]);
  await town.join(alice, "alice");
  await town.join(bob, "bob");
  id = await write(town, bob, alice, "hello");
  sealed = await town.delivered(town.entries.length - 1);
});

test("a message is opened once, and the promise is the same", async () => {
  let asked = 0;
  const opener = new Opener(
    [await person("alice")],
    shelves(async () => {
      asked += 1;
      return sealed;
    }),
  );
  expect(opener.opened(id)).toBeUndefined();

  const opening = opener.open(id);

  expect(opener.open(id)).toBe(opening);
  expect(await opening).toEqual({ kind: "text", text: "hello" });
  expect(opener.opened(id)).toBe(await opening);
  expect(asked).toBe(1);
});

test("whatever is wrong with a message, it is one and the same answer", async () => {
  const [alice, carol] = await Promise.all([person("alice"), person("carol")]);
  const { body = "" } = sealed;
  const answers = await Promise.all([
    new Opener(
      [carol],
      shelves(async () => sealed),
    ).open(id),
    new Opener(
      [alice],
      shelves(async () => ({ ...sealed, body: body.slice(0, -9) })),
    ).open(id),
    new Opener(
      [alice],
      shelves(async () => ({ ...sealed, body: "" })),
    ).open(id),
    new Opener(
      [alice],
      shelves(async () => undefined),
    ).open(id),
  ]);

  expect(new Set(answers).size).toBe(1);
  expect(answers[0]).toMatchObject({ kind: "sealed" });
});

test("a message without its body was erased", async () => {
  const { entry } = sealed;
  const opener = new Opener(
    [await person("alice")],
    shelves(async () => ({ entry })),
  );

  expect(await opener.open(id)).toEqual({ kind: "erased" });
});

test("an older key opens what was sealed for it", async () => {
  const [alice, carol] = await Promise.all([person("alice"), person("carol")]);
  const opener = new Opener(
    [carol, alice],
    shelves(async () => sealed),
  );

  expect(await opener.open(id)).toEqual({ kind: "text", text: "hello" });
});

test("a store that fails is asked again the next time", async () => {
  let works = false;
  const opener = new Opener(
    [await person("alice")],
    shelves(async () => {
      if (!works) throw new Error("closed");
      return sealed;
    }),
  );
  await expect(opener.open(id)).rejects.toThrow("closed");
  works = true;

  expect(await opener.open(id)).toEqual({ kind: "text", text: "hello" });
});

test("at most eight are opened at one time, and the first of too many are forgotten", async () => {
  let now = 0;
  let most = 0;
  const opener = new Opener(
    [await person("alice")],
    shelves(async () => {
      now += 1;
      most = Math.max(most, now);
      await new Promise((resolve) => setTimeout(resolve, 0));
      now -= 1;
      return undefined;
    }),
  );

  await Promise.all(Array.from({ length: 2_100 }, (_, at) => opener.open(`m${at}`)));

  expect(most).toBe(8);
  expect(opener.opened("m0")).toBeUndefined();
  expect(opener.opened("m2099")).toMatchObject({ kind: "sealed" });
});
