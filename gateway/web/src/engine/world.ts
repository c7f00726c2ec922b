/** What the engine's parts stand on: handed in once, by `createEngine`, and by tests. */

import type { Board } from "./board";
import type { Gateway } from "./gateway";
import type { Turns } from "./locks";
import type { Visitors } from "./visitors";

export interface World {
  gateway: Gateway;
  board: Board;
  turns: Turns;
  visitors: Visitors;
  /** This machine's clock, in ms. */
  now(): number;
}
