/** Waiting before the next attempt: longer each time, by chance, so that not all pages come back at one moment. */

const FIRST_MS = 500;
const LONGEST_MS = 5_000;

export class Patience {
  #next = FIRST_MS;
  #wake: (() => void) | null = null;

  constructor(private readonly chance: () => number = Math.random) {}

  /** Waits for this attempt's turn, or until somebody says that it is worth trying now. */
  async wait(): Promise<void> {
    const delay = this.#next * (0.5 + this.chance());
    this.#next = Math.min(this.#next * 2, LONGEST_MS);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, delay);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = null;
  }

  wake(): void {
    this.#wake?.();
  }

  /** It went well: the next failure waits little again. */
  reset(): void {
    this.#next = FIRST_MS;
  }
}
