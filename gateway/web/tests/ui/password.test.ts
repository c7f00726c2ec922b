import { describe, expect, test } from "vitest";
import { FEWEST_CHARACTERS as FEWEST } from "../../src/model";
import { passwordProblem, strengthHint } from "../../src/ui/entry/password";

describe("a new password", () => {
  test("of the fewest characters, typed twice alike, will do", () => {
    const password = "x".repeat(FEWEST);

    expect(passwordProblem(password, password)).toBeNull();
  });

  test("that is one character short is refused at its own field", () => {
    const password = "x".repeat(FEWEST - 1);

    expect(passwordProblem(password, password)).toMatchObject({ field: "password" });
  });

  test("is counted in characters, as a person counts them, not in code units", () => {
    const faces = "😀".repeat(FEWEST - 1);

    expect(passwordProblem(faces, faces)).toMatchObject({ field: "password" });
  });

  test("typed otherwise the second time is refused at the second field", () => {
    expect(passwordProblem("correct horse", "correct house")).toMatchObject({ field: "again" });
  });
});

describe("the hint", () => {
  test.each([
    ["", "At least 8"],
    ["short", "3 more to go"],
    ["aaaaaaaaaaaaaaaa", "repeats itself"],
    ["k3ttle-9", "Enough, but short"],
    ["correct horse battery", "Good length"],
  ])("on %j says %j", (password, words) => {
    expect(strengthHint(password)).toContain(words);
  });
});
