/**
 * The sound: open alerts are heard until somebody takes them, each priority by its own pattern.
 *
 * It goes by the clear header alone, so that it sounds while the page is locked, too. A browser lets a page make
 * no sound before somebody has touched it: until then it is not armed, and that is shown as a fault.
 */

import type { Priority } from "../model";
import type { Board } from "./board";

/** Tones of a pattern: when they begin (ms), how long they last (ms), and how high they are (Hz). */
export interface Tone {
  at: number;
  lasts: number;
  pitch: number;
}

/** A pattern, and after how many ms it is heard again; `null` is heard once. */
export interface Pattern {
  tones: readonly Tone[];
  every: number | null;
}

const burst = (starts: readonly number[], lasts: number, pitch: number): Tone[] =>
  starts.map((at) => ({ at, lasts, pitch }));

/** Numbers of pulses as in IEC 60601-1-8: high five and five, medium three, low two. */
export const PATTERNS: Readonly<Record<Priority, Pattern>> = {
  high: {
    tones: burst([0, 200, 400, 750, 950, 1700, 1900, 2100, 2450, 2650], 140, 880),
    every: 5_000,
  },
  medium: { tones: burst([0, 300, 600], 200, 660), every: 12_000 },
  low: { tones: burst([0, 400], 250, 520), every: 30_000 },
  info: { tones: burst([0], 180, 440), every: null },
};

const ORDER: readonly Priority[] = ["high", "medium", "low", "info"];
const LOUDNESS = 0.35;
/** A tone that starts and stops at once clicks. */
const RAMP_SECONDS = 0.012;

export class Sound {
  #context: AudioContext | null = null;
  #sounding: Priority | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly board: Board) {}

  /**
   * Follows the board, and arms itself at the first touch: at its end, since the warning that the sound is off goes away
   * then, and everything below it moves. What is pressed must not move before it is released.
   */
  start(target: EventTarget): void {
    for (const touch of ["click", "keydown"])
      target.addEventListener(touch, () => void this.arm(), { capture: true });
    this.board.subscribe(() => this.#follow());
  }

  /** Whether it may be heard now. It has to be called by a touch, the first time. */
  async arm(): Promise<boolean> {
    this.#context ??= this.#made();
    if (this.#context.state === "suspended") await this.#context.resume();
    this.#tell();
    return this.#context.state === "running";
  }

  /** Lets a pattern be heard once. */
  async test(priority: Priority): Promise<void> {
    if (await this.arm()) this.#play(PATTERNS[priority]);
  }

  #made(): AudioContext {
    const context = new AudioContext();
    context.addEventListener("statechange", () => this.#tell());
    return context;
  }

  #tell(): void {
    const armed = this.#context?.state === "running";
    const before = this.board.view().sound;
    this.board.show({ sound: armed ? "armed" : "silent" });
    // What was not heard until now is heard at once.
    if (armed && before === "silent") this.#begin(this.#sounding);
  }

  #follow(): void {
    const wanted = soundOf(this.board.view().alerts);
    if (wanted !== this.#sounding) this.#begin(wanted);
  }

  #begin(priority: Priority | null): void {
    clearTimeout(this.#timer);
    this.#sounding = priority;
    if (priority === null) return;
    const pattern = PATTERNS[priority];
    if (this.#context?.state === "running") this.#play(pattern);
    if (pattern.every !== null) this.#timer = setTimeout(() => this.#begin(priority), pattern.every);
  }

  #play({ tones }: Pattern): void {
    const context = this.#context;
    if (!context) return;
    for (const { at, lasts, pitch } of tones) {
      const from = context.currentTime + at / 1000;
      const until = from + lasts / 1000;
      const tone = new OscillatorNode(context, { frequency: pitch, type: "triangle" });
      const volume = new GainNode(context, { gain: 0 });
      volume.gain.setValueAtTime(0, from);
      volume.gain.linearRampToValueAtTime(LOUDNESS, from + RAMP_SECONDS);
      volume.gain.setValueAtTime(LOUDNESS, until - RAMP_SECONDS);
      volume.gain.linearRampToValueAtTime(0, until);
      tone.connect(volume).connect(context.destination);
      tone.start(from);
      tone.stop(until);
    }
  }
}

/** The highest priority of the open alerts. */
export function soundOf(alerts: readonly { open: boolean; priority: Priority }[]): Priority | null {
  const open = new Set(alerts.filter((alert) => alert.open).map((alert) => alert.priority));
  return ORDER.find((priority) => open.has(priority)) ?? null;
}
