/** The badge: how many alerts are open, in the tab's title and on its icon, in the colour of the gravest. */

import type { Priority } from "../model";
import type { Board } from "./board";
import { soundOf } from "./sound";

const NAME = "Blockpost";
const ICON = "/icon.svg";
const PIXELS = 64;
const MOST_SHOWN = 99;

/** Ground and number. Red is for high priority, and for nothing else. */
const COLOURS: Readonly<Record<Priority, readonly [string, string]>> = {
  high: ["#c8102e", "#ffffff"],
  medium: ["#ffd12e", "#1a1a1a"],
  low: ["#4fd8eb", "#1a1a1a"],
  info: ["#5b6472", "#ffffff"],
};

export function startBadge(board: Board, page: Document): void {
  let shown = "";
  board.subscribe(() => {
    const alerts = board.view().alerts.filter((alert) => alert.open);
    const gravest = soundOf(alerts);
    if (shown === `${alerts.length} ${gravest}`) return;
    shown = `${alerts.length} ${gravest}`;
    page.title = titleOf(alerts.length);
    const link = page.querySelector<HTMLLinkElement>('link[rel="icon"]');
    if (!link) return;
    link.type = gravest === null ? "image/svg+xml" : "image/png";
    link.href = gravest === null ? ICON : drawn(page, alerts.length, gravest);
  });
}

export function titleOf(open: number): string {
  return open === 0 ? NAME : `(${open}) ${NAME}`;
}

/** A square with the number on it, as a PNG in a data URL. */
function drawn(page: Document, open: number, gravest: Priority): string {
  const [ground, number] = COLOURS[gravest];
  const canvas = page.createElement("canvas");
  canvas.width = canvas.height = PIXELS;
  const pen = canvas.getContext("2d");
  if (!pen) return ICON;
  pen.fillStyle = ground;
  pen.beginPath();
  pen.roundRect(0, 0, PIXELS, PIXELS, PIXELS / 5);
  pen.fill();
  pen.fillStyle = number;
  pen.font = `bold ${PIXELS * 0.62}px sans-serif`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillText(open > MOST_SHOWN ? "…" : String(open), PIXELS / 2, PIXELS * 0.54);
  return canvas.toDataURL("image/png");
}
