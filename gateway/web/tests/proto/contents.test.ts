import { describe, expect, it } from "vitest";
import { FAULT, FILE, READING, readContent, TEXT } from "../../src/proto/content";
import { vectors } from "./people";

interface Case {
  name: string;
  cty: string;
  content: string;
  valid: boolean;
}

const CASES = vectors<Case[]>("contents");
const KINDS: Record<string, string> = {
  [TEXT]: "text",
  [READING]: "reading",
  [FAULT]: "fault",
  [FILE]: "file",
};

describe("what a message says", () => {
  it.each(CASES.filter((each) => each.valid))("reads $name", ({ cty, content }) => {
    expect(readContent(cty, content, 0).kind).toBe(KINDS[cty]);
  });

  it.each(CASES.filter((each) => !each.valid))("shows as it is $name", ({ cty, content }) => {
    expect(readContent(cty, content, 0)).toEqual({ kind: "other", cty, text: content });
  });
});
