import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Board } from "../../src/engine/board";
import { PATTERNS, Sound, soundOf } from "../../src/engine/sound";
import type { AlertView, Priority } from "../../src/model";

/** What a machine has to be heard with. `newest` has the tones, when they begin and end, and whether they still get out. */
const speaker = {
  newest: null as FakeContext | null,
  /** A page may make no sound by itself. */
  allowed: true,
  broken: false,
};

class FakeNode {
  connected: FakeNode | null = null;

  connect(to: FakeNode): FakeNode {
    this.connected = to;
    return to;
  }

  disconnect(): void {
    this.connected = null;
  }
}

class FakeGain extends FakeNode {
  readonly gain = { setValueAtTime: () => undefined, linearRampToValueAtTime: () => undefined };
}

class FakeOscillator extends FakeNode {
  begin = Number.NaN;
  end = Number.POSITIVE_INFINITY;

  constructor(
    readonly context: FakeContext,
    readonly options: { frequency: number },
  ) {
    super();
    context.tones.push(this);
  }

  start(when: number): void {
    this.begin = when;
  }

  stop(when = this.context.currentTime): void {
    this.end = when;
  }
}

class FakeContext extends EventTarget {
  state = speaker.allowed ? "running" : "suspended";
  readonly destination = new FakeNode();
  readonly tones: FakeOscillator[] = [];
  readonly #since = Date.now();

  constructor() {
    super();
    if (speaker.broken) throw new DOMException("no such device", "NotSupportedError");
    speaker.newest = this;
  }

  get currentTime(): number {
    return (Date.now() - this.#since) / 1000;
  }

  async resume(): Promise<void> {
    if (!speaker.allowed) throw new DOMException("not now", "InvalidStateError");
    this.become("running");
  }

  become(state: string): void {
    this.state = state;
    this.dispatchEvent(new Event("statechange"));
  }
}

let board: Board;
let sound: Sound;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("AudioContext", FakeContext);
  vi.stubGlobal("OscillatorNode", FakeOscillator);
  vi.stubGlobal("GainNode", FakeGain);
  Object.assign(speaker, { newest: null, allowed: true, broken: false });
  board = new Board();
  sound = new Sound(board);
  sound.start(new EventTarget());
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function alert(priority: Priority, episode = priority as string): AlertView {
  return { episode, priority, open: true, sounding: true } as AlertView;
}

async function show(...alerts: AlertView[]): Promise<void> {
  board.show({ alerts });
  await vi.advanceTimersByTimeAsync(0);
}

/** The pitches of what is heard from now on, if nothing more happens. */
function heard(): number[] {
  const { tones = [], currentTime = 0 } = speaker.newest ?? {};
  return tones
    .filter(({ connected, begin, end }) => connected && end > currentTime && end > begin)
    .map(({ options }) => options.frequency);
}

const pitches = (priority: Priority) => PATTERNS[priority].tones.map(({ pitch }) => pitch);

test.each(["high", "medium", "low", "info"] as const)(
  "an alert of %s priority sounds at once",
  async (priority) => {
    await sound.arm();

    await show(alert(priority));

    expect(heard()).toEqual(pitches(priority));
  },
);

test.each([
  ["high", 5_000],
  ["medium", 12_000],
  ["low", 30_000],
] as const)("%s sounds again after %i ms, until it is taken", async (priority, every) => {
  await sound.arm();
  await show(alert(priority));

  await vi.advanceTimersByTimeAsync(every - 1);
  expect(heard()).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(heard()).toEqual(pitches(priority));
  await show();

  await vi.advanceTimersByTimeAsync(10 * every);
  expect(heard()).toEqual([]);
});

test("what is for information sounds once", async () => {
  await sound.arm();
  await show(alert("info"));

  await vi.advanceTimersByTimeAsync(1_000);
  expect(heard()).toEqual([]);
  await vi.advanceTimersByTimeAsync(600_000);

  expect(speaker.newest?.tones).toHaveLength(1);
});

test("to take an alert silences at once what was to be heard of it", async () => {
  await sound.arm();
  await show(alert("high"));
  await vi.advanceTimersByTimeAsync(300);

  await show();

  expect(heard()).toEqual([]);
});

test("a higher priority is heard at once, in the place of the lower one, which goes on after it", async () => {
  await sound.arm();
  await show(alert("low"));

  await show(alert("low"), alert("high"));
  expect(heard()).toEqual(pitches("high"));

  await show(alert("low"));
  expect(heard()).toEqual(pitches("low"));
});

test("one more alert of the same priority is heard at once, and not in the middle of the one before", async () => {
  await sound.arm();
  await show(alert("low", "one"));
  await vi.advanceTimersByTimeAsync(100);
  await show(alert("low", "one"), alert("low", "two"));
  expect(speaker.newest?.tones).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(heard()).toEqual([]);

  await show(alert("low", "one"), alert("low", "two"), alert("low", "three"));

  expect(heard()).toEqual(pitches("low"));
});

test("one that is taken while others are open is no news", async () => {
  await sound.arm();
  await show(alert("low", "one"), alert("low", "two"));
  await vi.advanceTimersByTimeAsync(10_000);

  await show(alert("low", "two"));

  expect(heard()).toEqual([]);
});

test("what was open in old times is not heard while they are read", async () => {
  await sound.arm();
  board.show({ catchingUp: { done: 200, total: 900 } });
  await show(alert("high"));
  expect(heard()).toEqual([]);

  board.show({ catchingUp: null });
  await show(alert("low"));

  expect(speaker.newest?.tones.map(({ options }) => options.frequency)).toEqual(pitches("low"));
});

test("it is silent until a touch lets it be heard, and then what is open is heard at once", async () => {
  speaker.allowed = false;
  const page = new EventTarget();
  sound = new Sound(board);
  sound.start(page);
  await show(alert("medium"));
  page.dispatchEvent(new Event("keydown"));
  await vi.advanceTimersByTimeAsync(0);
  expect(board.view().sound).toBe("silent");

  speaker.allowed = true;
  page.dispatchEvent(new Event("click"));
  await vi.advanceTimersByTimeAsync(0);

  expect(board.view().sound).toBe("armed");
  expect(heard()).toEqual(pitches("medium"));
});

test("a telephone call makes it silent again, and the next touch arms it", async () => {
  await sound.arm();
  await show(alert("high"));
  await vi.advanceTimersByTimeAsync(4_000);

  speaker.newest?.become("interrupted");
  expect(board.view().sound).toBe("silent");
  await vi.advanceTimersByTimeAsync(2_000);
  expect(heard()).toEqual([]);
  await sound.arm();

  expect(board.view().sound).toBe("armed");
  expect(heard()).toEqual(pitches("high"));
});

test("a machine that has nothing to hear with is told of", async () => {
  speaker.broken = true;

  expect(await sound.arm()).toBe(false);

  expect(board.view().sound).toBe("silent");
  await expect(sound.test("low")).rejects.toThrow("does not let the page make a sound");
});

test("a test is heard once, and leaves nothing", async () => {
  await sound.test("high");
  expect(heard()).toEqual(pitches("high"));

  await sound.test("low");
  expect(heard()).toEqual(pitches("low"));
  await vi.advanceTimersByTimeAsync(600_000);

  expect(heard()).toEqual([]);
  expect(speaker.newest?.tones).toHaveLength(12);
});

test("an alert that is open, and not for us to hear, is silent", async () => {
  await sound.arm();

  await show({ ...alert("high"), sounding: false }, alert("low"));

  expect(heard()).toEqual(pitches("low"));
});

test("patterns do not end after they begin again", () => {
  for (const { tones, every } of Object.values(PATTERNS)) {
    const end = Math.max(...tones.map(({ at, lasts }) => at + lasts));
    expect(end).toBeLessThan(every ?? Number.POSITIVE_INFINITY);
  }
});

test("the sound is that of the highest priority that is open", () => {
  expect(soundOf([])).toBeNull();
  expect(soundOf((["info", "low", "medium"] as const).map((priority) => ({ priority })))).toBe("medium");
});
