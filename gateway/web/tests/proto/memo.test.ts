import { expect, test } from "vitest";
import { memo } from "../../src/proto/memo";

test("what was made of a text is not made again", () => {
  let made = 0;
  const lengthOf = memo((text) => ({ length: text.length, made: ++made }));

  expect(lengthOf("a")).toBe(lengthOf("a"));
  expect(lengthOf("bb")).toEqual({ length: 2, made: 2 });
});

test("it does not grow without end", () => {
  let made = 0;
  const number = memo((text) => ++made && Number(text));
  const texts = Array.from({ length: 5000 }, (_, i) => String(i));

  expect(texts.map(number)).toEqual(texts.map(Number));
  expect(number("0")).toBe(0);
  expect(made).toBe(5001);
});

test("what could not be made is tried again", () => {
  const broken = memo((text) => {
    throw new Error(text);
  });

  expect(() => broken("no")).toThrow("no");
  expect(() => broken("no")).toThrow("no");
});
