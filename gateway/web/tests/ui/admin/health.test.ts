import { expect, test } from "vitest";
import { count, diskSize, verdict } from "../../../src/ui/admin/health";

const done = { state: "done", at: 0, ms: 3122, ok: true, height: 902, size: 12_044, detail: "" } as const;

test.each([
  [0, "0 bytes"],
  [999, "999 bytes"],
  [1000, "1 kB"],
  [48_213_333, "48.2 MB"],
  [21_700_000_000, "21.7 GB"],
  [5e15, "5,000 TB"],
])("%i bytes are %s", (bytes, words) => {
  expect(diskSize(bytes)).toBe(words);
});

test("one is one, and others are many", () => {
  expect([count(1, "entry", "entries"), count(0, "entry", "entries"), count(1200, "member")]).toEqual([
    "1 entry",
    "0 entries",
    "1,200 members",
  ]);
});

test("a chain that holds says how much was checked, the block 0 included", () => {
  const { good, text } = verdict(done);
  expect(good).toBe(true);
  expect(text).toContain("903 blocks with 12,044 entries were checked in 3.12 s");
});

test("a bad block is named, with what is to be done", () => {
  const { good, title, text } = verdict({
    ...done,
    ok: false,
    height: 17,
    size: 211,
    detail: "a hash differs",
  });
  expect(good).toBe(false);
  expect(title).toBe("Block 17 does not hold");
  expect(text).toContain("The 211 entries before it hold. Stop the gateway");
  expect(text).toContain("(a hash differs)");
});

test("a check that came to no end accuses nobody", () => {
  const { good, title, text } = verdict({ ...done, ok: false, height: -1, detail: "it was ended" });
  expect(good).toBe(false);
  expect(title).toBe("The check did not come to an end");
  expect(text).not.toContain("Stop the gateway");
});
