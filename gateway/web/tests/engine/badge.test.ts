import { beforeEach, expect, test } from "vitest";
import { startBadge, titleOf } from "../../src/engine/badge";
import { Board } from "../../src/engine/board";
import type { AlertView } from "../../src/model";

let board: Board;
let page: { title: string; link: { href: string; type: string } };
/** What was written on the icon, and on what ground. */
let drawn: string[];

beforeEach(() => {
  board = new Board();
  page = { title: "Blockpost", link: { href: "/icon.svg", type: "image/svg+xml" } };
  drawn = [];
  const nothing = () => undefined;
  const pen = {
    ...{ fillStyle: "", beginPath: nothing, roundRect: nothing },
    fill: () => drawn.push(pen.fillStyle),
    fillText: (text: string) => drawn.push(text),
  };
  const canvas = { getContext: () => pen, toDataURL: () => "data:image/png;base64,AA==" };
  const document = Object.assign(page, { querySelector: () => page.link, createElement: () => canvas });
  startBadge(board, document as unknown as Document);
});

async function show(...alerts: Partial<AlertView>[]): Promise<void> {
  board.show({ alerts: alerts as AlertView[] });
  await Promise.resolve();
}

test("the title and the icon say how many alerts are open, and nothing else", async () => {
  await show(
    { open: true, priority: "low" },
    { open: true, priority: "medium" },
    { open: false, priority: "high" },
  );

  expect(page.title).toBe("(2) Blockpost");
  expect(page.link).toEqual({ href: "data:image/png;base64,AA==", type: "image/png" });
  expect(drawn).toEqual(["#ffd12e", "2"]);
});

test("a priority that rises changes the colour", async () => {
  await show({ open: true, priority: "low" });
  await show({ open: true, priority: "high" });

  expect(drawn).toEqual(["#4fd8eb", "1", "#c8102e", "1"]);
});

test("what is taken, and who is logged out, leave no number", async () => {
  await show({ open: true, priority: "high" });

  board.clear();
  await Promise.resolve();

  expect(page).toMatchObject({
    title: "Blockpost",
    link: { href: "/icon.svg", type: "image/svg+xml" },
  });
});

test("more than fits is not written out", async () => {
  await show(...Array.from({ length: 100 }, () => ({ open: true, priority: "low" as const })));

  expect(drawn.at(-1)).toBe("…");
  expect(titleOf(100)).toBe("(100) Blockpost");
});
