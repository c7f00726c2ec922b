/** The badge: how many alerts are open, in the tab's title and on its icon. */

import type { Board } from "./board";

const NAME = "Blockpost";
const PIXELS = 64;
const MOST_SHOWN = 99;

export function startBadge(board: Board, page: Document): void {
  let shown = 0;
  board.subscribe(() => {
    const open = board.view().alerts.filter((alert) => alert.open).length;
    if (open === shown) return;
    shown = open;
    page.title = titleOf(open);
    const link = page.querySelector<HTMLLinkElement>('link[rel="icon"]');
    if (link) link.href = open === 0 ? "/icon.svg" : drawn(page, open);
  });
}

export function titleOf(open: number): string {
  return open === 0 ? NAME : `(${open}) ${NAME}`;
}

/** A square with the number on it, as a PNG in a data URL. */
function drawn(page: Document, open: number): string {
  const canvas = page.createElement("canvas");
  canvas.width = canvas.height = PIXELS;
  const pen = canvas.getContext("2d");
  if (!pen) return "/icon.svg";
  pen.fillStyle = "#b3001b";
  pen.beginPath();
  pen.roundRect(0, 0, PIXELS, PIXELS, PIXELS / 5);
  pen.fill();
  pen.fillStyle = "#ffffff";
  pen.font = `bold ${PIXELS * 0.62}px sans-serif`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillText(open > MOST_SHOWN ? "…" : String(open), PIXELS / 2, PIXELS * 0.54);
  return canvas.toDataURL("image/png");
}
