import { expect, test } from "vitest";
import { spelled, typedDigits } from "../../src/ui/parts/digits";

test("digits are written in two halves", () => {
  expect(spelled("493021")).toBe("493 021");
});

test.each(["493021", "493 021", " 493-021 ", "4 9 3 0 2 1"])(
  "digits are read however they are typed: %j",
  (typed) => {
    expect(typedDigits(typed)).toBe("493021");
  },
);

test.each(["", "49302", "4930211", "49302a", "\u0664\u0669\u0663\u0660\u0662\u0661"])(
  "what is not six digits is none: %j",
  (typed) => {
    expect(typedDigits(typed)).toBeNull();
  },
);
