import { expect, test } from "vitest";
import { Drafts, EMPTY, MOST_BYTES, refusal } from "../../src/ui/home/drafts";

const half = { ...EMPTY, text: "I will be" };

test("a draft is kept for its conversation, and for no other", () => {
  const drafts = new Drafts();

  drafts.keep("kim", "lee", half);

  expect(drafts.of("kim", "lee")).toEqual(half);
  expect(drafts.of("kim", "sam")).toEqual(EMPTY);
});

test("what one person began to write is gone when another one is here", () => {
  const drafts = new Drafts();
  drafts.keep("kim", "lee", half);

  expect(drafts.of("sam", "lee")).toEqual(EMPTY);
  expect(drafts.of("kim", "lee")).toEqual(EMPTY);
});

test("a draft without anything in it is none", () => {
  const drafts = new Drafts();
  drafts.keep("kim", "lee", half);

  drafts.keep("kim", "lee", { ...half, text: "" });

  expect(drafts.of("kim", "lee")).toBe(EMPTY);
});

test("a file of 40 kB can be attached, and one byte more is refused with both sizes", () => {
  expect(refusal({ name: "a.bin", size: MOST_BYTES })).toBeNull();
  expect(refusal({ name: "a.bin", size: 1_048_576 })).toBe(
    "a.bin is too big: it has 1024 kB, and at most 40 kB can be sent.",
  );
  expect(refusal({ name: "a.bin", size: MOST_BYTES + 1 })).toContain("it has 40.1 kB");
});

test("an empty file is refused: a folder that was dropped looks like one", () => {
  expect(refusal({ name: "a.bin", size: 0 })).toContain("empty");
});
