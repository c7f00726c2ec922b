import { expect, test } from "vitest";
import { csv } from "../../../src/ui/admin/csv";

test("lines end with CR LF, the last one too, and nothing is quoted without need", () => {
  expect(csv(["entry", "what"], [[7, "linked fridge-2"]])).toBe("entry,what\r\n7,linked fridge-2\r\n");
});

test("an empty list is its header", () => {
  expect(csv(["entry", "what"], [])).toBe("entry,what\r\n");
});

test.each([
  ["a comma", "a,b", '"a,b"'],
  ["a quote, which is doubled", 'say "no"', '"say ""no"""'],
  ["a line feed", "a\nb", '"a\nb"'],
  ["a carriage return", "a\rb", '"a\rb"'],
])("quotes go around %s", (_, cell, written) => {
  expect(csv([cell], [])).toBe(`${written}\r\n`);
});

test("what is absent is an empty cell, and nought is not", () => {
  expect(csv(["a", "b"], [[null, 0]])).toBe("a,b\r\n,0\r\n");
});

test.each(["=1+1", "+1", "-1", "@SUM(A1)", "\tx"])("%j is not carried out as a formula", (cell) => {
  expect(csv([cell], [])).toBe(`'${cell}\r\n`);
});

test("a formula is guarded within its quotes", () => {
  expect(csv(['=HYPERLINK("http://x","y")'], [])).toBe(`"'=HYPERLINK(""http://x"",""y"")"\r\n`);
  expect(csv(["\r=1"], [])).toBe(`"'\r=1"\r\n`);
});

test("what only contains such a character stays as it is", () => {
  expect(csv(["fridge-2", "a@b", "1+1=2"], [])).toBe("fridge-2,a@b,1+1=2\r\n");
});
