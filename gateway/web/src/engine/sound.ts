/**
 * The sound: alerts that are for us are heard until somebody takes them, each priority by its own pattern.
 *
 * It goes by the clear header alone, so that it sounds while the page is locked, too. A browser lets a page make
 * no sound before somebody has touched it: until then it is not armed, and that is shown as a fault.
 */

import type { AlertView, Priority } from "../model";
import type { Board } from "./board";
import { ForPerson } from "./errors";

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
  /** Episodes that were heard at the last look. */
  #known: ReadonlySet<string> = new Set();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** What is heard now, or would be if nobody stopped it. */
  #playing: Playing | null = null;

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

  /** Whether it may be heard now. It has to be called by a touch, the first time, and after a telephone call. */
  async arm(): Promise<boolean> {
    try {
      this.#context ??= this.#made();
      if (this.#context.state !== "running") await this.#context.resume();
    } catch {
      // There is nothing to hear with, or the browser does not let it: the lamp says so.
    }
    this.#tell();
    return this.#isArmed;
  }

  /** Lets a pattern be heard once. */
  async test(priority: Priority): Promise<void> {
    if (!(await this.arm())) throw new ForPerson("This browser does not let the page make a sound now.");
    this.#play(PATTERNS[priority]);
  }

  get #isArmed(): boolean {
    return this.#context?.state === "running";
  }

  #made(): AudioContext {
    const context = new AudioContext();
    context.addEventListener("statechange", () => this.#tell());
    return context;
  }

  #tell(): void {
    const armed = this.#isArmed;
    const before = this.board.view().sound;
    this.board.show({ sound: armed ? "armed" : "silent" });
    // What was not heard until now is heard at once.
    if (armed && before === "silent") this.#begin(this.#sounding);
  }

  #follow(): void {
    const { alerts, catchingUp } = this.board.view();
    // While old times are read, what is open may have been taken long ago.
    if (catchingUp) return;
    const open = alerts.filter((alert) => alert.sounding);
    const wanted = soundOf(open);
    const isNews = open.some(({ episode, priority }) => priority === wanted && !this.#known.has(episode));
    this.#known = new Set(open.map(({ episode }) => episode));
    if (wanted !== this.#sounding) this.#begin(wanted);
    // One more is heard at once, too, unless it is just then.
    else if (isNews && !this.#playing?.goesOn) this.#begin(wanted);
  }

  #begin(priority: Priority | null): void {
    clearTimeout(this.#timer);
    this.#playing?.stop();
    this.#sounding = priority;
    if (priority === null) return;
    const pattern = PATTERNS[priority];
    if (this.#isArmed) this.#play(pattern);
    if (pattern.every !== null) this.#timer = setTimeout(() => this.#begin(priority), pattern.every);
  }

  #play(pattern: Pattern): void {
    this.#playing?.stop();
    this.#playing = this.#context && new Playing(this.#context, pattern);
  }
}

/** A pattern that is heard. Its tones are given to the browser in advance: it keeps time better than a page. */
class Playing {
  readonly #tones: OscillatorNode[];
  readonly #end: number;

  constructor(
    private readonly context: AudioContext,
    { tones }: Pattern,
  ) {
    const now = context.currentTime;
    this.#tones = tones.map((tone) => started(context, now, tone));
    this.#end = now + Math.max(...tones.map(({ at, lasts }) => at + lasts)) / 1000;
  }

  get goesOn(): boolean {
    return this.context.currentTime < this.#end;
  }

  /** At once, and whatever of it is still to come. */
  stop(): void {
    for (const tone of this.#tones) tone.disconnect();
    for (const tone of this.#tones) tone.stop();
  }
}

function started(context: AudioContext, now: number, { at, lasts, pitch }: Tone): OscillatorNode {
  const from = now + at / 1000;
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
  return tone;
}

/** The highest priority of the alerts. */
export function soundOf(alerts: readonly Pick<AlertView, "priority">[]): Priority | null {
  const priorities = new Set(alerts.map((alert) => alert.priority));
  return ORDER.find((priority) => priorities.has(priority)) ?? null;
}
